"""Java's text of values; the expected texts are answers of a Java engine."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from epl.java import from_json, same, text_of, to_float32, to_json
from epl.types import BOOLEAN, DATE, DECIMAL, DOUBLE, FLOAT, INT, LONG, MAP, STRING, Type, array_of

DATE_VALUE = datetime(2024, 1, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        ("it's", STRING, "it's"),
        (7, INT, "7"),
        (-1700000000000, LONG, "-1700000000000"),
        (True, BOOLEAN, "true"),
        (False, None, "false"),
        (7, None, "7"),
        (7, DOUBLE, "7.0"),
        (2.5, DOUBLE, "2.5"),
        (36.0, DOUBLE, "36.0"),
        (100.0, None, "100.0"),
        (-0.0, DOUBLE, "-0.0"),
        (1e7, DOUBLE, "1.0E7"),
        (9999999.999, DOUBLE, "9999999.999"),
        (12345678.0, DOUBLE, "1.2345678E7"),
        (123456789.125, DOUBLE, "1.23456789125E8"),
        (0.001, DOUBLE, "0.001"),
        (0.00099, DOUBLE, "9.9E-4"),
        (0.0001, DOUBLE, "1.0E-4"),
        (1e21, DOUBLE, "1.0E21"),
        (1.7976931348623157e308, DOUBLE, "1.7976931348623157E308"),
        (5e-324, DOUBLE, "4.9E-324"),
        (0.1 + 0.2, DOUBLE, "0.30000000000000004"),
        (math.nan, DOUBLE, "NaN"),
        (-math.inf, DOUBLE, "-Infinity"),
        (to_float32(0.1), FLOAT, "0.1"),
        (to_float32(0.1), DOUBLE, "0.10000000149011612"),
        (1e7, FLOAT, "1.0E7"),
        (16777216.0, FLOAT, "1.6777216E7"),
        (to_float32(3.4028235e38), FLOAT, "3.4028235E38"),
        (to_float32(1.4e-45), FLOAT, "1.4E-45"),
        (to_float32(123456.789), FLOAT, "123456.79"),
        (math.inf, FLOAT, "Infinity"),
        (Decimal("1E+3"), DECIMAL, "1E+3"),
        (None, None, "null"),
        ([1, 2.5, None, "a"], None, "[1, 2.5, null, a]"),
        ([1, 2], array_of(DOUBLE), "[1.0, 2.0]"),
        ({"k": "v", "n": [True]}, MAP, "{k=v, n=[true]}"),
        (DATE_VALUE, DATE, "2024-01-31T08:00:00Z"),
        (DATE_VALUE.replace(tzinfo=None), DATE, "2024-01-31T08:00:00Z"),
        (DATE_VALUE.replace(microsecond=250000), DATE, "2024-01-31T08:00:00.250Z"),
        (DATE_VALUE.astimezone(timezone(timedelta(hours=2))), None, "2024-01-31T08:00:00Z"),
    ],
)
def test_text(value: object, type_: Type | None, text: str) -> None:
    assert text_of(value, type_) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"k2": "b", "k1": "ünï/\n"}, '{"k1":"ünï/\\n","k2":"b"}'),
        ({}, "{}"),
        ([1, 2.5, 1e7, True, None], "[1,2.5,1.0E7,true,null]"),
        ([math.nan, math.inf], "[null,null]"),
        ("a", '"a"'),
        (DATE_VALUE, '"2024-01-31T08:00:00Z"'),
    ],
)
def test_json(value: object, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize("text", ["", "nope", "[1]", "1", '{"a":NaN}', '{"a":}', "[" * 100_000])
def test_text_that_is_no_json_object_gives_null(text: str) -> None:
    assert from_json(text) is None


def test_json_comes_back() -> None:
    assert from_json('{"a": [1, 2.5, "x"], "b": null}') == {"a": [1, 2.5, "x"], "b": None}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        ("1", 1, False),
        (math.nan, math.nan, True),
        (0.0, -0.0, False),
        (2.5, 2.5, True),
        (True, True, True),
        ([1, "a"], [1, "a"], True),
        ([1], [1.0], False),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        (Decimal("2.0"), Decimal("2.00"), False),
        (DATE_VALUE, DATE_VALUE.replace(tzinfo=None), True),
        (None, None, True),
    ],
)
def test_equality_compares_type_and_value(a: object, b: object, expected: bool) -> None:
    assert same(a, b) is expected
