"""Configuration, read and checked: a tenant's `sessionizer.yaml` with its rule files.

That of a service is in `service`, `connectors`, `service_codes` and `service_keys`, and not passed on here: only a
service needs it, and every command would wait while it is loaded.
"""

from runtime.config.choices import Late, LintSeverity, Start, StoreKind, Sync, TimeDomain, TimePolicy, UnknownEvents
from runtime.config.codes import CONFIG_CODES
from runtime.config.files import YAML_NAME, find_tenants, read_yaml
from runtime.config.keys import KEYS, Key, Kind
from runtime.config.lint import read_lint_section
from runtime.config.load import load_tenant, read_tenant
from runtime.config.model import (
    CacheConfig,
    Import,
    Limits,
    LintConfig,
    MarkerKeys,
    ProfileConfig,
    StoreConfig,
    SubSessionConfig,
    TenantConfig,
    TimeConfig,
)
from runtime.config.units import format_duration, format_size, parse_duration, parse_size, spoken_duration

__all__ = [
    "CONFIG_CODES",
    "KEYS",
    "YAML_NAME",
    "CacheConfig",
    "Import",
    "Key",
    "Kind",
    "Late",
    "Limits",
    "LintConfig",
    "LintSeverity",
    "MarkerKeys",
    "ProfileConfig",
    "Start",
    "StoreConfig",
    "StoreKind",
    "SubSessionConfig",
    "Sync",
    "TenantConfig",
    "TimeConfig",
    "TimeDomain",
    "TimePolicy",
    "UnknownEvents",
    "find_tenants",
    "format_duration",
    "format_size",
    "load_tenant",
    "parse_duration",
    "parse_size",
    "read_lint_section",
    "read_tenant",
    "read_yaml",
    "spoken_duration",
]
