"""Source text and places in it.

Offsets are 0-based everywhere; only `Source.position` adds the one that people expect.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct


class Span(Struct, frozen=True):
    """A half-open range of character offsets, `start <= end`."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.start, other.end)


class Position(Struct, frozen=True):
    """A place as people count: the first character of a file is line 1, column 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """A named text: a file of rules, a block of YAML, or a string given on the command line."""

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0, *(offset + 1 for offset, char in enumerate(self.text) if char == "\n")]
        object.__setattr__(self, "_line_starts", tuple(starts))

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Source:
        """Reads a UTF-8 file. Raises OSError when it cannot be read, UnicodeDecodeError when it is not UTF-8."""
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return cls(name or str(path), text)

    def position(self, offset: int) -> Position:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line break."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def slice(self, span: Span) -> str:
        """The text that a span covers."""
        return self.text[span.start : span.end]
