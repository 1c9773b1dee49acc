"""Rows of a table as events of the classes that lines are decoded into.

Events are made while they are gone through, from lists of values and without a step of Python for each, so that one is
still in the processor's cache when its rules run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

from epl.types import Kind, Type
from runtime.event import EventDecoder
from runtime.parquet.columns import Column, Columns, decoded, encode
from runtime.row import Row


class Batch:
    """Some rows of a table, to be gone through once. `whole` gives objects whose JSON is that of each row."""

    __slots__ = ("_events", "_size", "_whole", "_wholes")

    def __init__(self, events: Iterator[Any], size: int, whole: Callable[[], Sequence[Any]]) -> None:
        self._events = events
        self._size = size
        self._whole = whole
        self._wholes: Sequence[Any] | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return zip(self._events, repeat(self), range(self._size), strict=False)

    def line(self, place: int) -> bytes:
        """The row of a place, from 0, as a line of JSON, without what is null."""
        if self._wholes is None:
            self._wholes = self._whole()
        return encode(self._wholes[place])


class RowMaker:
    """Makes events of columns: what a decoder makes of the lines of their rows.

    Where it would refuse the line, or take it for one of an unknown type, there is None.
    """

    def __init__(self, decoder: EventDecoder) -> None:
        self._type_field = decoder.type_field
        self._classes: dict[Any, type[Any]] = dict(decoder.classes)
        if len(self._classes) == 1:
            # Where one type is declared, events may leave out which they are of.
            (self._classes[None],) = decoder.classes.values()
        self._fields: dict[type[Any], list[tuple[str, Type]]] = {
            decoder.classes[name]: [(field, type_) for field, type_ in fields.items() if field != decoder.type_field]
            for name, fields in decoder.fields.items()
        }
        self.fields = {decoder.type_field}.union(*(fields for fields in decoder.fields.values()))
        """The columns that are needed."""

    def events(self, columns: Columns, size: int) -> Iterator[Any]:
        """The events of all rows, in their order."""
        names = self._names(columns, size)
        types = set(names)
        if len(types) <= 1:
            return iter(self._of_class(self._classes.get(next(iter(types), None)), columns, range(size)))
        places: dict[Any, list[int]] = {name: [] for name in types}
        for place, name in enumerate(names):
            places[name].append(place)
        made = {name: iter(self._of_class(self._classes.get(name), columns, each)) for name, each in places.items()}
        return map(next, map(made.__getitem__, names))

    def _names(self, columns: Columns, size: int) -> Sequence[Any]:
        """The type of each row; False where it is none that any event could have."""
        column = columns.get(self._type_field)
        if column is None:
            return [None] * size
        if Kind.STRING in column.kinds and not column.unreadable:
            return column.values
        return [
            value if value is None or (isinstance(value, str) and place not in column.unreadable) else False
            for place, value in enumerate(column.values)
        ]

    def _of_class(self, class_: type[Any] | None, columns: Columns, places: Sequence[int]) -> Iterable[Any]:
        if class_ is None:
            return repeat(None, len(places))
        bad: set[int] = set()
        taken: list[Iterable[Any]] = [repeat(None, len(places))]
        for field, type_ in self._fields[class_]:
            column = columns.get(field)
            if column is None:
                taken.append(repeat(None))
                continue
            values = _picked(column, places)
            if not column.is_exact(type_):
                values, refused = decoded(values, type_)
                bad |= refused
            if column.unreadable:
                bad |= {number for number, place in enumerate(places) if place in column.unreadable}
            taken.append(values)
        events = (class_() for _ in places) if len(taken) == 1 else map(class_, *taken[1:])
        if not bad:
            return events
        return [None if number in bad else event for number, event in enumerate(events)]


def _picked(column: Column, places: Sequence[int]) -> list[Any]:
    if len(places) == len(column.values):
        return column.values
    if len(places) == 1:
        return [column.values[places[0]]]
    return list(itemgetter(*places)(column.values))
