"""Counters of sessions and events, and what they say of an engine that has run."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from runtime.counters import SHORT_MS, SessionCounters
from runtime.engine import Clock
from runtime.event import Refused


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


@pytest.mark.parametrize(("lag_ms", "bits"), [(-5_000, 0), (0, 0), (1_000, 1), (4_000, 3), (2**200, 63)])
def test_lags_by_power_of_two(lag_ms: int, bits: int) -> None:
    counters = SessionCounters()
    counters.count_begin(lag_ms)
    assert counters.lags[bits] == sum(counters.lags) == counters.created == 1
    assert counters.total_lag_ms == counters.max_lag_ms == max(lag_ms, 0)


def tenant(rules: str = "", **more: Any) -> dict[str, Any]:
    """Visits of 10 s and parts of 4 s; stage 1 gives an event's own time."""
    part = {"name": "Part", "gap": "4s", "end_marker": "PartEnd", "rules_text": ""}
    return {
        "events": {"Click": {"user": "string", "at": "long", "part": "string", "act": "string"}},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);"
        "@Passive @Session('Visit') select user as _pk_ from Click(act = 'ping');",
        "profiles": [
            {
                "name": "Visit",
                "type": 1,
                "gap": "10s",
                "end_marker": "VisitEnd",
                "rules_text": f"@SubSession('Part') select part as _pk_ from Click; {rules}",
                "sub_sessions": [part],
            }
        ],
        **more,
    }


def click(**fields: Any) -> list[bytes]:
    return [json.dumps({"user": "a", **fields}).encode()]


def test_lag_from_the_first_event_to_its_arrival(engine_of: Callable[..., Any]) -> None:
    engine, _ = engine_of(tenant())
    engine.process(click(at=17_000), 20_000)
    engine.process(click(at=1_000), 20_500)  # not the first of its session
    engine.process(click(at=19_000, part="x"), 21_000)
    (visit,) = engine.profiles
    assert (visit.counters.total_lag_ms, visit.counters.max_lag_ms, visit.counters.lags[2]) == (3_000, 3_000, 1)
    (part,) = visit.sub_sessions
    assert (part.counters.total_lag_ms, part.counters.max_lag_ms, part.counters.lags[2]) == (2_000, 2_000, 1)


def test_expiry_delay_of_what_ends_by_its_gap(engine_of: Callable[..., Any]) -> None:
    """A session due at 13.400 s ends at the tick at 14 s, its part due at 7.400 s at 8 s, each 600 ms later."""
    engine, _ = engine_of(tenant("@EndSession select 1 from Click(act = 'end');"))
    engine.process(click(part="x"), 3_400)
    engine.drain()
    engine.process(click(part="x", act="end"), 90_000)
    (visit,) = engine.profiles
    for counters in (visit.counters, visit.sub_sessions[0].counters):
        assert counters.ended.total() == 2
        assert (counters.total_expiry_delay_ms, counters.max_expiry_delay_ms) == (600, 600)


def test_expiry_delay_by_an_event_that_finds_it_due(engine_of: Callable[..., Any]) -> None:
    engine, _ = engine_of(tenant())
    engine.process(click(), 3_400)
    engine.process(click(), 13_450)
    assert engine.profiles[0].counters.max_expiry_delay_ms == 50


@pytest.mark.parametrize("rules", ["", "@MarkBot select 1 as _bottype_ from Click(act = 'bot');"])
@pytest.mark.parametrize("seed", range(5))
def test_max_interval_whichever_way_an_event_takes(engine_of: Callable[..., Any], rules: str, seed: int) -> None:
    """The common event of a profile with plain rules takes a shorter way through the engine than others."""
    config = tenant()
    config["profiles"][0] |= {"rules_text": rules, "sub_sessions": [], "max_active": "0s"}
    engine, _ = engine_of(config)
    random, now_ms = Random(seed), 1_000
    times: dict[str, list[int]] = {}
    for _ in range(40):
        user, now_ms = random.choice("abc"), now_ms + random.choice([1, 400, 2_000, 4_000])
        engine.process(click(user=user), now_ms)
        times.setdefault(user, []).append(now_ms)
        # A pause of 10 s and what the tick takes is between two sessions.
        pauses = [after - before for each in times.values() for before, after in pairwise(each)]
        longest = max((pause for pause in pauses if pause < 10_000), default=0)
        assert engine.profiles[0].counters.max_interval_ms == longest


def test_max_interval_of_parts(engine_of: Callable[..., Any]) -> None:
    engine, _ = engine_of(tenant())
    for now_ms in (1_000, 1_700, 4_000, 9_000):
        engine.process(click(part="x"), now_ms)
    assert engine.profiles[0].sub_sessions[0].counters.max_interval_ms == 2_300


@pytest.mark.parametrize("act", ["split", "ping"])
def test_what_counts_for_no_live_session_makes_no_interval(engine_of: Callable[..., Any], act: str) -> None:
    engine, _ = engine_of(tenant("@SplitSession select 1 from Click(act = 'split');"))
    engine.process(click(), 1_000)
    engine.process(click(act=act), 6_000)
    assert engine.profiles[0].counters.max_interval_ms == 0


@pytest.mark.parametrize("unknown", ["pass", "dead_letter"])
@pytest.mark.parametrize("late", ["extend", "new", "drop", "dead_letter"])
def test_each_event_has_one_outcome(engine_of: Callable[..., Any], late: str, unknown: str) -> None:
    """Of each the engine has one, and is asked for it in one place: what was refused is among them."""
    time = {"domain": "event", "late": late}
    config = tenant(time=time, limits={"rate": 4}, unknown_events=unknown)
    engine, output = engine_of(config, clock=Clock.EVENT_TIME)
    refused: list[Refused] = []
    lines = [
        *click(at=20_000), *click(at=60_000), *click(at=1_000),
        b"{", b'{"user":7}', b"", b'{"_type":"Other"}', *click(user=None),
        *click(at=90_000), *click(at=90_000), *click(at=90_000), *click(at=90_000), *click(at=90_000),
    ]  # fmt: skip
    engine.process(lines, refuse=refused.append)
    is_late = 1 if late in ("drop", "dead_letter") else 0
    assert +engine.counters.events == {
        "ok": 7 - is_late,
        **({"late": 1} if is_late else {}),
        "invalid": 2,
        "unknown_type": 1,
        "bypassed": 1,
        "throttled": 1,
    }
    assert engine.counters.events.total() == 12
    assert engine.counters.refused.total() == len(refused)
    passed_on = sum("_snid" not in row for _, row in output.sent)
    assert engine.counters.outcomes.total() == passed_on + (late == "drop")


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


@pytest.mark.parametrize("profiles", [1, 2])
def test_without_types_events_pass_through(engine_of: Callable[..., Any], profiles: int) -> None:
    """However many profiles there are."""
    names = ["One", "Two"][:profiles]
    config = {
        "events": {},
        "controller_text": "",
        "profiles": [{"name": name, "type": number, "gap": "5m"} for number, name in enumerate(names, 1)],
    }
    engine, output = engine_of(config)
    engine.process([b'{"_type":"X"}', b"{}"], 1_000)
    assert engine.counters.outcomes == {"bypassed": 2}
    assert [event for _, event in output.sent] == [{"_type": "X"}, {}]
