"""The configuration of a tenant: `sessionizer.yaml` and its rule files, read and checked."""

from runtime.config.choices import Late, StoreKind, TimeDomain, UnknownEvents
from runtime.config.codes import CONFIG_CODES
from runtime.config.files import YAML_NAME, find_tenants
from runtime.config.keys import KEYS, Key, Kind
from runtime.config.load import load_tenant
from runtime.config.model import (
    CacheConfig,
    Import,
    Limits,
    MarkerKeys,
    ProfileConfig,
    StoreConfig,
    SubSessionConfig,
    TenantConfig,
    TimeConfig,
)
from runtime.config.units import format_duration, format_size, parse_duration, parse_size

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
    "MarkerKeys",
    "ProfileConfig",
    "StoreConfig",
    "StoreKind",
    "SubSessionConfig",
    "TenantConfig",
    "TimeConfig",
    "TimeDomain",
    "UnknownEvents",
    "find_tenants",
    "format_duration",
    "format_size",
    "load_tenant",
    "parse_duration",
    "parse_size",
]
