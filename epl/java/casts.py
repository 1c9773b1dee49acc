"""`cast(x, T)`: one function for each pair of types, chosen when the rule is compiled.

A cast that can never work has no function, so that the checker can refuse it; a cast that fails for one value raises
RuleError, and the statement yields no row for that event.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from epl.errors import RuleError
from epl.java.arithmetic import RANGES, divide, remainder, to_float32
from epl.java.numerals import (
    parse_boolean,
    parse_char,
    parse_date,
    parse_decimal,
    parse_double,
    parse_float,
    parse_integer,
)
from epl.java.text import text_of
from epl.java.values import EPOCH, epoch_ms, kind_of
from epl.types import NULL, OBJECT, Kind, Type

__all__ = ["converter", "divide", "kind_of", "remainder", "to_float32"]

Convert = Callable[[Any], Any]

_FROM_STRING: dict[Kind, Convert] = {
    **{k: partial(parse_integer, kind=k) for k in (Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT)},
    Kind.FLOAT: parse_float,
    Kind.DOUBLE: parse_double,
    Kind.DECIMAL: parse_decimal,
    Kind.BOOLEAN: parse_boolean,
    Kind.CHAR: parse_char,
    Kind.DATE: parse_date,
}
_DYNAMIC_KINDS = (
    Kind.STRING,
    Kind.BOOLEAN,
    Kind.INT,
    Kind.LONG,
    Kind.BIGINT,
    Kind.DOUBLE,
    Kind.DECIMAL,
    Kind.DATE,
    Kind.MAP,
    Kind.LIST,
)


def converter(source: Type, target: Type) -> Convert | None:
    """The function that casts a value of `source`, never null, to `target`; None when no value can be cast.

    The function raises RuleError for a value that does not fit: a text that is no number, a number out of range. Casts
    from `object` are decided by each value. Arrays and lists of another element type are cast item by item.
    """
    if source in (target, NULL) or target == OBJECT:
        return _unchanged
    if source == OBJECT:
        return _by_value(target)
    if target.kind is Kind.STRING:
        return _to_string(source)
    if source.is_numeric:
        return _from_number(source, target)
    if source.kind in (Kind.STRING, Kind.CHAR):
        return _FROM_STRING.get(target.kind)
    if source.kind is Kind.DATE and target.kind is Kind.LONG:
        return epoch_ms
    if source.is_sequence and target.is_sequence:
        return _items(source.element, target.element)
    return None


def _unchanged(value: Any) -> Any:
    return value


def _to_string(source: Type) -> Convert | None:
    if source.kind is Kind.EVENT:
        return None
    if source.kind is Kind.CHAR:
        return _unchanged
    return str if source.is_integral else partial(text_of, type=source)


@lru_cache(maxsize=64)
def _by_value(target: Type) -> Convert:
    choices = {kind: converter(Type(kind), target) for kind in _DYNAMIC_KINDS}

    def convert(value: Any) -> Any:
        kind = kind_of(value)
        choice = choices.get(kind)
        if choice is None:
            raise RuleError(f"a value of type {kind.value} cannot be cast to {target}")
        return choice(value)

    return convert


def _from_number(source: Type, target: Type) -> Convert | None:
    kind = target.kind
    if kind is Kind.DATE:
        return _date if source.is_integral else None
    if not target.is_numeric:
        return None
    if kind is Kind.DECIMAL:
        return _decimal
    if kind is Kind.DOUBLE:
        return _double
    if kind is Kind.FLOAT:
        return _float
    if source.is_integral and source.rank < target.rank:
        return _unchanged
    return partial(_integral, kind=kind)


def _integral(value: Any, kind: Kind) -> int:
    try:
        number = int(value)
    except (ValueError, OverflowError):  # NaN, an infinity
        raise _out_of_range(value, kind) from None
    low, high = RANGES.get(kind, (number, number))
    if low <= number <= high:
        return number
    raise _out_of_range(value, kind)


def _double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise _out_of_range(value, Kind.DOUBLE) from None


def _float(value: Any) -> float:
    wide = _double(value)
    rounded = to_float32(wide)
    if math.isinf(rounded) and not math.isinf(wide):
        raise _out_of_range(value, Kind.FLOAT)
    return rounded


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, float):
        return Decimal(value)
    if not math.isfinite(value):
        raise _out_of_range(value, Kind.DECIMAL)
    return Decimal(text_of(value, None))  # by its digits, as BigDecimal.valueOf


def _date(value: int) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        raise _out_of_range(value, Kind.DATE) from None


def _items(source: Type | None, target: Type | None) -> Convert | None:
    if target is None or source == target:
        return _unchanged
    convert = converter(source or OBJECT, target)
    if convert is None:
        return None
    return lambda items: [None if item is None else convert(item) for item in items]


def _out_of_range(value: Any, kind: Kind) -> RuleError:
    return RuleError(f"{text_of(value, None)} is out of the range of {kind.value}")
