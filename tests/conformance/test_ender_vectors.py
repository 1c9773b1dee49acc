"""Answers of OpenReplay's session ender, in two versions: the ids that each tick ends, with the user's highest time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from epl import EventType, Source
from epl.source import Span
from epl.types import LONG, STRING
from runtime.config import CacheConfig, Limits, ProfileConfig, TenantConfig, TimeConfig, TimePolicy
from runtime.engine import Engine
from runtime.rules import compile_tenant

CONTROLLER = "@Session('Session') select session as _pk_, batch_ts as _timestamp_ from Message;"
POLICIES = {"2022": TimePolicy.ENDER_2022, "head": TimePolicy.ENDER}
CACHES = (CacheConfig(), CacheConfig(hot=0, block_size=64, page_size=1 << 16, hash_capacity=1))
"""Sessions as objects; and each from pages and back at every event."""
Vector = tuple[str, dict[str, Any]]


class Handler:
    """Takes end markers, except those of the ids that fail."""

    wants_events = False

    def __init__(self) -> None:
        self.failing: list[int] = []
        self.asked: list[list[int]] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        raise AssertionError("no event is wanted")

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        raise AssertionError("no begin marker is configured")

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        session = int(fields["session"])
        self.asked.append([session, fields["_snut"]])
        return session not in self.failing


def engine_of(case: dict[str, Any], handler: Handler, cache: CacheConfig) -> Engine:
    """An engine with the policy of a vector."""
    profile = ProfileConfig(
        name="Session",
        type=1,
        gap_ms=case["timeout_ms"],
        end_marker="SessionEnd",
        rules=Source("session", "@UpdateMetadata select session from Message;"),
        span=Span(0, 0),
    )
    config = TenantConfig(
        folder=Path(),
        source=Source("vector", ""),
        tenant="vector",
        events={"Message": EventType("Message", {"session": STRING, "batch_ts": LONG, "msg_ts": LONG})},
        controller=Source(
            "controller", "@Session('Session') select session as _pk_, batch_ts as _timestamp_ from Message;"
        ),
        limits=Limits(max_idle_ms=case["timeout_ms"]),
        time=TimeConfig(policy=POLICIES[case["version"]], partitions=case["partitions"], user_time="msg_ts"),
        cache=cache,
        profiles=(profile,),
    )
    return Engine(compile_tenant(config), handler)


def test_vector(vector: Vector) -> None:
    _, case = vector
    for cache in CACHES:
        assert run(case, cache) == case["expect"]


def run(case: dict[str, Any], cache: CacheConfig) -> list[dict[str, Any]]:
    """What each tick of a vector ends, and what lives on."""
    handler = Handler()
    engine = engine_of(case, handler, cache)
    ticks = []
    for op in case["ops"]:
        match op:
            case {"op": "update"}:
                message = {"session": str(op["session"]), "batch_ts": op["batch_ts"], "msg_ts": op["msg_ts"]}
                engine.process([json.dumps(message).encode()], op["now"])
            case {"op": "tick"}:
                handler.failing, handler.asked = op["fail"], []
                before = engine.live_sessions
                engine.advance(op["now"])
                after = engine.live_sessions
                ticks.append({"ended": sorted(handler.asked), "removed": before - after, "active": after})
            case {"op": "disable"}:
                engine.enabled = False
            case {"op": "enable"}:
                engine.enabled = True
            case {"op": "active_partitions"}:
                engine.assign(op["parts"])
            case _:
                raise AssertionError(op)
    return ticks
