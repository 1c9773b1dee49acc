"""Values on their way into a registered function and out of it.

What a function does to a list that it was given must not change a session, and what it returns must be what it was
declared to return: whatever reads the value later relies on its type.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from epl.errors import RuleError
from epl.java.arithmetic import RANGES
from epl.java.values import utc
from epl.types import Kind, Type

_PYTHON: dict[Kind, type | tuple[type, ...]] = {
    Kind.STRING: str,
    Kind.BOOLEAN: bool,
    Kind.DOUBLE: float,
    Kind.FLOAT: float,
    Kind.DECIMAL: Decimal,
    Kind.DATE: datetime,
    Kind.MAP: dict,
    Kind.LIST: (list, tuple),
}
_PLAIN = frozenset({str, int, float, bool, type(None), Decimal})


def own(value: Any) -> Any:
    """The value, or a copy of it all the way down where it could be changed; dates in UTC, as events have them.

    One of a class that is derived from those of the language (numpy.float64, an enum of strings) becomes one of the
    language's, so that state can be stored. Raises RuleError for a strange one.
    """
    if type(value) in _PLAIN:
        return value
    match value:
        case list() | tuple():
            return [own(item) for item in value]
        case dict():
            if not all(type(key) is str for key in value):
                raise RuleError("a map has keys that are no strings")
            return {key: own(item) for key, item in value.items()}
        case datetime():
            return _date(value)
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case Decimal():
            return Decimal(value)
    raise RuleError(f"{type(value).__name__} is no type of value that an event can hold")


def _date(value: datetime) -> datetime:
    try:
        there = utc(value)
    except OverflowError as error:
        raise RuleError("a date is beyond the years 1 to 9999") from error
    return datetime.combine(there.date(), there.time(), UTC)


def returned(value: Any, declared: Type) -> Any:
    """What a function returned, as the type that it declares. Raises RuleError when it is another."""
    if value is None or declared.kind is Kind.OBJECT:
        return own(value)
    if declared.kind in RANGES:
        low, high = RANGES[declared.kind]
        if type(value) is int and low <= value <= high:
            return value
    elif declared.kind in (Kind.DOUBLE, Kind.FLOAT) and type(value) is int:
        return float(value)
    elif isinstance(value, _PYTHON.get(declared.kind, ())):
        return own(value)
    raise RuleError(f"it returned {_shown(value)}, which is no {declared}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
