"""Casts, and the arithmetic that is Java's and not Python's."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from epl.java import arithmetic
from epl.java.casts import converter, divide, kind_of, remainder, to_float32
from epl.registry import RuleError
from epl.types import (
    BIGINT,
    BOOLEAN,
    BYTE,
    CHAR,
    DATE,
    DECIMAL,
    DOUBLE,
    EVENT,
    FLOAT,
    INT,
    LIST,
    LONG,
    MAP,
    NULL,
    OBJECT,
    SHORT,
    STRING,
    Kind,
    Type,
    array_of,
    list_of,
)

SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def identical(a: Any, b: Any) -> bool:
    """Equal in type and value, NaN and the sign of zero included."""
    return type(a) is type(b) and (a == b or a != a) and repr(a) == repr(b)


@pytest.mark.parametrize(
    ("source", "target", "value", "result"),
    [
        (STRING, STRING, "a", "a"),
        (INT, STRING, 7, "7"),
        (DOUBLE, STRING, 1e7, "1.0E7"),
        (FLOAT, STRING, to_float32(0.1), "0.1"),
        (BOOLEAN, STRING, True, "true"),
        (CHAR, STRING, "c", "c"),
        (DATE, STRING, SECOND, "1970-01-01T00:00:01Z"),
        (MAP, STRING, {"a": 1}, "{a=1}"),
        (STRING, INT, "12", 12),
        (STRING, INT, "+1", 1),
        (STRING, INT, "-2147483648", -2147483648),
        (STRING, INT, "٣", 3),
        (STRING, LONG, "2147483648", 2147483648),
        (STRING, SHORT, "-32768", -32768),
        (STRING, BIGINT, "1" * 30, int("1" * 30)),
        (STRING, DOUBLE, "1.5", 1.5),
        (STRING, DOUBLE, " 1.5\t", 1.5),
        (STRING, DOUBLE, "\x011", 1.0),
        (STRING, DOUBLE, "1d", 1.0),
        (STRING, DOUBLE, "1F", 1.0),
        (STRING, DOUBLE, "1e3", 1000.0),
        (STRING, DOUBLE, ".5", 0.5),
        (STRING, DOUBLE, "5.", 5.0),
        (STRING, DOUBLE, "1e400", math.inf),
        (STRING, DOUBLE, "0x1p3", 8.0),
        (STRING, DOUBLE, "0x1.8p1d", 3.0),
        (STRING, DOUBLE, "-0x1p9999", -math.inf),
        (STRING, DOUBLE, "NaN", math.nan),
        (STRING, DOUBLE, "-Infinity", -math.inf),
        (STRING, FLOAT, "0.1", to_float32(0.1)),
        (STRING, DECIMAL, "1.50", Decimal("1.50")),
        (STRING, BOOLEAN, "TRUE", True),
        (STRING, BOOLEAN, "yes", False),
        (STRING, CHAR, "abc", "a"),
        (STRING, DATE, "1970-01-01T00:00:01Z", SECOND),
        (STRING, DATE, "1970-01-01T01:00:01+01:00", SECOND),
        (STRING, DATE, "1970-01-01 00:00:01", SECOND),
        (INT, LONG, 7, 7),
        (INT, DOUBLE, 7, 7.0),
        (LONG, INT, 7, 7),
        (DOUBLE, INT, 2.9, 2),
        (DOUBLE, INT, -2.9, -2),
        (DOUBLE, LONG, 1e10, 10000000000),
        (DOUBLE, FLOAT, 0.1, to_float32(0.1)),
        (DOUBLE, FLOAT, math.inf, math.inf),
        (FLOAT, DOUBLE, 2.5, 2.5),
        (DOUBLE, DECIMAL, 2.5, Decimal("2.5")),
        (DECIMAL, INT, Decimal("2.9"), 2),
        (INT, DECIMAL, 7, Decimal(7)),
        (LONG, DATE, 1000, SECOND),
        (DATE, LONG, SECOND, 1000),
        (DATE, LONG, datetime(1970, 1, 1, 0, 0, 1), 1000),
        (array_of(INT), array_of(STRING), [1, None], ["1", None]),
        (LIST, array_of(INT), [1, "2", 3.9], [1, 2, 3]),
        (array_of(INT), LIST, [1], [1]),
        (array_of(INT), STRING, [1, 2], "[1, 2]"),
        (INT, OBJECT, 7, 7),
        (OBJECT, STRING, "v1", "v1"),
        (OBJECT, STRING, 2.5, "2.5"),
        (OBJECT, STRING, [1], "[1]"),
        (OBJECT, INT, "12", 12),
        (OBJECT, INT, 2.9, 2),
        (OBJECT, LONG, 5, 5),
        (OBJECT, DOUBLE, 5, 5.0),
        (OBJECT, BOOLEAN, True, True),
        (OBJECT, MAP, {"a": 1}, {"a": 1}),
        (OBJECT, DATE, 1000, SECOND),
        (OBJECT, list_of(INT), [1, 2.0], [1, 2]),
    ],
)
def test_cast(source: Type, target: Type, value: Any, result: Any) -> None:
    convert = converter(source, target)
    assert convert is not None
    assert identical(convert(value), result)


@pytest.mark.parametrize(
    ("source", "target", "value", "message"),
    [
        (STRING, INT, "abc", '"abc" cannot be read as int'),
        (STRING, INT, "", '"" cannot be read as int'),
        (STRING, INT, " 1", '" 1" cannot be read as int'),
        (STRING, INT, "1_0", '"1_0" cannot be read as int'),
        (STRING, INT, "1.0", '"1.0" cannot be read as int'),
        (STRING, INT, "2147483648", '"2147483648" cannot be read as int'),
        (STRING, LONG, "1L", '"1L" cannot be read as long'),
        (STRING, BIGINT, "9" * 5000, f'"{"9" * 40}…" cannot be read as bigint'),
        (STRING, DOUBLE, "inf", '"inf" cannot be read as double'),
        (STRING, DOUBLE, "1_0", '"1_0" cannot be read as double'),
        (STRING, DOUBLE, "NaNd", '"NaNd" cannot be read as double'),
        (STRING, DOUBLE, ".", '"." cannot be read as double'),
        (STRING, DOUBLE, "1 d", '"1 d" cannot be read as double'),
        (STRING, DOUBLE, "0x1", '"0x1" cannot be read as double'),
        (STRING, DOUBLE, "\xa01", '"\xa01" cannot be read as double'),
        (STRING, DECIMAL, "NaN", '"NaN" cannot be read as decimal'),
        (STRING, CHAR, "", '"" cannot be read as char'),
        (STRING, DATE, "yesterday", '"yesterday" cannot be read as date'),
        (STRING, DATE, "2024-02-30", '"2024-02-30" cannot be read as date'),
        (LONG, INT, 2147483648, "2147483648 is out of the range of int"),
        (INT, BYTE, 128, "128 is out of the range of byte"),
        (DOUBLE, INT, 1e10, "1.0E10 is out of the range of int"),
        (DOUBLE, LONG, math.nan, "NaN is out of the range of long"),
        (DOUBLE, BIGINT, math.inf, "Infinity is out of the range of bigint"),
        (DOUBLE, FLOAT, 1e300, "1.0E300 is out of the range of float"),
        (DOUBLE, DECIMAL, math.nan, "NaN is out of the range of decimal"),
        (LONG, DATE, 1 << 62, "4611686018427387904 is out of the range of date"),
        (OBJECT, INT, True, "a value of type boolean cannot be cast to int"),
        (OBJECT, MAP, "a", "a value of type string cannot be cast to map"),
        (OBJECT, INT, "x", '"x" cannot be read as int'),
    ],
)
def test_cast_that_fails_for_a_value(source: Type, target: Type, value: Any, message: str) -> None:
    convert = converter(source, target)
    assert convert is not None
    with pytest.raises(RuleError) as caught:
        convert(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (BOOLEAN, INT),
        (INT, BOOLEAN),
        (BOOLEAN, DOUBLE),
        (DOUBLE, DATE),
        (DATE, INT),
        (DATE, BOOLEAN),
        (MAP, INT),
        (MAP, LIST),
        (STRING, MAP),
        (STRING, array_of(STRING)),
        (INT, CHAR),
        (EVENT, STRING),
        (array_of(BOOLEAN), array_of(INT)),
    ],
)
def test_cast_that_never_works(source: Type, target: Type) -> None:
    assert converter(source, target) is None


def test_null_casts_to_everything() -> None:
    assert converter(NULL, INT) is not None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, Kind.BOOLEAN),
        (1, Kind.INT),
        (2**31, Kind.LONG),
        (-(2**63) - 1, Kind.BIGINT),
        (1.0, Kind.DOUBLE),
        ("a", Kind.STRING),
        (SECOND, Kind.DATE),
        ([], Kind.LIST),
        ({}, Kind.MAP),
        (Decimal(1), Kind.DECIMAL),
        (None, Kind.NULL),
        (object(), Kind.OBJECT),
    ],
)
def test_kind(value: object, kind: Kind) -> None:
    assert kind_of(value) is kind


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        (7, 2, 3.5),
        (6, 2, 3.0),
        (1, 0, math.inf),
        (-1, 0, -math.inf),
        (0, 0, math.nan),
        (1.0, -0.0, -math.inf),
        (-1.0, -0.0, math.inf),
        (math.nan, 0, math.nan),
        (Decimal(1), Decimal(4), 0.25),
        (10**400, 2, math.inf),
    ],
)
def test_divide(a: Any, b: Any, result: float) -> None:
    assert identical(divide(a, b), result)


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        (7, 3, 1),
        (-7, 3, -1),
        (7, -3, 1),
        (5.0, -3, 2.0),
        (-5.5, 2, -1.5),
        (-4.0, 2, -0.0),
        (5.0, 0, math.nan),
        (5, 0.0, math.nan),
        (5.0, math.inf, 5.0),
        (math.inf, 2, math.nan),
        (Decimal("-7.5"), 2, Decimal("-1.5")),
        (7.5, Decimal(2), Decimal("1.5")),
    ],
)
def test_remainder(a: Any, b: Any, result: Any) -> None:
    assert identical(remainder(a, b), result)


@pytest.mark.parametrize("zero", [0, Decimal(0)])
def test_remainder_by_zero(zero: Any) -> None:
    with pytest.raises(RuleError, match="division by zero: 5 % 0"):
        remainder(5, zero)


@pytest.mark.parametrize(
    ("x", "result"), [(0.1, 0.10000000149011612), (16777217.0, 16777216.0), (1e300, math.inf), (-1e300, -math.inf)]
)
def test_float32(x: float, result: float) -> None:
    assert to_float32(x) == result


@pytest.mark.parametrize(
    ("base", "exponent", "result"),
    [
        (2, 10, 1024.0),
        (0, -1, math.inf),
        (-0.0, -1, -math.inf),
        (-0.0, -2, math.inf),
        (-8, 1 / 3, math.nan),
        (1, math.nan, math.nan),
        (-1, math.inf, math.nan),
        (math.nan, 0, 1.0),
        (-2, 1025, -math.inf),
        (-2, 1026, math.inf),
    ],
)
def test_power(base: float, exponent: float, result: float) -> None:
    assert identical(arithmetic.power(base, exponent), result)


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        (1, 2, -1),
        (2.5, 2, 1),
        (3, 3, 0),
        (0.0, -0.0, 1),
        (-0.0, 0.0, -1),
        (math.nan, math.inf, 1),
        (1, math.nan, -1),
        (math.nan, math.nan, 0),
    ],
)
def test_compare(a: Any, b: Any, order: int) -> None:
    assert arithmetic.compare(a, b) == order


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        (1e10, Kind.INT, 2147483647),
        (-1e30, Kind.LONG, -(2**63)),
        (math.nan, Kind.INT, 0),
        (-math.inf, Kind.INT, -2147483648),
        (2**32 + 5, Kind.INT, 5),
        (2**31, Kind.INT, -(2**31)),
    ],
)
def test_narrowing_wraps_integers_and_saturates_fractions(value: Any, kind: Kind, result: int) -> None:
    assert arithmetic.narrow(value, kind) == result


@pytest.mark.parametrize(
    ("x", "result"),
    [(2.5, 3), (-2.5, -2), (0.49999999999999994, 0), (4503599627370497.0, 4503599627370497), (math.nan, 0)],
)
def test_round(x: float, result: int) -> None:
    assert arithmetic.half_up(x, Kind.LONG) == result


def test_round_saturates() -> None:
    assert arithmetic.half_up(1e300, Kind.LONG) == 2**63 - 1
    assert arithmetic.half_up(-1e300, Kind.INT) == -(2**31)
