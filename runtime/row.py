"""Events that come ready made, as rows of tables, on the way of those that are decoded from lines.

The loops of the engine take a line, have the decoder make an event of it, and send the line on. A row stands in the
place of the line: it carries its event, and is made a line only where one is written. So the loops know nothing of
rows, and what becomes of an event is the same wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from runtime.event import BAD_LINE, EventDecoder, NoEvent, Refused


class RowBatch(Protocol):
    """Where a row is from."""

    def line(self, place: int) -> bytes:
        """The row of a place in the batch, from 0, as a line of JSON."""


Row = tuple[Any, RowBatch, int]
"""The event of a row, None when it gives none; its batch and its place there. A plain tuple: `zip` makes them."""

Line = bytes | Row


class Lines(Protocol):
    """A batch of lines or rows."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class Decoder(Protocol):
    """What makes events; of lines alone, or of rows as well."""

    classes: dict[str, type[Any]]
    decode: Callable[[Any], Any]

    def explain(self, line: Any, error: Exception, number: int) -> Refused | None:
        """Why there is no event; None when it is one of an undeclared type, or a blank line."""


def raw_line(line: Line) -> bytes:
    """A line as it came, a row as a line of JSON."""
    return line if isinstance(line, bytes) else line[1].line(line[2])


class RowDecoder:
    """Gives the events of rows, and decodes lines as the decoder that it is made of does.

    A row that gives no event is explained by that decoder, from the row's line: what is refused, and why, is the same.
    """

    def __init__(self, lines: EventDecoder) -> None:
        self.lines = lines
        self.classes = lines.classes
        decode_line = lines.decode

        def decode(line: Line) -> Any:
            if line.__class__ is bytes:
                return decode_line(line)
            event = line[0]
            if event is None:
                raise NoEvent("it is no event")
            return event

        self.decode: Callable[[Any], Any] = decode
        """The event of a line or a row. Raises one of BAD_LINE; `explain` says what that means."""

    def explain(self, line: Line, error: Exception, number: int) -> Refused | None:
        """Why there is no event; None when it is one of an undeclared type, or a blank line."""
        if isinstance(line, bytes):
            return self.lines.explain(line, error, number)
        raw = raw_line(line)
        try:
            self.lines.decode(raw)
        except BAD_LINE as actual:
            return self.lines.explain(raw, actual, number)
        # Its line has replacements where the row has what no line can hold.
        return Refused(number, "bad_type", "a value that rules read is no text in UTF-8, or beyond all dates", raw)
