"""Functions that generated code calls: null logic over several values, dynamic kinds, lists and maps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from epl.java.text import text_of
from epl.java.values import kind_of
from epl.types import JAVA_SHORT_NAMES, Kind, Type

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def same(left: Any, right: Any) -> bool:
    """Equality by value of what came from JSON: a boolean never equals a number. Null-safe."""
    return bool(left == right) and (type(left) is bool) == (type(right) is bool)


def spread(array: Sequence[Any] | None) -> Sequence[Any]:
    """The elements of an array among options; a null array counts as one null element."""
    return (None,) if array is None else array


def contained(value: Any, options: Sequence[Any], equal: Callable[[Any, Any], bool] | None = None) -> bool | None:
    """`value in options`: null when value is null, or without a hit but with a null among the options."""
    if value is None:
        return None
    found = value in options if equal is None else any(equal(value, option) for option in options)
    return True if found else None if None in options else False


def quantified(symbol: str, every: bool, left: Any, options: Iterable[Any], by_kind: bool = False) -> bool | None:
    """`left symbol any|all (options)` in three values."""
    if left is None:
        return None
    compare = _OPERATORS[symbol]
    unknown = False
    for option in options:
        if option is None:
            unknown = True
            continue
        answer = same(left, option) is (symbol == "=") if by_kind else compare(left, option)
        if answer is not every:
            return answer
    return None if unknown else every


def in_range(value: Any, low: Any, high: Any, low_included: bool, high_included: bool, negated: bool) -> bool:
    """`between` and ranges: a null value is false either way, a null bound makes the range miss."""
    if value is None:
        return False
    if low is None or high is None:
        return negated
    if low > high:
        low, high = high, low
    above = value >= low if low_included else value > low
    below = value <= high if high_included else value < high
    return (above and below) is not negated


def element_at(array: Sequence[Any] | None, index: int | None) -> Any:
    """`array[index]`, null past either end."""
    if array is None or index is None or not 0 <= index < len(array):
        return None
    return array[index]


def type_name(value: Any) -> str | None:
    """`typeof` of a value whose type shows at run time only."""
    return None if value is None else JAVA_SHORT_NAMES[kind_of(value)]


def of_kind(value: Any, kind: Kind) -> Any:
    """The value of an attribute of unknown type, if it is of the getter's kind."""
    return value if value is not None and kind_of(value) is kind else None


def kind_name(value: Any) -> str | None:
    """The kind of a value, as stored beside it."""
    return None if value is None else kind_of(value).value


def has_item(items: Any, item: Any) -> bool:
    """`contains` by type and value, as Java's equals: 1 is neither 1.0 nor true."""
    if item is None or type(items) is not list:
        return False
    kind = type(item)
    return any(type(other) is kind and other == item for other in items)


def joined(items: Sequence[Any] | None, element: Type | None) -> str | None:
    """A list as a decoration shows it: its elements' text joined by `,`; an empty one is no decoration."""
    if not items:
        return None
    return ",".join("null" if item is None else text_of(item, element) for item in items)


def decorate_list(decorations: dict[str, Any], name: str, items: Sequence[Any] | None, element: Type | None) -> None:
    """A list as a decoration."""
    text = joined(items, element)
    if text is not None:
        decorations[name] = text


def debug_text(value: Any) -> str:
    """The value of a column in the name of a debug counter."""
    return "null" if value is None else text_of(value, None)


def spread_into(decorations: dict[str, Any], values: Mapping[str, Any] | None) -> None:
    """A map as a decoration: its keys are the names, its nulls are skipped."""
    if values:
        for name, value in values.items():
            if value is not None:
                decorations[name] = value


def decorate(decorations: dict[str, Any], name: str, value: Any) -> None:
    """A decoration whose type shows at run time only."""
    if isinstance(value, dict):
        spread_into(decorations, value)
    elif isinstance(value, list):
        decorate_list(decorations, name, value, None)
    elif value is not None:
        decorations[name] = value


def copied(items: list[Any] | None) -> list[Any] | None:
    """A list as it is now: appending changes the one in the session."""
    return None if items is None else items[:]


def present(session: Any, slots: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The attributes of a session that are there, as a map; a snapshot."""
    values = ((name, getattr(session, attribute)) for name, attribute in slots)
    return {name: value[:] if type(value) is list else value for name, value in values if value is not None}


def picked(session: Any, slots: Mapping[str, str], names: Iterable[Any]) -> dict[str, Any]:
    """Those of the named attributes that are there."""
    return present(session, ((name, slots[name]) for name in names if type(name) is str and name in slots))


def attribute(session: Any, slots: Mapping[str, str], name: Any) -> Any:
    """The attribute of a computed name, or null."""
    slot = slots.get(name)
    return None if slot is None else getattr(session, slot)


SUPPORT: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        same,
        spread,
        contained,
        quantified,
        in_range,
        element_at,
        type_name,
        of_kind,
        kind_name,
        has_item,
        joined,
        decorate_list,
        debug_text,
        spread_into,
        decorate,
        copied,
        present,
        picked,
        attribute,
        text_of,
        kind_of,
    )
}
"""The names that every generated module has in scope."""
