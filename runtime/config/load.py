"""A tenant's folder to its checked configuration, or to all problems at once.

A wrong value counts as its default while reading goes on; the result is only given out when nothing was reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from epl.diagnostics import InvalidInput, Problems, did_you_mean
from epl.schema import is_readable
from epl.source import Source
from runtime.config.choices import Late, StoreKind, TimeDomain, TimePolicy, UnknownEvents
from runtime.config.codes import FIELD_NAME, IDLE_OVER_SLOTS, NO_ROOM, PAGE_TOO_LARGE, UNKNOWN_ZONE
from runtime.config.document import read_document
from runtime.config.events import read_events
from runtime.config.files import RuleFiles, read_rules, read_yaml
from runtime.config.keys import default_text
from runtime.config.lint import read_lint
from runtime.config.model import CacheConfig, Import, Limits, StoreConfig, TenantConfig, TimeConfig
from runtime.config.profiles import read_profiles
from runtime.config.reader import Found, Section, shown
from runtime.config.units import format_duration, format_size

_BLOCKS_PER_PAGE = 65_536
"""Blocks of a page are numbered with 16 bits."""


def load_tenant(folder_or_yaml: Path) -> TenantConfig:
    """The configuration in a tenant's folder, or in a YAML file whose folder holds the rules.

    Rules are read but not compiled. Raises InvalidInput with every problem of the YAML in the order of their places,
    or with the one that a file or folder is missing or cannot be read.
    """
    return read_tenant(*read_yaml(folder_or_yaml))


def read_tenant(folder: Path, source: Source, kept: Mapping[str, Source] | None = None) -> TenantConfig:
    """The configuration that a text of YAML gives in a tenant's folder. Raises InvalidInput as `load_tenant`.

    `kept` stands for the rule files that the YAML names, by the names that it gives them.
    """
    problems = Problems(source)
    node = read_document(problems)
    config = None if problems.has_errors else _tenant(Section(problems, node), folder, RuleFiles(folder, kept))
    if config is None or problems.has_errors:
        # A block that aliases repeat is read at each of its uses, and its problems are the same ones.
        raise InvalidInput(dict.fromkeys(problems))
    return config


def _tenant(root: Section, folder: Path, files: RuleFiles) -> TenantConfig:
    limits, cache, time = root.section("limits"), root.section("cache"), root.section("time")
    max_idle = limits.number("max_idle")
    return TenantConfig(
        folder=folder,
        source=root.problems.source,
        tenant=root.text("tenant").value,
        events=read_events(root.problems, root.node("events")),
        type_field=_field(root, "type_field"),
        controller=read_rules(root, "controller", files, required=True),
        unknown_events=root.choice("unknown_events", UnknownEvents).value,
        limits=Limits(
            max_idle_ms=max_idle.value,
            max_events=limits.number("max_events").value,
            rate=limits.number("rate").value,
            sessions=limits.number("sessions").value,
            max_state_bytes=limits.number("state").value,
            rule_time_ms=limits.number("rule_time").value,
            max_line_bytes=limits.number("max_line").value,
        ),
        cache=_cache(cache, max_idle),
        time=_time(time),
        store=StoreConfig(root.section("store").choice("kind", StoreKind).value),
        lint=read_lint(root.section("lint")),
        imports=tuple(Import(found.value, found.span) for found in root.modules("imports")),
        profiles=read_profiles(root, files, max_idle),
        files=files.read,
    )


def _cache(section: Section, max_idle: Found[int]) -> CacheConfig:
    problems = section.problems
    block, page, memory = section.number("block_size"), section.number("page_size"), section.number("memory")
    slots = section.number("max_time_slots")
    if max_idle.valid and slots.valid and max_idle.value >= slots.value * 1_000:
        span = max_idle.span if max_idle.given else slots.span
        hint = f"`cache.max_time_slots` of {max_idle.value // 1_000 + 1} is enough"
        problems.add(IDLE_OVER_SLOTS, span, hint=hint, max_idle=format_duration(max_idle.value), slots=slots.value)
    if block.valid and page.valid and page.value > block.value * _BLOCKS_PER_PAGE:
        span = page.span if page.given else block.span
        sizes = {"page_size": format_size(page.value), "block_size": format_size(block.value)}
        problems.add(PAGE_TOO_LARGE, span, **sizes)
    for part, small, holder, large in (("block", block, "a page", page), ("page", page, "the memory", memory)):
        if small.valid and large.valid and small.value > large.value:
            span = large.span if large.given else small.span
            sizes = {"size": format_size(small.value), "room": format_size(large.value)}
            problems.add(NO_ROOM, span, part=part, holder=holder, **sizes)
    return CacheConfig(
        block_size=block.value,
        page_size=page.value,
        memory=memory.value,
        hash_capacity=section.number("hash_capacity").value,
        max_time_slots=slots.value,
        hot=section.number("hot").value,
    )


def _time(section: Section) -> TimeConfig:
    source = _field(section, "source")
    return TimeConfig(
        domain=section.choice("domain", TimeDomain).value,
        source=None if source == default_text("time.source") else source,
        allowed_lateness_ms=section.number("allowed_lateness").value,
        late=section.choice("late", Late).value,
        idle_close_ms=section.number("idle_close").value,
        future_ms=section.number("future").value,
        most_waiting=section.number("most_waiting").value,
        zone=_zone(section),
        policy=section.choice("policy", TimePolicy).value,
        partitions=section.number("partitions").value,
        user_time=section.optional_text("user_time").value,
    )


def _zone(section: Section) -> str:
    """The name of a time zone that this machine knows."""
    found = section.text("zone")
    try:
        ZoneInfo(found.value)
    except (KeyError, OSError, ValueError):
        # Names are paths below a folder of zones, so a strange one may fail in any way that a path can.
        hint = did_you_mean(found.value, available_timezones())
        section.problems.add(UNKNOWN_ZONE, found.span, hint=hint, zone=shown(found.value))
    return found.value


def _field(section: Section, key: str) -> str:
    """The name of a field of the events."""
    found = section.text(key)
    if not is_readable(found.value):
        section.problems.add(FIELD_NAME, found.span, field=shown(found.value))
    return found.value
