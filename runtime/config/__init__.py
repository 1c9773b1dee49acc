"""Configuration, read and checked: a tenant's `sessionizer.yaml` with its rule files, a service's `service.yaml`."""

from runtime.config.choices import Late, LintSeverity, Start, StoreKind, Sync, TimeDomain, TimePolicy, UnknownEvents
from runtime.config.codes import CONFIG_CODES
from runtime.config.connectors import KafkaInConfig, KafkaOutConfig, ParquetConfig, ValkeyInConfig, ValkeyOutConfig
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
from runtime.config.service import (
    Address,
    DurabilityConfig,
    FilesConfig,
    HttpConfig,
    LinesConfig,
    Listener,
    ServedTenant,
    ServiceConfig,
    load_service,
)
from runtime.config.service_codes import SERVICE_CODES
from runtime.config.service_keys import SERVICE_KEY_LIST
from runtime.config.units import format_duration, format_size, parse_duration, parse_size, spoken_duration

__all__ = [
    "CONFIG_CODES",
    "KEYS",
    "SERVICE_CODES",
    "SERVICE_KEY_LIST",
    "YAML_NAME",
    "Address",
    "CacheConfig",
    "DurabilityConfig",
    "FilesConfig",
    "HttpConfig",
    "Import",
    "KafkaInConfig",
    "KafkaOutConfig",
    "Key",
    "Kind",
    "Late",
    "Limits",
    "LinesConfig",
    "LintConfig",
    "LintSeverity",
    "Listener",
    "MarkerKeys",
    "ParquetConfig",
    "ProfileConfig",
    "ServedTenant",
    "ServiceConfig",
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
    "ValkeyInConfig",
    "ValkeyOutConfig",
    "find_tenants",
    "format_duration",
    "format_size",
    "load_service",
    "load_tenant",
    "parse_duration",
    "parse_size",
    "read_lint_section",
    "read_tenant",
    "read_yaml",
    "spoken_duration",
]
