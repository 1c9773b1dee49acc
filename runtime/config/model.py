"""The checked configuration of a tenant: what `load_tenant` gives and the engine is built from.

Defaults come from the registry of keys, so a part built by hand in a test is what an empty section would give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from epl.schema import EventType
from epl.source import Source, Span
from runtime.config.choices import Late, LintSeverity, StoreKind, TimeDomain, TimePolicy, UnknownEvents
from runtime.config.keys import default_number, default_text


class Limits(Struct, frozen=True):
    """What no session and no event may exceed; apart from `max_idle_ms` and `max_line_bytes`, 0 is no limit.

    `max_events` are those of a session, `rate` those of a second, `sessions` the live ones of a tenant.
    """

    max_idle_ms: int = default_number("limits.max_idle")
    max_events: int = default_number("limits.max_events")
    rate: int = default_number("limits.rate")
    max_line_bytes: int = default_number("limits.max_line")
    sessions: int = default_number("limits.sessions")
    max_state_bytes: int = default_number("limits.state")
    rule_time_ms: int = default_number("limits.rule_time")


class Import(Struct, frozen=True):
    """A Python module that registers functions and annotations, and where the configuration names it."""

    module: str
    span: Span


class CacheConfig(Struct, frozen=True):
    """The cache: `block_size`, `page_size` and `memory` in bytes, a time slot is one second, the rest are counts."""

    block_size: int = default_number("cache.block_size")
    page_size: int = default_number("cache.page_size")
    memory: int = default_number("cache.memory")
    hash_capacity: int = default_number("cache.hash_capacity")
    max_time_slots: int = default_number("cache.max_time_slots")
    hot: int = default_number("cache.hot")


class TimeConfig(Struct, frozen=True):
    """The clock; `source` is the field that holds an event's own time, None for stage 1's `_timestamp_`."""

    domain: TimeDomain = TimeDomain.PROCESSING
    source: str | None = None
    allowed_lateness_ms: int = default_number("time.allowed_lateness")
    late: Late = Late.EXTEND
    idle_close_ms: int = default_number("time.idle_close")
    future_ms: int = default_number("time.future")
    most_waiting: int = default_number("time.most_waiting")
    zone: str = default_text("time.zone")
    policy: TimePolicy = TimePolicy.GAP
    partitions: int = default_number("time.partitions")
    user_time: str | None = None


class StoreConfig(Struct, frozen=True):
    """The store that outlives the process."""

    kind: StoreKind = StoreKind.NONE


class LintConfig(Struct, frozen=True):
    """What linting reports; None is left to whoever decides next. Codes are codes or beginnings of codes."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    severity: LintSeverity | None = None
    strict: bool | None = None


class MarkerKeys(Struct, frozen=True):
    """The names of the fields of markers; None leaves the field out."""

    id: str | None = default_text("profiles[].keys.id")
    start: str | None = default_text("profiles[].keys.start")
    end: str | None = default_text("profiles[].keys.end")
    duration: str | None = default_text("profiles[].keys.duration")
    count: str | None = default_text("profiles[].keys.count")
    reason: str | None = default_text("profiles[].keys.reason")
    marker: str | None = default_text("profiles[].keys.marker")
    user: str | None = default_text("profiles[].keys.user")


class SubSessionConfig(Struct, frozen=True, kw_only=True):
    """A kind of session within a session; `span` is its name's place in the YAML. A marker of None is not sent."""

    name: str
    gap_ms: int
    begin_marker: str | None = None
    end_marker: str | None = None
    keys: MarkerKeys = field(default_factory=MarkerKeys)
    rules: Source
    span: Span


class ProfileConfig(Struct, frozen=True, kw_only=True):
    """A kind of session; `span` is its name's place in the YAML.

    `max_active_ms` of 0 is no limit, a marker of None is not sent, and `events` are the profile's own, which hold
    beside the tenant's (over one of the same name) for its sub-sessions too. `midnight`: none lives beyond the end of
    a day. `shadow`: it counts, and nothing of it leaves.
    """

    name: str
    type: int
    gap_ms: int = default_number("profiles[].gap")
    max_active_ms: int = default_number("profiles[].max_active")
    midnight: bool = False
    shadow: bool = False
    begin_marker: str | None = None
    end_marker: str | None = None
    keys: MarkerKeys = field(default_factory=MarkerKeys)
    events: Mapping[str, EventType] = field(default_factory=dict)
    rules: Source
    sub_sessions: tuple[SubSessionConfig, ...] = ()
    span: Span


class TenantConfig(Struct, frozen=True, kw_only=True):
    """A tenant: its folder, the text of its YAML (to which all spans refer), and everything that is in it.

    `files` are the rule files that the YAML names, by the names it gives them. Modules are in `folder`, which is not
    where the YAML was where that was kept.
    """

    folder: Path
    source: Source
    tenant: str
    events: Mapping[str, EventType] = field(default_factory=dict)
    type_field: str = default_text("type_field")
    controller: Source
    unknown_events: UnknownEvents = UnknownEvents.PASS
    limits: Limits = field(default_factory=Limits)
    cache: CacheConfig = field(default_factory=CacheConfig)
    time: TimeConfig = field(default_factory=TimeConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    lint: LintConfig = field(default_factory=LintConfig)
    imports: tuple[Import, ...] = ()
    profiles: tuple[ProfileConfig, ...]
    files: Mapping[str, Source] = field(default_factory=dict)
