"""What a Python value is in the rule language, and when two values are equal as Java's `equals` says.

Python finds 1, 1.0 and True equal; Java does not. Lists of mixed JSON values must not mix them up.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from epl.java.arithmetic import RANGES
from epl.types import Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INT_LOW, _INT_HIGH = RANGES[Kind.INT]
_LONG_LOW, _LONG_HIGH = RANGES[Kind.LONG]


def kind_of(value: object) -> Kind:
    """The kind of a value that has no static type: an integer is an int, a long or a bigint by its size.

    OBJECT for a Python value that no event can hold.
    """
    match value:
        case str():
            return Kind.STRING
        case bool():
            return Kind.BOOLEAN
        case int():
            if _INT_LOW <= value <= _INT_HIGH:
                return Kind.INT
            return Kind.LONG if _LONG_LOW <= value <= _LONG_HIGH else Kind.BIGINT
        case float():
            return Kind.DOUBLE
        case None:
            return Kind.NULL
        case dict():
            return Kind.MAP
        case list() | tuple():
            return Kind.LIST
        case datetime():
            return Kind.DATE
        case Decimal():
            return Kind.DECIMAL
        case _:
            return Kind.OBJECT


def utc(value: datetime) -> datetime:
    """The same instant in UTC; a datetime without a zone is taken as UTC already."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def from_epoch_ms(value: int) -> datetime:
    """The instant of milliseconds since 1970. Raises OverflowError beyond the years 1 to 9999."""
    return EPOCH + value * _MILLISECOND


def epoch_ms(value: datetime) -> int:
    """Milliseconds since 1970 in UTC, rounded down; a datetime without a zone means UTC."""
    return (utc(value) - EPOCH) // _MILLISECOND


def same(a: object, b: object) -> bool:
    """Java's `a.equals(b)`: type and value, element by element in lists and maps.

    NaN equals itself and 0.0 is not -0.0 (as Double.equals); decimals differ by scale (as BigDecimal.equals).
    Integers have no width here, so an int equals a long of the same value.
    """
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is str or kind is int:
        return a == b
    match a, b:
        case (float(), float()):
            return math.copysign(1.0, a) == math.copysign(1.0, b) if a == b else a != a and b != b
        case (list(), list()):
            return len(a) == len(b) and all(map(same, a, b))
        case (dict(), dict()):
            return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
        case (datetime(), datetime()):
            return utc(a) == utc(b)
        case (Decimal(), Decimal()):
            return a.as_tuple() == b.as_tuple()
        case _:
            return a == b


def position(items: list[Any], value: object) -> int:
    """Index of the first item that equals `value` as Java does, or -1."""
    if type(value) is str:  # only a string equals a string in Python too, and list.index runs in C
        try:
            return items.index(value)
        except ValueError:
            return -1
    return next((index for index, item in enumerate(items) if same(item, value)), -1)
