"""The methods of Java's String where no Python method does the same.

Lengths and indexes count characters (code points). Java counts UTF-16 units, so a character beyond U+FFFF, an emoji
say, counts once here and twice there. An index that Java refuses with an exception gives None: null in a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl.java.patterns import regex_for, replacement_for

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,;:/-_=&@#%~!\"'<>")
"""Characters that mean themselves as a whole pattern."""


def substring(text: str, begin: int, end: int | None = None) -> str | None:
    """From `begin` up to, not with, `end` (by default to the end); None when these are no places of the text."""
    stop = len(text) if end is None else end
    return text[begin:stop] if 0 <= begin <= stop <= len(text) else None


def char_at(text: str, index: int) -> str | None:
    """The character at an index; None outside."""
    return text[index] if 0 <= index < len(text) else None


def index_from(text: str, part: str, start: int) -> int:
    """`indexOf(part, start)`: a start before the text is its beginning, one behind it its end."""
    return text.find(part, min(max(start, 0), len(text)))


def last_index_from(text: str, part: str, start: int) -> int:
    """`lastIndexOf(part, start)`: the last occurrence that begins at `start` or before."""
    return text.rfind(part, 0, start + len(part)) if start >= 0 else -1


def starts_at(text: str, prefix: str, offset: int) -> bool:
    """`startsWith(prefix, offset)`: false for an offset outside of the text."""
    return offset >= 0 and text.startswith(prefix, offset)


def compare_text(a: str, b: str) -> int:
    """`compareTo`: the difference of the first two characters that differ, or else of the lengths."""
    for left, right in zip(a, b, strict=False):
        if left != right:
            return ord(left) - ord(right)
    return len(a) - len(b)


def fold(text: str) -> str:
    """The text as equalsIgnoreCase sees it: each character to upper and to lower case, alone and never as two."""
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


def _fold_character(char: str) -> str:
    upper = char.upper()
    upper = upper if len(upper) == 1 else char
    lower = upper.lower()
    return lower if len(lower) == 1 else upper


def equals_ignore_case(a: str, b: str) -> bool:
    """`equalsIgnoreCase`: `ß` is not `SS`."""
    return a == b or fold(a) == fold(b)


def compare_ignore_case(a: str, b: str) -> int:
    """`compareToIgnoreCase`: compareTo of the folded texts."""
    return compare_text(fold(a), fold(b))


def hash_code(text: str) -> int:
    """`hashCode`: exact, over UTF-16 units, in 32 bits."""
    units = text.encode("utf-16-le", "surrogatepass")
    code = 0
    for at in range(0, len(units), 2):
        code = (code * 31 + units[at] + (units[at + 1] << 8)) & 0xFFFFFFFF
    return code - 0x100000000 if code & 0x80000000 else code


def matches(text: str, pattern: str) -> bool:
    """`matches`: the whole text. Raises RuleError for a bad pattern."""
    return regex_for(pattern).fullmatch(text) is not None


def replace_all(text: str, pattern: str, replacement: str) -> str:
    """`replaceAll`, with `$1` for groups. Raises RuleError for a bad pattern or replacement."""
    regex = regex_for(pattern)
    replace = replacement_for(replacement, regex)
    pieces: list[str] = []
    begin = 0
    for match in _matches(regex, text):
        pieces += (text[begin : match.start()], replace(match))
        begin = match.end()
    return "".join((*pieces, text[begin:]))


def _matches(regex: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """All matches as Java finds them: after an empty one it moves on, where Python's finditer tries the place again."""
    at = 0
    while match := regex.search(text, at):
        yield match
        at = match.end() + (match.start() == match.end())
        if at > len(text):
            return


def replace_first(text: str, pattern: str, replacement: str) -> str:
    """`replaceFirst`, with `$1` for groups. Raises RuleError for a bad pattern or replacement."""
    regex = regex_for(pattern)
    return regex.sub(replacement_for(replacement, regex), text, count=1)


def split(text: str, pattern: str, limit: int = 0) -> list[str]:
    """`split`: the pieces between matches, as Java 8 and up.

    At most `limit` pieces when it is above 0; empty pieces at the end are dropped when it is 0. An empty match at the
    beginning makes no piece. Raises RuleError for a bad pattern.
    """
    pieces = text.split(pattern, limit - 1 if limit > 0 else -1) if pattern in _PLAIN else _cut(text, pattern, limit)
    if limit == 0 and len(pieces) > 1:
        last = len(pieces)
        while last and not pieces[last - 1]:
            last -= 1
        del pieces[last:]
    return pieces


def _cut(text: str, pattern: str, limit: int) -> list[str]:
    pieces: list[str] = []
    begin = 0
    for match in _matches(regex_for(pattern), text):
        if limit > 0 and len(pieces) == limit - 1:
            break
        if match.end() == 0:
            continue
        pieces.append(text[begin : match.start()])
        begin = match.end()
    return [*pieces, text[begin:]]
