"""Answers of eBay Pulsar's sessionizer: everything sent downstream, in order, and the counters at the end."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from epl import EventType, Source
from epl.source import Span
from epl.structs import replace
from epl.types import parse_type
from runtime.config import CacheConfig, Limits, MarkerKeys, ProfileConfig, SubSessionConfig, TenantConfig
from runtime.engine import Engine
from runtime.output import decorated
from runtime.rules import TenantRules, compile_tenant

DAY_MS = 24 * 60 * 60 * 1000
NOWHERE = Span(0, 0)
CACHES = (CacheConfig(), CacheConfig(hot=0, block_size=64, page_size=1 << 16, hash_capacity=1))
"""Sessions as objects; and each from pages and back at every event."""
Vector = tuple[str, dict[str, Any]]


def event_types(declared: dict[str, dict[str, str]] | None) -> dict[str, EventType]:
    return {
        name: EventType(name, {field: parse_type(type_) for field, type_ in fields.items()})
        for name, fields in (declared or {}).items()
    }


def profile_config(theirs: dict[str, Any], max_idle_ms: int) -> ProfileConfig:
    """A profile in our words. The reference ignores `defaultTtl`: its gap is `maxIdleTime`."""
    return ProfileConfig(
        name=theirs["name"],
        type=theirs["sessionType"],
        gap_ms=max_idle_ms,
        max_active_ms=theirs.get("maxActiveTime", DAY_MS),
        begin_marker=theirs.get("beginMarker"),
        end_marker=theirs.get("endMarker"),
        keys=MarkerKeys(id=theirs.get("sessionIdKey", "_snid"), reason=None, marker=None),
        events=event_types(theirs.get("eventTypes")),
        rules=Source(theirs["name"], theirs.get("epl", "")),
        sub_sessions=tuple(
            SubSessionConfig(
                name=sub["name"],
                gap_ms=max_idle_ms,
                begin_marker=sub.get("beginMarker"),
                end_marker=sub.get("endMarker"),
                keys=MarkerKeys(reason=None, marker=None),
                rules=Source(sub["name"], sub.get("epl", "")),
                span=NOWHERE,
            )
            for sub in theirs.get("subProfiles", ())
        ),
        span=NOWHERE,
    )


def tenant_config(theirs: dict[str, Any]) -> TenantConfig:
    max_idle_ms = theirs["sessionizer"]["maxIdleTime"]
    return TenantConfig(
        folder=Path(),
        source=Source("vector", ""),
        tenant="vector",
        events=event_types(theirs["eventTypes"]),
        controller=Source("controller", theirs["epl"]),
        limits=Limits(max_idle_ms=max_idle_ms),
        profiles=tuple(profile_config(profile, max_idle_ms) for profile in theirs["profiles"]),
    )


class Sent:
    """An output that keeps what leaves as the vectors write it."""

    wants_events = True

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        line = decorated(raw, decorations) if decorations else raw
        fields = json.loads(line)
        self.sent.append({"now": now_ms, "type": fields.pop("_type"), "event": fields})

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        self.marker(fields, now_ms)
        return True

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        self.event(json.dumps(fields).encode(), None, now_ms)


def by_tick(sent: list[dict[str, Any]]) -> list[Any]:
    """Outputs in order; what one tick (a whole second) sends compares as a multiset."""
    groups: list[Any] = []
    for now, group in groupby(sent, key=lambda output: output["now"]):
        lines = [json.dumps(output, sort_keys=True) for output in group]
        groups.append((now, Counter(lines)) if now % 1000 == 0 else (now, lines))
    return groups


def test_vector(vector: Vector) -> None:
    _, case = vector
    rules = compile_tenant(tenant_config(case["config"]))
    for cache in CACHES:
        engine, sent = run(dataclasses.replace(rules, config=replace(rules.config, cache=cache)), case["events"])
        assert by_tick(sent) == by_tick(case["expect"])
        assert counters(engine) == case["counters"]


def run(rules: TenantRules, events: list[dict[str, Any]]) -> tuple[Engine, list[dict[str, Any]]]:
    """The engine after all events of a vector have passed and all sessions ended, and what left it."""
    output = Sent()
    engine = Engine(rules, output)
    for given in events:
        engine.process([json.dumps({"_type": given["type"], **given["event"]}).encode()], given["now"])
    engine.drain()
    return engine, output.sent


def counters(engine: Engine) -> dict[str, Any]:
    subs = [sub for profile in engine.profiles for sub in profile.sub_sessions]
    return {
        "created": sum(profile.counters.created for profile in engine.profiles),
        "ended": sum(profile.counters.ended.total() for profile in engine.profiles),
        "sub_created": sum(sub.counters.created for sub in subs),
        "sub_ended": sum(sub.counters.ended.total() for sub in subs),
        "custom": dict(engine.counters.debug),
    }
