"""Nothing an event contains can stop the stream or lose a session (engine.md §7 in the design)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Clock
from runtime.event import Refused

FIELDS = {
    "user": "string", "s": "string", "l": "long", "i": "int", "x": "double", "g": "bigint", "d": "date", "p": "map",
    "o": "object", "a": "int[]",
}  # fmt: skip
RULES = """
@DecorateEvent select fromJson(s) as m, p as spread, o as object, a as joined, d as date, x / l as divided from Click;
@DecorateEvent select g * g as square, -l as minus, x * x as big, s || s as twice, s as s from Click;
@UpdateMetadata select o as o, p as p, x / 0 as inf, fromJson(s) as m, g * g as square, d as d from Click;
@AppendState(name='o', colname='o') select o from Click;
@AppendState(name='list', colname='x', maxlength=3) select x from Click;
@UpdateState select session.long('power') * session.long('power') as power from Click(session.eventCount < 12);
@UpdateState select l as power from Click(session.eventCount = 1);
@DecorateEvent select session.long('power') as power, session.list('o') as os, session.list('list') as xs from Click;
@DecorateEvent select cast(s, int) as number, i % i as rest, s.charAt(i) as letter, s.substring(i) as tail from Click;
@DecorateEvent select a[i] as item, p('k') as value, typeof(o) as kind, toJson(p) as json from Click;
@DecorateEvent select s.length() as length, s.split(',') as parts from Click;
@SubSession('Part') select s as _pk_, i as _duration_ from Click;
@UpdateDuration select i as _duration_ from Click(i < 5);
@MarkBot select i as _bottype_ from Click;
@DebugSession(counter='o', colname='o') select o from Click;
"""
CONFIG = {
    "events": {"Click": FIELDS},
    "controller_text": "@Session('Visit') select user as _pk_, l as _timestamp_, i as _duration_ from Click;",
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "10s",
            "begin_marker": "Begin",
            "end_marker": "Finish",
            "rules_text": RULES,
            "sub_sessions": [
                {
                    "name": "Part",
                    "begin_marker": "PartBegin",
                    "end_marker": "PartEnd",
                    "rules_text": "@UpdateMetadata select o, x from Click; @DecorateEvent select s from Click;",
                }
            ],
        }
    ],
}
NESTED = '{"m":' + "[" * 900 + "]" * 900 + "}"
STRINGS = st.sampled_from(
    ["", "7", "a\0b", "\ud83d\ude00", '{"a":"\\ud800","\\ud800":1}', '{"a":NaN}', '{"a":1e999}', NESTED, "{", "9" * 500]
)
INTS = st.sampled_from([0, 1, -1, 7, 2**31 - 1, -(2**31)])
LONGS = INTS | st.sampled_from([2**63 - 1, -(2**63)])
DOUBLES = INTS | st.sampled_from([0.0, -0.0, 1e308, 5e-324, 1.5])
DATES = st.sampled_from([0, -1, 253402300799999, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999+00:00"])
OBJECTS = st.recursive(STRINGS | LONGS | DOUBLES | st.none() | st.booleans(), lambda o: st.lists(o, max_size=2))
EVENTS = st.fixed_dictionaries(
    {"user": st.sampled_from(["", "a"])},
    optional={
        "s": STRINGS, "i": INTS, "l": LONGS, "x": DOUBLES, "g": LONGS | st.just(10**4000), "d": DATES, "o": OBJECTS,
        "a": st.lists(INTS | st.none(), max_size=3), "p": st.dictionaries(STRINGS, OBJECTS, max_size=2),
    },
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 9_000)), max_size=20))
def test_any_event(engine_of: Callable[..., Any], events: list[tuple[dict[str, Any], int]]) -> None:
    engine, output = engine_of(CONFIG)
    refused: list[Refused] = []
    now_ms = 1_000
    for event, pause_ms in events:
        now_ms += pause_ms
        engine.process([json.dumps(event).encode()], now_ms, refuse=refused.append)
    engine.drain()
    assert refused == []
    sent = [fields.get("_type", "Click") for _, fields in output.sent]
    assert sent.count("Click") == len(events)
    assert sent.count("Begin") == sent.count("Finish")
    assert sent.count("PartBegin") == sent.count("PartEnd")
    assert [now for now, _ in output.sent] == sorted(now for now, _ in output.sent)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b'{"user":"a"}', b'{"_type":"Other"}', b"{}", b"[1]"])))
def test_any_line(engine_of: Callable[..., Any], lines: list[bytes]) -> None:
    engine, output = engine_of(SMALL)
    refused: list[Refused] = []
    engine.process(lines, 1_000, refuse=refused.append)
    assert len(output.sent) + len(refused) + sum(not line.strip() for line in lines) == len(lines)
    assert [each.raw for each in refused] == [lines[each.line - 1] for each in refused]


BY_USER = "@Session('Visit') select user as _pk_ from Click;"
SMALL = {
    "events": {"Click": {"user": "string"}},
    "controller_text": BY_USER,
    "profiles": [{"name": "Visit", "type": 1, "rules_text": ""}],
}


def test_a_decorated_type_field(engine_of: Callable[..., Any]) -> None:
    config = {
        **SMALL,
        "events": {"Click": {"user": "string", "_type": "string"}},
        "controller_text": f"{BY_USER} @DecorateEvent select 'Other' as _type, _type as was from Click;",
    }
    engine, output = engine_of(config)
    engine.process([b'{"user":"a"}'], 1_000)
    assert output.sent == [(1_000, {"user": "a", "_type": "Other", "was": "Click"})]


@pytest.mark.parametrize("clock", [Clock.EVENT_TIME, Clock.FIELD])
@pytest.mark.parametrize("max_active", ["0s", "24h"])
def test_the_last_of_all_times(engine_of: Callable[..., Any], clock: Clock, max_active: str) -> None:
    profile = {"name": "Visit", "type": 1, "gap": "10s", "max_active": max_active, "rules_text": ""}
    config = {
        "events": {"Click": {"user": "string", "at": "long"}},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;",
        "profiles": [{**profile, "end_marker": "End"}],
    }
    engine, output = engine_of(config, clock=clock, now_field="at" if clock is Clock.FIELD else None)
    for at in (-(2**63), 1_000, 2**63 - 1, 2**63 - 1, 5_000):
        engine.process([b'{"user":"a","at":%d}' % at])
    engine.drain()
    ends = [(now, fields["_snec"]) for now, fields in output.sent if "_snec" in fields]
    assert ends == [(12_000, 2), ((2**63 - 1 + 10_000) // 1000 * 1000 + 1000, 3)]


def test_two_event_times_in_one_event(engine_of: Callable[..., Any]) -> None:
    """The later one is the clock for both profiles, before either sees the event."""
    profile = {"type": 1, "gap": "10s", "rules_text": "@EndSession select 1 from Click;"}
    config = {
        "events": {"Click": {"user": "string", "a": "long", "b": "long"}},
        "controller_text": "@Session('A') select user as _pk_, a as _timestamp_ from Click;"
        "@Session('B') select user as _pk_, b as _timestamp_ from Click;",
        "profiles": [{**profile, "name": "A"}, {**profile, "name": "B", "type": 2}],
    }
    engine, output = engine_of(config, clock=Clock.EVENT_TIME)
    engine.process([b'{"user":"a","a":1000,"b":50000}'])
    assert engine.live_sessions == 0
    assert [now for now, _ in output.sent] == [50_000]
