"""Methods of numbers, booleans and dates.

The methods of numbers belong to the owner `number`: every numeric type has them. Unlike `cast`, `intValue()` and its
kind never fail: they cut, wrap and saturate as Java's do.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from epl.java.arithmetic import compare, narrow, to_double, to_float32
from epl.java.text import float_text, text_of
from epl.java.values import epoch_ms, same
from epl.registry.model import Entry, Example, Form, Param, Pattern, Signature
from epl.types import BOOLEAN, DATE, DOUBLE, FLOAT, INT, LONG, STRING, Kind, Type

NUMBER_OWNER = "number"
"""The owner of the methods that every numeric type has."""

_VALUE = Param("value", Pattern.VALUE)
_MOMENT = Param("other", DATE)


def _text(value: object) -> str:
    return text_of(value, None)


def _float_value(value: Any) -> float:
    return to_float32(to_double(value))


def _before(date: datetime, other: datetime) -> bool:
    return epoch_ms(date) < epoch_ms(other)


def _after(date: datetime, other: datetime) -> bool:
    return epoch_ms(date) > epoch_ms(other)


def _method(owner: Type | str, name: str, summary: str, examples: tuple[Example, ...], signature: Signature) -> Entry:
    return Entry(name, Form.METHOD, (signature,), summary, examples, owner=owner)


NUMBERS: tuple[Entry, ...] = (
    _method(
        NUMBER_OWNER,
        "intValue",
        "The number as an int: a fraction is cut and what is too large saturates; a long keeps its low 32 bits.",
        (Example("(2.9).intValue()", 2), Example("(-2.9).intValue()", -2), Example("(1e10).intValue()", 2147483647)),
        Signature((), INT, partial(narrow, kind=Kind.INT), may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "longValue",
        "The number as a long: a fraction is cut and what is too large saturates.",
        (Example("(2.9).longValue()", 2), Example("(7).longValue()", 7)),
        Signature((), LONG, partial(narrow, kind=Kind.LONG), may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "doubleValue",
        "The number as a double.",
        (Example("(7).doubleValue()", 7.0),),
        Signature((), DOUBLE, to_double, may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "floatValue",
        "The number as a 32-bit float.",
        (Example("(2.5).floatValue()", 2.5),),
        Signature((), FLOAT, _float_value, may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "toString",
        "The number's text as Java writes it.",
        (Example("(7).toString()", "7"), Example("(100.0).toString()", "100.0"), Example("(1e7).toString()", "1.0E7")),
        Signature((), STRING, _text, may_be_null=False),
    ),
    _method(
        FLOAT,
        "toString",
        "The float's text as Java writes it, in the digits that 32 bits need.",
        (Example("(0.1f).toString()", "0.1"),),
        Signature((), STRING, float_text, may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "equals",
        "True when the value is a number of the same kind, integral or fractional, and of the same size.",
        (Example("(7).equals(7)", True), Example("(7).equals(7.0)", False)),
        Signature((_VALUE,), BOOLEAN, same, may_be_null=False),
    ),
    _method(
        NUMBER_OWNER,
        "compareTo",
        "-1, 0 or 1 as the number is below, equal to or above the other; NaN is above all.",
        (Example("(3).compareTo(9)", -1), Example("(2.5).compareTo(2.5)", 0)),
        Signature((Param("other", Pattern.NUMBER),), INT, compare, may_be_null=False),
    ),
)

BOOLEANS: tuple[Entry, ...] = (
    _method(
        BOOLEAN,
        "booleanValue",
        "The boolean itself.",
        (Example("(true).booleanValue()", True),),
        Signature((), BOOLEAN, bool, inline="{0}", may_be_null=False),
    ),
    _method(
        BOOLEAN,
        "toString",
        "`true` or `false`.",
        (Example("(1 > 2).toString()", "false"),),
        Signature((), STRING, _text, inline="('true' if {0} else 'false')", may_be_null=False),
    ),
    _method(
        BOOLEAN,
        "equals",
        "True when the value is the same boolean.",
        (Example("(true).equals(true)", True), Example("(true).equals('true')", False)),
        Signature((_VALUE,), BOOLEAN, same, may_be_null=False),
    ),
)

DATES: tuple[Entry, ...] = (
    _method(
        DATE,
        "getTime",
        "Milliseconds since 1970 in UTC, a long.",
        (Example("cast('1970-01-01T00:00:01Z', date).getTime()", 1000),),
        Signature((), LONG, epoch_ms, may_be_null=False),
    ),
    _method(
        DATE,
        "toMillisec",
        "Milliseconds since 1970 in UTC, a long: the same as getTime.",
        (Example("cast('1970-01-02', date).toMillisec()", 86400000),),
        Signature((), LONG, epoch_ms, may_be_null=False),
    ),
    _method(
        DATE,
        "before",
        "True when this date is earlier than the other, by whole milliseconds.",
        (Example("cast(0L, date).before(cast(1L, date))", True),),
        Signature((_MOMENT,), BOOLEAN, _before, may_be_null=False),
    ),
    _method(
        DATE,
        "after",
        "True when this date is later than the other, by whole milliseconds.",
        (Example("cast(0L, date).after(cast(1L, date))", False),),
        Signature((_MOMENT,), BOOLEAN, _after, may_be_null=False),
    ),
)
