"""Java's regular expressions as Python's.

The two agree on most of what rules use, and differ in places that nobody sees until an event is lost: what `.` and `$`
take for a line end, which characters `\\d` holds, `(?<name>…)`, `\\Q…\\E`, flags in mid-pattern. Each such place is
translated; what has no equal in Python is refused with a message, never passed on with another meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from epl.java.regex_escapes import EscapeReader, PatternError


def compile_regex(pattern: str) -> re.Pattern[str]:
    """Compiles a pattern in Java's syntax. Raises PatternError when it is wrong, or means nothing in Python.

    As in Java, `\\d \\w \\s \\b` and `(?i)` know ASCII only.
    """
    pieces = _Translator(pattern).run()
    try:
        return re.compile("".join(text for text, _ in pieces), re.ASCII)
    except re.error as error:
        raise PatternError(f"{error.msg} in the regular expression", _origin(pieces, error.pos or 0)) from None
    except (OverflowError, RecursionError):
        raise PatternError("the regular expression is too large", 0) from None


def _origin(pieces: list[tuple[str, int]], position: int) -> int:
    """Where in the Java pattern the translated character at `position` comes from."""
    for text, offset in pieces:
        position -= len(text)
        if position < 0:
            return offset
    return pieces[-1][1] if pieces else 0


_LINE_ENDS = r"\n\r\x85\u2028\u2029"
_ANY = f"[^{_LINE_ENDS}]"
_END = r"(?:(?=(?:\r\n|[\r\x85\u2028\u2029])?\Z)|(?<!\r)(?=\n\Z))"
_LINE_START = r"(?:(?:^|(?<=[\n\x85\u2028\u2029])|(?<=\r)(?!\n))(?!\Z))"
_LINE_END = r"(?:(?=[\r\x85\u2028\u2029]|\Z)|(?<!\r)(?=\n))"
_LINE_BREAK = r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])"

_QUANTIFIER = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}[?+]?|[*+?][?+]?")
_NAMED_GROUP = re.compile(r"\(\?<([a-zA-Z][a-zA-Z0-9]*)>")
_PLAIN_GROUP = re.compile(r"\(\?(?:[:=!>]|<[=!])")
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])")
_NAMED_REFERENCE = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>")
_ASSERTIONS = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\Z", "Z": _END, "R": _LINE_BREAK}


@dataclass(slots=True)
class _Group:
    """An open group: the flags in force, and whether a `(?i)` in it has opened a Python group of its own."""

    offset: int
    ignore_case: bool = False
    dot_all: bool = False
    multiline: bool = False
    inner: bool = False


class _Translator(EscapeReader):
    """One pass over a pattern; the output keeps, for error messages, where each piece comes from."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.pieces: list[tuple[str, int]] = []
        self.groups = [_Group(0)]
        self.captures = 0

    def run(self) -> list[tuple[str, int]]:
        while self.at < len(self.pattern):
            self._step(self.pattern[self.at])
        if len(self.groups) > 1:
            raise PatternError("a group is not closed", self.groups[-1].offset)
        if self.groups[0].inner:
            self._emit(")", 0)
        return self.pieces

    def _step(self, char: str) -> None:
        group = self.groups[-1]
        match char:
            case "\\":
                self._escape()
            case "[":
                self._brackets()
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                # A flag set in mid-group holds for the alternatives after it, too.
                self._emit(f")|{_case_group(group.ignore_case)}" if group.inner else "|", 1)
            case ".":
                self._emit("(?s:.)" if group.dot_all else _ANY, 1)
            case "^":
                self._emit(_LINE_START if group.multiline else "^", 1)
            case "$":
                self._emit(_LINE_END if group.multiline else _END, 1)
            case "*" | "+" | "?" | "{":
                self._quantifier()
            case _:
                self._emit(re.escape(char), 1)

    def _emit(self, text: str, consumed: int) -> None:
        self.pieces.append((text, self.at))
        self.at += consumed

    def _quantifier(self) -> None:
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            raise PatternError("{ must begin a count such as {2} or {2,5}; write \\{ for the character", self.at)
        if match[2] and int(match[2]) < int(match[1]):
            raise PatternError(f"the count {match[0]} is empty", self.at)
        self._emit(match[0], len(match[0]))

    # ---- groups and flags

    def _open(self) -> None:
        outer = self.groups[-1]
        inner = _Group(self.at, outer.ignore_case, outer.dot_all, outer.multiline)
        if not self.pattern.startswith("(?", self.at):
            self.captures += 1
            self._emit("(", 1)
        elif match := _NAMED_GROUP.match(self.pattern, self.at):
            self.captures += 1
            self._emit(f"(?P<{match[1]}>", len(match[0]))
        elif match := _PLAIN_GROUP.match(self.pattern, self.at):
            self._emit(match[0], len(match[0]))
        elif match := _FLAGS.match(self.pattern, self.at):
            if match[3] == ")":
                self._set_flags(outer, match)
                self._emit(f"{')' if outer.inner else ''}{_case_group(outer.ignore_case)}", len(match[0]))
                outer.inner = True
                return
            self._set_flags(inner, match)
            self._emit(_case_group(inner.ignore_case), len(match[0]))
        else:
            raise PatternError("no such kind of group", self.at)
        self.groups.append(inner)

    def _set_flags(self, group: _Group, match: re.Match[str]) -> None:
        for letters, on in ((match[1], True), (match[2] or "", False)):
            for letter in letters:
                match letter:
                    case "i":
                        group.ignore_case = on
                    case "s":
                        group.dot_all = on
                    case "m":
                        group.multiline = on
                    case _:
                        raise PatternError(f"the flag `{letter}` is not supported, only i, s and m are", self.at)

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise PatternError("a ) without its (; write \\) for the character", self.at)
        self._emit("))" if self.groups.pop().inner else ")", 1)

    # ---- escapes

    def _escape(self) -> None:
        start = self.at
        self.at += 1
        letter = self.peek()
        if letter in _ASSERTIONS:
            if self.pattern.startswith("{", self.at + 1) and letter == "b":
                raise PatternError("\\b{…} is not supported", start)
            text = _ASSERTIONS[letter]
            self.at += 1
        elif letter == "Q":
            text = "".join(map(re.escape, self.quoted()))
        elif letter == "k":
            text = self._named_reference()
        elif "1" <= letter <= "9":
            text = self._reference()
        else:
            named = self.named_class()
            text = f"[{named}]" if named is not None else re.escape(self.character())
        self.pieces.append((text, start))

    def _named_reference(self) -> str:
        match = _NAMED_REFERENCE.match(self.pattern, self.at)
        if match is None:
            raise PatternError("\\k must be followed by a group's name, as in \\k<name>", self.at - 1)
        self.at = match.end()
        return f"(?P={match[1]})"

    def _reference(self) -> str:
        """`\\1`: Java takes one digit, and more only as long as so many groups have been opened."""
        end = self.at + 1
        while self.pattern[end : end + 1].isdecimal() and int(self.pattern[self.at : end + 1]) <= self.captures:
            end += 1
        number = int(self.pattern[self.at : end])
        if number > self.captures:
            raise PatternError(f"there is no group {number} before this", self.at - 1)
        self.at = end
        return f"(?:\\{number})"  # in a group of its own, so that a digit after it stays a digit

    # ---- [ … ]

    def _brackets(self) -> None:
        start = self.at
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        first = self.at
        self.pieces.append(("[^" if negated else "[", start))
        while not self.pattern.startswith("]", self.at) or self.at == first:
            if self.at >= len(self.pattern):
                raise PatternError("a [ without its ]", start)
            place = self.at
            self.pieces.append((self._bracket_item(), place))
        self._emit("]", 1)

    def _bracket_item(self) -> str:
        if self.pattern.startswith("\\Q", self.at):
            self.at += 1
            return "".join(map(re.escape, self.quoted()))
        if self.pattern[self.at] == "\\":
            self.at += 1
            self.peek()
            named = self.named_class()
            if named is not None:
                return named
            self.at -= 1
        low = self._bracket_character()
        if not self.pattern.startswith("-", self.at) or self.pattern[self.at + 1 : self.at + 2] in ("", "]", "["):
            return re.escape(low)
        place = self.at
        self.at += 1
        high = self._bracket_character()
        if high < low:
            raise PatternError(f"the range {low}-{high} is empty", place - 1)
        return f"{re.escape(low)}-{re.escape(high)}"

    def _bracket_character(self) -> str:
        char = self.pattern[self.at]
        if char == "[":
            raise PatternError("a [ inside of [ ] (a nested class) is not supported; write \\[", self.at)
        if self.pattern.startswith("&&", self.at):
            raise PatternError("&& (an intersection of classes) is not supported; write \\& for the character", self.at)
        self.at += 1
        if char != "\\":
            return char
        self.peek()
        return self.character()


def _case_group(ignore_case: bool) -> str:
    return "(?i:" if ignore_case else "(?-i:"
