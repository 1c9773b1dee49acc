"""Escapes of Java's regular expressions: the ones that stand for a character, and the ones that stand for a class.

They mean the same inside and outside of brackets, which is why they are read apart from the rest.
"""

from __future__ import annotations

import re

from epl.java.regex_classes import HORIZONTAL, POSIX, VERTICAL, Ranges, inverse, members


class PatternError(ValueError):
    """A pattern that cannot be used; `offset` is the 0-based place in the pattern's text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


_PROPERTY = re.compile(r"[pP](?:\{([^}]*)\}|(.?))")
_CODE_POINT = re.compile(r"0([0-3]?[0-7]{1,2})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})")
_SURROGATES = re.compile(r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_REFUSED = {
    "G": "\\G (the end of the previous match) is not supported",
    "X": "\\X (a grapheme) is not supported",
    "N": "\\N{…} (a character by its name) is not supported",
}


class EscapeReader:
    """A place in a pattern; the methods read what follows a backslash and move on. They raise PatternError."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def peek(self) -> str:
        if self.at == len(self.pattern):
            raise PatternError("the pattern ends in a single \\", self.at - 1)
        return self.pattern[self.at]

    def quoted(self) -> str:
        """The text of `\\Q…\\E`, standing at the Q; without an `\\E` it goes on to the end."""
        end = self.pattern.find("\\E", self.at)
        text = self.pattern[self.at + 1 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.pattern)
        return text

    def named_class(self) -> str | None:
        """`\\d`, `\\h`, `\\p{Alpha}` …, standing at the letter: what to write between brackets; None for others."""
        letter = self.pattern[self.at]
        if letter in "dDwWsS":
            self.at += 1
            return f"\\{letter}"
        ranges: Ranges
        match letter:
            case "h" | "H":
                ranges = HORIZONTAL
                self.at += 1
            case "v" | "V":
                ranges = VERTICAL
                self.at += 1
            case "p" | "P":
                ranges = self._posix()
            case _:
                return None
        return members(inverse(ranges) if letter.isupper() else ranges)

    def _posix(self) -> Ranges:
        start = self.at - 1
        match = _PROPERTY.match(self.pattern, self.at)
        name = (match[1] or match[2] or "") if match else ""
        if match is None or name not in POSIX:
            raise PatternError(f"the class \\p{{{name}}} is not supported; these are: {', '.join(POSIX)}", start)
        self.at = match.end()
        return POSIX[name]

    def character(self) -> str:
        """The character that an escape stands for, standing after the backslash."""
        letter = self.pattern[self.at]
        if match := _SURROGATES.match(self.pattern, self.at):
            self.at = match.end()
            return chr(0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF))
        if match := _CODE_POINT.match(self.pattern, self.at):
            self.at = match.end()
            code = int(match[1], 8) if match[1] else int(match[2] or match[3] or match[4], 16)
            if code > 0x10FFFF:
                raise PatternError("there is no such character", match.start() - 1)
            return chr(code)
        if letter == "c" and self.at + 1 < len(self.pattern):
            self.at += 2
            return chr(ord(self.pattern[self.at - 1]) ^ 64)
        if letter.isascii() and letter.isalnum() and letter not in _CONTROLS:
            raise PatternError(_REFUSED.get(letter, f"there is no escape \\{letter}"), self.at - 1)
        self.at += 1
        return _CONTROLS.get(letter, letter)
