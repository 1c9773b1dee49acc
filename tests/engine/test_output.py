"""Splicing: a decorated line is what decoding, merging and encoding would give, for whatever an event may hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.output import LineOutput, decorated, to_json

NAMES = st.sampled_from(["a", "b", "a/b", 'a"b', "a\\b", "é", "a\nb", "", " "]) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
EVENTS = st.dictionaries(NAMES, VALUES, max_size=5)
DECORATIONS = st.dictionaries(NAMES, VALUES | st.floats() | st.integers(-(10**60), 10**60), min_size=1, max_size=3)


SPELLINGS: list[Callable[[Any], str]] = [
    json.dumps,
    lambda event: json.dumps(event, ensure_ascii=False, separators=(",", ":")),
    lambda event: f" \t{json.dumps(event, separators=(' , ', ' : '))} \r",
    lambda event: json.dumps(event, ensure_ascii=False).replace("/", "\\/"),
]


def pairs_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, with the check that no name stands in it twice."""
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(EVENTS, DECORATIONS, st.sampled_from(SPELLINGS))
@example({}, {"a": 1}, lambda event: " { } ")
@example({"a/b": 1}, {"a/b": 2}, SPELLINGS[3])
@example({"x": "a"}, {"a": 1}, SPELLINGS[1])
@example({"a": 1}, {"a": 10**60, "b": math.nan}, SPELLINGS[0])
def test_as_decoding_merging_and_encoding(
    event: dict[str, Any], decorations: dict[str, Any], spell: Callable[[Any], str]
) -> None:
    raw = spell(event).encode()
    merged = {**event, **{name: finite(value) for name, value in decorations.items()}}
    line = decorated(raw, decorations)
    assert json.loads(line, object_pairs_hook=pairs_once) == merged
    assert b"\n" not in line


@given(EVENTS, st.sampled_from(SPELLINGS))
def test_what_is_there_stays_as_it_came(event: dict[str, Any], spell: Callable[[Any], str]) -> None:
    raw = spell(event).encode()
    if b"\\u" not in raw:
        assert decorated(raw, {"a name of its own": 1}).startswith(raw.strip()[:-1].rstrip() if event else b"{")


@pytest.mark.parametrize("unread", [b'"\xff"', b"1e999", b"[" * 50_000 + b"]" * 50_000, b"9" * 5000])
def test_fields_that_nobody_decodes_may_hold_anything(unread: bytes) -> None:
    raw = b'{"unread":' + unread + b',"a":1}'
    assert decorated(raw, {"b": 2}) == raw[:-1] + b',"b":2}'
    assert decorated(raw, {"a": 2}) == raw[:-1] + b',"a":2}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, b"null"),
        ([math.inf, {"x": -math.inf}], b'[null,{"x":null}]'),
        (10**30, b"1" + b"0" * 30),
        ([10**5000, math.nan, 2**14_000], b"[null,null,null]"),
        (["\ud800", math.nan], b'["\\ud800",null]'),
        (datetime(2024, 5, 1, tzinfo=UTC), b'"2024-05-01T00:00:00Z"'),
        ([datetime(2024, 5, 1, tzinfo=UTC), "\ud800"], b'["2024-05-01T00:00:00Z","\\ud800"]'),
    ],
)
def test_values_that_json_cannot_hold(value: object, text: bytes) -> None:
    assert to_json({"v": value}) == b'{"v":' + text + b"}"


def test_lines_are_handed_over_once() -> None:
    output = LineOutput()
    output.event(b'{"n":1}', None, 0)
    output.event(b'{"n":2}', {"m": 3}, 0)
    assert output.take() == [b'{"n":1}', b'{"n":2,"m":3}']
    assert output.take() == []
