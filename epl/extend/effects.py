"""What a registered annotation can do with a row: the same as the annotations of the language, and a call.

An annotation says this when the rules are checked, so its effects have types, show in the lint and are compiled like
all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from epl import types
from epl.registry.annotations import MissingColumn
from epl.typed import (
    AddToCounter,
    AppendToList,
    Call,
    Column,
    Const,
    Decorate,
    Effect,
    EndSession,
    Expr,
    MarkBot,
    Namespace,
    SetDuration,
    SplitSession,
    WriteAttributes,
)


class RowColumns(Mapping[str, Expr]):
    """The columns of a rule by name, as expressions; `row["n"].type` is the type of one."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Expr:
        """The expression of a column. Raises MissingColumn."""
        column = self._columns.get(name)
        if column is None:
            raise MissingColumn(name)
        return column.expr

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


Value = Expr | str | int | float | bool | None
"""A column of the row, or a constant."""


def write_state(values: Mapping[str, Value]) -> Effect:
    """Writes attributes of the session's state, as @UpdateState does: a null removes."""
    return WriteAttributes(Namespace.STATE, _columns(values))


def write_metadata(values: Mapping[str, Value]) -> Effect:
    """Writes attributes of the session's metadata, as @UpdateMetadata does."""
    return WriteAttributes(Namespace.METADATA, _columns(values))


def add_to_counter(name: str, amount: Value = 1) -> Effect:
    """Adds to a counter, as @AppendCounter does; null adds nothing. Raises ValueError for what is no number."""
    number = _expr(amount)
    if not number.type.is_numeric:
        raise ValueError(f"the counter `{name}` takes a number, not {number.type}")
    return AddToCounter(name, number)


def append_to_list(name: str, item: Value, *, unique: bool = True, maxlength: int = 0) -> Effect:
    """Appends to a list, as @AppendState does."""
    return AppendToList(name, _expr(item), unique, max(0, maxlength))


def decorate(values: Mapping[str, Value]) -> Effect:
    """Adds fields to the event that leaves, as @DecorateEvent does."""
    return Decorate(_columns(values))


def set_duration(gap_ms: Value) -> Effect:
    """Sets the session's gap, as @UpdateDuration does. Raises ValueError for what is no int."""
    return SetDuration(_int(gap_ms, "the gap"))


def mark_bot(bot_type: Value) -> Effect:
    """Sets the type of bot, as @MarkBot does. Raises ValueError for what is no int."""
    return MarkBot(_int(bot_type, "the type of bot"))


def end_session() -> Effect:
    """Ends the session after this event, as @EndSession does."""
    return EndSession()


def split_session() -> Effect:
    """Ends the session before this event, as @SplitSession does."""
    return SplitSession()


def call(function: Callable[[dict[str, Any]], object], values: Mapping[str, Value]) -> Effect:
    """Calls a Python function with the values whenever the rule has a row; what it returns is not looked at.

    It runs in the stream, so it must be quick, and again when events are replayed. What it raises is counted as an
    error of the rule, whose other effects have their way.
    """
    return Call(function, _columns(values))


def _columns(values: Mapping[str, Value]) -> tuple[Column, ...]:
    return tuple(Column(name, _expr(value)) for name, value in values.items())


def _expr(value: Value) -> Expr:
    match value:
        case Expr():
            return value
        case None:
            return Const(types.NULL, True, None)
        case bool():
            return Const(types.BOOLEAN, False, value)
        case int():
            return Const(types.INT if -(1 << 31) <= value < 1 << 31 else types.LONG, False, value)
        case float():
            return Const(types.DOUBLE, False, value)
        case str():
            return Const(types.STRING, False, value)


def _int(value: Value, what: str) -> Expr:
    number = _expr(value)
    if number.type != types.INT:
        raise ValueError(f"{what} is an int, not {number.type}")
    return number
