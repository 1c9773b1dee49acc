"""Python's type hints as types of the rule language, so that a function is declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from epl import types
from epl.extend.errors import BadExtension
from epl.types import Type

_TYPES: dict[object, Type] = {
    str: types.STRING,
    bool: types.BOOLEAN,
    int: types.LONG,
    float: types.DOUBLE,
    Decimal: types.DECIMAL,
    datetime: types.DATE,
    dict: types.MAP,
    list: types.LIST,
    object: types.OBJECT,
    Any: types.OBJECT,
}
SHOWN = (
    "str, bool, int (a long), float (a double), Decimal, datetime, list, dict, object; Annotated[int, INT] is an int"
)
"""What hints may be, for messages."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A type of the rule language; `optional`: None may be given. `note`: a text that came with it."""

    type: Type
    optional: bool = False
    note: str | None = None


def hints_of(function: Callable[..., Any], names: Iterable[str]) -> dict[str, Hint]:
    """The hints of the named parameters of a function; `return` names its result. Raises BadExtension."""
    try:
        given = get_type_hints(function, include_extras=True)
    except Exception as error:
        # `get_type_hints` evaluates text, so anything may go wrong.
        raise BadExtension(f"its type hints cannot be read: {error}") from error
    found = {}
    for name in names:
        if name not in given:
            raise BadExtension(f"{_place(name)} has no type hint; give one of {SHOWN}")
        found[name] = _hint(given[name], name)
    return found


def _hint(given: Any, name: str) -> Hint:
    if get_origin(given) in (Union, UnionType) and NoneType in get_args(given):
        rest = [each for each in get_args(given) if each is not NoneType]
        if len(rest) == 1:
            inner = _hint(rest[0], name)
            return Hint(inner.type, True, inner.note)
    if get_origin(given) is Annotated:
        plain, *notes = get_args(given)
        inner = _hint(plain, name)
        exact = next((note for note in notes if isinstance(note, Type)), inner.type)
        if exact != inner.type and not (exact.is_numeric and inner.type.is_numeric):
            raise BadExtension(f"{_place(name)} cannot be {plain.__name__} and {exact} at once")
        text = next((note for note in notes if isinstance(note, str)), inner.note)
        return Hint(exact, inner.optional, text)
    if given in _TYPES:
        # Any and object hold null as well.
        return Hint(_TYPES[given], _TYPES[given] == types.OBJECT)
    raise BadExtension(f"{_place(name)} is of a type that rules do not have; give one of {SHOWN}")


def _place(name: str) -> str:
    return "what it returns" if name == "return" else f"its parameter `{name}`"
