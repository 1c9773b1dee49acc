"""The character classes that Java names and Python does not: `\\h`, `\\v` and the ASCII `\\p{…}` ones.

They are kept as ranges of code points, so that a negated one can stand inside brackets, where Python has no negation.
"""

from __future__ import annotations

import re
import sys

Ranges = tuple[tuple[int, int], ...]


def _ranges(*spans: str) -> Ranges:
    return tuple((ord(span[0]), ord(span[-1])) for span in spans)


HORIZONTAL: Ranges = _ranges("\t", " ", "\xa0", "\u1680", "\u180e", "\u2000\u200a", "\u202f", "\u205f", "\u3000")
VERTICAL: Ranges = _ranges("\n\r", "\x85", "\u2028\u2029")

POSIX: dict[str, Ranges] = {
    "Lower": _ranges("az"),
    "Upper": _ranges("AZ"),
    "ASCII": _ranges("\x00\x7f"),
    "Alpha": _ranges("AZ", "az"),
    "Digit": _ranges("09"),
    "Alnum": _ranges("09", "AZ", "az"),
    "Punct": _ranges("!/", ":@", "[`", "{~"),
    "Graph": _ranges("!~"),
    "Print": _ranges(" ~"),
    "Blank": _ranges("\t", " "),
    "Cntrl": _ranges("\x00\x1f", "\x7f"),
    "XDigit": _ranges("09", "AF", "af"),
    "Space": _ranges("\t\r", " "),
}
"""`\\p{name}`: ASCII only, as in Java without the flag `U`."""


def inverse(ranges: Ranges) -> Ranges:
    """All other code points; `ranges` must be in order."""
    starts = (0, *(high + 1 for _, high in ranges))
    ends = (*(low - 1 for low, _ in ranges), sys.maxunicode)
    return tuple((low, high) for low, high in zip(starts, ends, strict=True) if low <= high)


def members(ranges: Ranges) -> str:
    """The ranges as they are written between Python's brackets."""
    return "".join(
        re.escape(chr(low)) if low == high else f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges
    )
