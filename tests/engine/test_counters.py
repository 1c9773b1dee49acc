"""Counters of sessions: by reason, by length and duration, and what they say of an engine that has run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime.counters import SHORT_MS, SessionCounters


@pytest.mark.parametrize(
    ("duration_ms", "events", "single", "short"),
    [(0, 1, 1, 0), (0, 2, 0, 1), (SHORT_MS, 2, 0, 1), (SHORT_MS + 1, 2, 0, 0)],
)
def test_single_and_short(duration_ms: int, events: int, single: int, short: int) -> None:
    counters = SessionCounters(created=1)
    counters.count_end("gap", duration_ms, events)
    assert (counters.single_event, counters.short) == (single, short)


def test_sums_and_maxima() -> None:
    counters = SessionCounters(created=4)
    for reason, duration_ms, events in (("gap", 5_000, 3), ("split", 9_000, 2), ("gap", 0, 7)):
        counters.count_end(reason, duration_ms, events)
    assert counters.ended == {"gap": 2, "split": 1}
    assert counters.active == 1
    assert (counters.events, counters.max_events) == (12, 7)
    assert (counters.total_duration_ms, counters.max_duration_ms) == (14_000, 9_000)


@pytest.mark.parametrize(("duration_ms", "bits"), [(0, 0), (999, 0), (1_000, 1), (1_999, 1), (2_000, 2), (4_000, 3)])
def test_durations_by_power_of_two(duration_ms: int, bits: int) -> None:
    counters = SessionCounters()
    counters.count_end("gap", duration_ms, 1)
    assert counters.durations[bits] == sum(counters.durations) == 1


@pytest.mark.parametrize(("events", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_lengths_by_power_of_two(events: int, bits: int) -> None:
    counters = SessionCounters()
    counters.count_end("gap", 0, events)
    assert counters.lengths[bits] == sum(counters.lengths) == 1


def test_nothing_stays_behind_when_all_sessions_have_ended(engine_of: Callable[..., Any]) -> None:
    """Tables and wheel are empty, and begun is ended, for sessions that ended in every way."""
    engine, _ = engine_of(
        {
            "events": {"Click": {"user": "string", "act": "string"}},
            "controller_text": "@Session('Visit') select user as _pk_ from Click;",
            "profiles": [
                {
                    "name": "Visit",
                    "type": 1,
                    "gap": "10s",
                    "max_active": "25s",
                    "rules_text": """
                        @SubSession('Part') select act as _pk_ from Click;
                        @EndSession select 1 from Click(act = 'end');
                        @SplitSession select 1 from Click(act = 'split');
                        @UpdateDuration select 2000 as _duration_ from Click(act = 'short');""",
                    "sub_sessions": [{"name": "Part", "gap": "5s", "rules_text": ""}],
                }
            ],
        }
    )
    for number in range(400):
        event = {"user": f"u{number % 7}", "act": ("end", "split", "short", "x", None)[number % 5]}
        engine.process([json.dumps(event).encode()], 1_000 + number * 400)
        assert engine.live_sessions <= 7
    engine.drain()
    engine.advance(engine.now_ms + 30_000)
    assert engine.live_sessions == 0
    wheel = engine._at_work.wheel
    assert not wheel.slots
    assert not wheel._seconds
    (profile,) = engine.profiles
    assert not profile.ending
    for counters in (profile.counters, profile.sub_sessions[0].counters):
        assert counters.active == 0
        assert counters.created == counters.ended.total() > 0
    assert profile.counters.events == 400
