"""Comments and their places: the parser skips them, and a formatter must not lose one."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum, auto

from epl.source import Span

# Comment marks inside strings and back-ticks mean nothing, so those are matched too, and first.
_COMMENT = re.compile(
    r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`[^`\n]*`|(?P<comment>//[^\n]*|/\*(?s:.*?)\*/)",
)
_BLANKS = re.compile(r"\s*")


class Position(Enum):
    """How a comment stands among code."""

    OWN_LINE = auto()
    """No code stands on its line; also every comment over several lines."""
    END_OF_LINE = auto()
    """Code before it on the line, none behind it."""
    BEFORE_COMMA = auto()
    """A comma behind it on the line: it speaks of what is before the comma."""
    INLINE = auto()
    """Other code behind it on the line."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment with its marks, without trailing blanks."""

    span: Span
    text: str
    position: Position

    @property
    def ends_line(self) -> bool:
        """True for `// …`, which nothing can follow on its line."""
        return self.text.startswith("//")


class Comments:
    """All comments of a text that parses."""

    def __init__(self, text: str) -> None:
        self._text = text
        found = [Span(*match.span("comment")) for match in _COMMENT.finditer(text) if match["comment"] is not None]
        self._ends = {span.start: span.end for span in found}
        self._starts = {span.end: span.start for span in found}
        self._offsets = [span.start for span in found]
        self._all = [Comment(span, text[span.start : span.end].rstrip(), self._position(span)) for span in found]

    def between(self, start: int, end: int) -> list[Comment]:
        """The comments that start in a range of offsets, in order."""
        return self._all[bisect_left(self._offsets, start) : bisect_left(self._offsets, end)]

    def next_token(self, offset: int) -> int:
        """The first offset from here on at which neither a blank nor a comment stands; it may be the text's end."""
        while True:
            blanks = _BLANKS.match(self._text, offset)
            assert blanks is not None
            offset = blanks.end()
            if offset not in self._ends:
                return offset
            offset = self._ends[offset]

    def _position(self, span: Span) -> Position:
        if "\n" in self._text[span.start : span.end]:
            # Beside code it would pull the code's lines apart.
            return Position.OWN_LINE
        behind = self.next_token(span.end)
        if behind < len(self._text) and "\n" not in self._text[span.end : behind]:
            return Position.BEFORE_COMMA if self._text[behind] == "," else Position.INLINE
        return Position.END_OF_LINE if self._is_code_before(span.start) else Position.OWN_LINE

    def _is_code_before(self, offset: int) -> bool:
        line_start = self._text.rfind("\n", 0, offset) + 1
        while offset > line_start:
            offset = line_start + len(self._text[line_start:offset].rstrip())
            if offset not in self._starts:
                return offset > line_start
            offset = self._starts[offset]
        return False
