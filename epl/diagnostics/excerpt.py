"""The line of a diagnostic as a terminal shows it: cut to a window, with carets right under the place.

Terminals give some characters two columns and some none, so columns are counted and not characters.
"""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import category, east_asian_width

_WIDTH = 100
_BEFORE = 60  # columns kept before a place that is far to the right
_CUT = "…"


class Excerpt(NamedTuple):
    """Text to show, and what goes on the line below it."""

    text: str
    indent: str
    carets: str


def excerpt(line: str, start: int, length: int) -> Excerpt:
    """The part of a line around the characters from `start` (from 0) on, at most 100 columns and a `…` at each cut."""
    begin, end = _window(line, start)
    before = _visible(line[begin:start])
    marked = _visible(line[start : min(start + length, end)])
    after = _visible(line[start + length : end]) if start + length < end else ""
    head = _CUT if begin > 0 else ""
    tail = _CUT if end < len(line) else ""
    # The indent repeats the tabs of the text, so that carets stand under it at any tab width.
    indent = " " * len(head) + "".join("\t" if char == "\t" else " " * _columns(char) for char in before)
    carets = "^" * max(1, sum(map(_columns, marked)))
    return Excerpt(f"{head}{before}{marked}{after}{tail}", indent, carets)


def _window(line: str, start: int) -> tuple[int, int]:
    """The first and the last place to show, so that what is between them fits and `start` is in it."""
    begin, room = start, _BEFORE
    while begin > 0 and _columns(line[begin - 1]) <= room:
        begin -= 1
        room -= _columns(line[begin])
    end, room = begin, _WIDTH
    while end < len(line) and _columns(line[end]) <= room:
        room -= _columns(line[end])
        end += 1
    return begin, end


def _columns(char: str) -> int:
    """How many columns a terminal gives a character; a tab counts one, since its indent is a tab as well."""
    if char.isascii():
        return 1
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1


def _visible(text: str) -> str:
    """Control characters would move the cursor, or worse: they are shown as a picture of themselves."""
    return "".join(char if char == "\t" or category(char) not in ("Cc", "Cs") else "�" for char in text)
