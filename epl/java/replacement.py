"""The replacement text of `replaceAll` and `replaceFirst`: `$1` in Java is `\\1` in Python, and `\\` quotes."""

from __future__ import annotations

import re
from collections.abc import Callable

from epl.java.regex_escapes import PatternError

_NAMED = re.compile(r"\$\{(\w+)\}")
_NUMBERED = re.compile(r"\$([0-9]+)")


def java_replacement(text: str, pattern: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
    """What to put in the place of a match: `$1` and `${name}` are groups, `\\` takes the next character as it is.

    A group that took no part gives nothing. Raises PatternError for a group that the pattern does not have.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            if at + 1 == len(text):
                raise PatternError("the replacement ends in a single \\", at)
            parts.append(text[at + 1])
            at += 2
        elif text[at] == "$":
            group, at = _group_reference(text, at, pattern)
            parts.append(group)
        else:
            parts.append(text[at])
            at += 1
    if all(isinstance(part, str) for part in parts):
        literal = "".join(map(str, parts))
        return lambda match: literal
    return lambda match: "".join(part if isinstance(part, str) else match[part] or "" for part in parts)


def _group_reference(text: str, at: int, pattern: re.Pattern[str]) -> tuple[int, int]:
    """The group number that the `$` at `at` names, and where the text goes on."""
    if named := _NAMED.match(text, at):
        if named[1] not in pattern.groupindex:
            raise PatternError(f"the pattern has no group `{named[1]}`", at)
        return pattern.groupindex[named[1]], named.end()
    digits = _NUMBERED.match(text, at)
    if digits is None:
        raise PatternError("$ needs a group number in a replacement; write \\$ for the character", at)
    # Java takes one digit, and more only as long as there is such a group.
    length = 1
    while length < len(digits[1]) and int(digits[1][: length + 1]) <= pattern.groups:
        length += 1
    number = int(digits[1][:length])
    if number > pattern.groups:
        raise PatternError(f"the pattern has no group {number}", at)
    return number, at + 1 + length
