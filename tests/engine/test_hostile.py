"""Nothing an event contains can stop the stream or lose a session (engine.md §7 in the design)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Clock, Engine
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


def test_a_failing_rule_is_logged_once(engine_of: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """The first occurrence, with its event; all are counted."""
    rules = (
        "@Name('number') @DecorateEvent select cast(user, int) as x from Click;"
        "@Name('rest') @DecorateEvent select 5 % g as y from Click;"
    )
    engine, _ = engine_of(
        {
            "events": {"Click": {"user": "string", "g": "int"}},
            "controller_text": "@Session('Visit') select 'a' as _pk_ from Click;",
            "profiles": [{"name": "Visit", "type": 1, "rules_text": rules}],
        }
    )
    lines = [b'{"user":"7","g":0}', b'{"user":"8","g":0}', b'{"user":"x","g":1}', b'{"user":"y","g":1}']
    engine.process(lines, 1_000)
    assert engine.counters.rule_errors == {("number", "RuleError"): 2, ("rest", "RuleError"): 2}
    logged = sorted(record.getMessage() for record in caplog.records)
    assert [line.partition(" gave no row")[0] for line in logged] == ["rule number", "rule rest"]
    assert ["user='x'" in logged[0], "user='7'" in logged[1]] == [True, True]


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
    last_tick_ms = (2**63 - 1 + 10_000) // 1000 * 1000 + 1000
    assert ends == [((-(2**63) + 10_000) // 1000 * 1000 + 1000, 1), (12_000, 1), (last_tick_ms, 3)]


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


# ---- every kind of bad input, by name: what becomes of the line, beside a tenant and a key that must not notice


def clicked(fields: bytes, user: bytes = b'"a"') -> bytes:
    return b'{"user":' + user + b"," + fields + b"}"


LONG_NUMBER = b"9" * 5_000  # Python reads whole numbers of up to 4,300 digits
DEEP = b"[" * 100_000 + b"]" * 100_000
TEN_MB = b"x" * 10_000_000
PASSED: dict[str, tuple[bytes, str]] = {
    # The key of the session that it is counted in; None: it goes on without one.
    "a number as the key's text": (clicked(b'"s":"1"', b'"7"'), "7"),
    "empty key": (clicked(b'"s":"1"', b'""'), ""),
    "4,000 digits": (clicked(b'"g":' + b"9" * 4_000), "a"),
    "5,000 digits that nobody reads": (clicked(b'"unread":' + LONG_NUMBER), "a"),
    "1e999 that nobody reads": (clicked(b'"unread":1e999'), "a"),
    "10 MB": (clicked(b'"s":"' + TEN_MB + b'"'), "a"),
    "10 MB that nobody reads": (clicked(b'"unread":"' + TEN_MB + b'"'), "a"),
    "10 MB as the key": (clicked(b'"l":1', b'"' + TEN_MB + b'"'), TEN_MB.decode()),
    "invalid UTF-8 that nobody reads": (clicked(b'"unread":"\xff"'), "a"),
    "invalid UTF-8 as a name": (clicked(b'"\xff":1'), "a"),
    "a field twice": (clicked(b'"s":"1","s":"2"'), "a"),
    "the key twice": (clicked(b'"user":"b"'), "b"),
    "time 0": (clicked(b'"l":0'), "a"),
    "time below 0": (clicked(b'"l":-1'), "a"),
    "year 3000": (clicked(b'"l":32503680000000'), "a"),
    "the least long": (clicked(b'"l":-9223372036854775808'), "a"),
    "date of year 3000": (clicked(b'"d":32503680000000'), "a"),
    "date without a zone": (clicked(b'"d":"2024-05-01T00:00:00"'), "a"),
    "text that looks like a date": (clicked(b'"s":"2024-05-01T00:00:00Z","o":"2024-05-01"'), "a"),
    "a surrogate pair": (clicked(b'"s":"\\ud83d\\ude00"'), "a"),
    "a NUL": (clicked(b'"s":"a\\u0000b"'), "a"),
    "CRLF": (clicked(b'"s":"1"') + b"\r", "a"),
    "blanks around": (b" \t" + clicked(b'"s":"1"') + b"  ", "a"),
}
BYPASSED = {
    "no key": b'{"s":"1"}',
    "null key": b'{"user":null}',
    "no fields": b"{}",
    "an unknown type": b'{"_type":"Other","user":7}',
    "two types, the first unknown": b'{"_type":"Other","user":"a"}',
}
REFUSED = {
    "text for a number": (clicked(b'"l":"7"'), "bad_type"),
    "number for a text": (clicked(b'"s":7'), "bad_type"),
    "truth for a number": (clicked(b'"l":true'), "bad_type"),
    "decimal for a long": (clicked(b'"l":1.5'), "bad_type"),
    "list for a map": (clicked(b'"p":[]'), "bad_type"),
    "number as the key": (clicked(b'"s":"1"', b"7"), "bad_type"),
    "list as the key": (clicked(b'"s":"1"', b'["a"]'), "bad_type"),
    "the key twice, once of another type": (b'{"user":7,"user":"a"}', "bad_type"),
    "a list": (b"[1]", "bad_type"),
    "a text": (b'"a"', "bad_type"),
    "null": (b"null", "bad_type"),
    "a number as the type": (b'{"_type":7,"user":"a"}', "bad_type"),
    "null as the type": (b'{"_type":null,"user":"a"}', "bad_type"),
    "beyond an int": (clicked(b'"i":2147483648'), "bad_type"),
    "beyond 64 bits": (clicked(b'"l":9223372036854775808'), "bad_type"),
    "below 64 bits": (clicked(b'"l":-9223372036854775809'), "bad_type"),
    "5,000 digits": (clicked(b'"g":' + LONG_NUMBER), "bad_type"),
    "5,000 digits anywhere": (clicked(b'"o":[' + LONG_NUMBER + b"]"), "bad_type"),
    "5,000 digits for a double": (clicked(b'"x":' + LONG_NUMBER), "bad_type"),
    "1e999": (clicked(b'"x":1e999'), "bad_type"),
    "NaN": (clicked(b'"x":NaN'), "bad_json"),
    "Infinity": (clicked(b'"x":Infinity'), "bad_json"),
    "-Infinity that nobody reads": (clicked(b'"unread":-Infinity'), "bad_json"),
    "invalid UTF-8": (clicked(b'"s":"\xff"'), "bad_json"),
    "overlong UTF-8": (clicked(b'"s":"\xc0\x80"'), "bad_json"),
    "a surrogate in UTF-8": (clicked(b'"s":"\xed\xa0\x80"'), "bad_json"),
    "invalid UTF-8 as the key": (clicked(b'"s":"1"', b'"\xff"'), "bad_json"),
    "half a surrogate pair": (clicked(b'"s":"\\ud800"'), "bad_json"),
    "half a surrogate pair that nobody reads": (clicked(b'"unread":"\\ud800"'), "bad_json"),
    "half a surrogate pair as the key": (clicked(b'"s":"1"', b'"\\ud800"'), "bad_json"),
    "deep nesting": (clicked(b'"o":' + DEEP), "bad_json"),
    "deep nesting that nobody reads": (clicked(b'"unread":' + DEEP), "bad_json"),
    "nothing but brackets": (DEEP, "bad_type"),
    "a date as a time": (clicked(b'"l":"2024-05-01T00:00:00Z"'), "bad_type"),
    "a day as a date": (clicked(b'"d":"2024-05-01"'), "bad_type"),
    "a date of no calendar": (clicked(b'"d":"2024-13-01T00:00:00Z"'), "bad_type"),
    "a date beyond 64 bits": (clicked(b'"d":9223372036854775808'), "bad_type"),
    "a date that its zone takes too far": (clicked(b'"d":"0001-01-01T00:00:00+14:00"'), "bad_type"),
    "a BOM": (b"\xef\xbb\xbf" + clicked(b'"s":"1"'), "bad_json"),
    "UTF-16": ('{"user":"a"}'.encode("utf-16"), "bad_json"),
    "two on a line": (clicked(b'"s":"1"') * 2, "bad_json"),
    "a comma at the end": (b'{"user":"a",}', "bad_json"),
    "half a line": (b'{"user":"a"', "bad_json"),
    "a bare control character": (clicked(b'"s":"\x01"'), "bad_json"),
    "single quotes": (b"{'user':'a'}", "bad_json"),
    "a NUL alone": (b"\0", "bad_json"),
    "an unknown type and invalid UTF-8": (b'{"_type":"Other","s":"\xff"}', "bad_type"),
    "an unknown type and deep nesting": (b'{"_type":"Other","s":' + DEEP + b"}", "bad_type"),
}
SKIPPED = {"nothing": b"", "blanks": b" \t", "a carriage return": b"\r"}
READS_ALL = {
    **CONFIG,
    "controller_text": "@Session('Visit') select user as _pk_, l as _timestamp_ from Click;",
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "10s",
            "end_marker": "Finish",
            "rules_text": "@UpdateState select s, i, l, x, g, d, p, o from Click; "
            "@DecorateEvent select session.eventCount as events from Click;",
        }
    ],
}


class Lines:
    """An output that keeps lines as they came, since not all of them can be read."""

    wants_events = True

    def __init__(self) -> None:
        self.events: list[tuple[bytes, Any]] = []
        self.ends: list[tuple[str, int]] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        self.events.append((raw, decorations))

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        raise AssertionError("no begin marker is configured")

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        self.ends.append((fields["_snid"][:-16], fields["_snec"]))
        return True


CALM = b'{"user":"calm","s":"1"}'


def run_beside(compile_text: Callable[..., Any], line: bytes, clock: Clock) -> tuple[Lines, list[Refused], Engine]:
    """The line between events of a key and of a tenant that must not notice it; all lines go in one batch."""
    rules = compile_text(READS_ALL)
    output, other = Lines(), Lines()
    engine, neighbour = Engine(rules, output, clock=clock), Engine(rules, other, clock=clock)
    now_ms = 1_000 if clock is Clock.DRIVER else None
    refused: list[Refused] = []
    neighbour.process([CALM], now_ms)
    engine.process([CALM, line, CALM], now_ms, first_line=5, refuse=refused.append)
    neighbour.process([CALM], now_ms)
    assert [raw for raw, _ in output.events].count(CALM) == 2
    assert [decorations for raw, decorations in output.events if raw is CALM] == [{"events": 1}, {"events": 2}]
    for each in (engine, neighbour):
        each.drain()
        assert each.live_sessions == 0
    assert other.ends == [("calm", 2)]
    assert output.ends.count(("calm", 2)) == 1
    output.ends.remove(("calm", 2))
    output.events = [(raw, decorations) for raw, decorations in output.events if raw is not CALM]
    return output, refused, engine


@pytest.mark.parametrize("name", PASSED)
def test_passes(compile_text: Callable[..., Any], name: str) -> None:
    """It is an event like any other, and leaves with the bytes that it came with."""
    line, key = PASSED[name]
    output, refused, engine = run_beside(compile_text, line, Clock.DRIVER)
    assert output.events == [(line, {"events": 1})]
    assert output.ends == [(key, 1)]
    assert refused == []
    assert engine.counters.outcomes == {"ok": 3}


@pytest.mark.parametrize("name", BYPASSED)
def test_goes_on_without_a_session(compile_text: Callable[..., Any], name: str) -> None:
    output, refused, engine = run_beside(compile_text, BYPASSED[name], Clock.DRIVER)
    assert output.events == [(BYPASSED[name], None)]
    assert (output.ends, refused) == ([], [])
    assert engine.counters.outcomes["bypassed"] + engine.counters.outcomes["unknown_type"] == 1


@pytest.mark.parametrize("clock", [Clock.DRIVER, Clock.EVENT_TIME])
@pytest.mark.parametrize("name", REFUSED)
def test_is_a_dead_letter(compile_text: Callable[..., Any], name: str, clock: Clock) -> None:
    """With all its bytes, the number of its line, a code and a reason in words; no session knows of it."""
    line, code = REFUSED[name]
    output, (refused,), _ = run_beside(compile_text, line, clock)
    assert (output.events, output.ends) == ([], [])
    assert (refused.line, refused.code, refused.raw) == (6, code, line)
    assert refused.reason
    assert "Traceback" not in refused.reason


@pytest.mark.parametrize("name", SKIPPED)
def test_is_no_line(compile_text: Callable[..., Any], name: str) -> None:
    output, refused, engine = run_beside(compile_text, SKIPPED[name], Clock.DRIVER)
    assert (output.events, output.ends, refused) == ([], [], [])
    assert engine.counters.outcomes == {"ok": 2}


@pytest.mark.parametrize("depth", [400, 900])
def test_a_nested_decoration(engine_of: Callable[..., Any], depth: int) -> None:
    """A list that can be read can be written as text, however deep it is."""
    config = {
        **SMALL,
        "events": {"Click": {"user": "string", "o": "object"}},
        "profiles": [{**SMALL["profiles"][0], "rules_text": "@DecorateEvent select o as copy from Click;"}],
    }
    engine, output = engine_of(config)
    line = b'{"user":"a","o":' + b"[" * depth + b"]" * depth + b"}"
    engine.process([line, b'{"user":"b"}'], 1_000)
    assert [event.get("copy") for _, event in output.sent] == ["[" * (depth - 1) + "]" * (depth - 1), None]
    assert engine.counters.rule_errors.total() == 0
