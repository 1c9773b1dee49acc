"""`like` patterns, and the caches for patterns that are only known when an event comes.

A `like` of a common shape (`abc%`, `%abc`, `%abc%`) becomes one call of a string method, several times faster than a
regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import lru_cache

from epl.errors import RuleError
from epl.java.regex import compile_regex
from epl.java.regex_escapes import PatternError
from epl.java.replacement import java_replacement

__all__ = [
    "PatternError",
    "compile_regex",
    "java_replacement",
    "like_for",
    "like_matcher",
    "regex_for",
    "replacement_for",
]

_CACHED = 512


class _Wildcard(Enum):
    ANY = "%"
    ONE = "_"


def like_matcher(pattern: str, escape: str | None) -> Callable[[str], bool]:
    """The test of `like`: `%` is any text, `_` any one character, the whole text counts, case matters.

    The escape character makes the next one literal, whichever it is. Raises PatternError when `escape` is not one
    character, or ends the pattern.
    """
    parts = _parts(pattern, escape)
    match parts:
        case []:
            return "".__eq__
        case [str(text)]:
            return text.__eq__
        case [_Wildcard.ANY]:
            return lambda value: True
        case [str(text), _Wildcard.ANY]:
            return lambda value: value.startswith(text)
        case [_Wildcard.ANY, str(text)]:
            return lambda value: value.endswith(text)
        case [_Wildcard.ANY, str(text), _Wildcard.ANY]:
            return lambda value: text in value
        case _:
            fullmatch = re.compile(_as_regex(parts), re.DOTALL).fullmatch
            return lambda value: fullmatch(value) is not None


def _parts(pattern: str, escape: str | None) -> list[str | _Wildcard]:
    if escape is not None and len(escape) != 1:
        raise PatternError("the escape must be one character", 0)
    parts: list[str | _Wildcard] = []
    literal = ""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        wildcard = char in "%_" and char != escape
        if wildcard:
            parts += [literal, _Wildcard(char)] if literal else [_Wildcard(char)]
            literal = ""
        elif char == escape:
            at += 1
            if at == len(pattern):
                raise PatternError("the pattern ends in its escape character", at - 1)
            literal += pattern[at]
        else:
            literal += char
        at += 1
    return [*parts, literal] if literal else parts


def _as_regex(parts: list[str | _Wildcard]) -> str:
    """Between two `%` the first place that fits is as good as any, so an atomic group keeps the time linear."""
    runs = [""]
    for part in parts:
        if part is _Wildcard.ANY:
            runs.append("")
        else:
            runs[-1] += "." if part is _Wildcard.ONE else re.escape(str(part))
    if len(runs) == 1:
        return runs[0]
    head, *middle, tail = runs
    return f"{head}{''.join(f'(?>.*?{run})' for run in middle if run)}.*{tail}"


@lru_cache(_CACHED)
def like_for(pattern: str, escape: str | None) -> Callable[[str], bool]:
    """`like_matcher` for a pattern computed by a rule; the latest are kept. Raises RuleError for a bad one."""
    try:
        return like_matcher(pattern, escape)
    except PatternError as error:
        raise RuleError(f'"{pattern}": {error.message}') from None


@lru_cache(_CACHED)
def regex_for(pattern: str) -> re.Pattern[str]:
    """`compile_regex` for a pattern computed by a rule; the latest are kept. Raises RuleError for a bad one."""
    try:
        return compile_regex(pattern)
    except PatternError as error:
        raise RuleError(f'"{pattern}": {error.message}') from None


@lru_cache(_CACHED)
def replacement_for(text: str, pattern: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
    """`java_replacement`; the latest are kept. Raises RuleError for a bad one."""
    try:
        return java_replacement(text, pattern)
    except PatternError as error:
        raise RuleError(f'"{text}": {error.message}') from None
