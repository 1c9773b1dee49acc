"""Reading numbers, booleans and dates from text as Java's parse methods do.

Python's `int` and `float` accept blanks, underscores, `inf` and more that Java refuses, so each form is spelled out.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from decimal import Decimal

from epl.errors import RuleError
from epl.java.arithmetic import RANGES, to_float32
from epl.java.values import utc
from epl.types import Kind

BLANKS = "".join(map(chr, range(0x21)))
"""What Java's `String.trim` takes off both ends: U+0000 to U+0020."""

_INTEGER = re.compile(r"[+-]?\d+")  # any decimal digits of Unicode, as Character.digit
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_DECIMAL = re.compile(rf"[+-]?{_NUMBER}", re.ASCII)
_DOUBLE = re.compile(rf"([+-]?{_NUMBER})[fFdD]?|[+-]?(?:NaN|Infinity)", re.ASCII)
_HEXADECIMAL = re.compile(r"([+-]?0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)[pP][+-]?\d+)[fFdD]?", re.ASCII)
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def parse_integer(text: str, kind: Kind) -> int:
    """Integer.parseInt, Long.parseLong …: a sign and digits, nothing else, within the range of `kind`.

    Raises RuleError for any other text.
    """
    if _INTEGER.fullmatch(text):
        try:
            number = int(text)
        except ValueError:  # Python refuses thousands of digits
            raise _refused(text, kind) from None
        low, high = RANGES.get(kind, (number, number))
        if low <= number <= high:
            return number
    raise _refused(text, kind)


def parse_double(text: str) -> float:
    """Double.parseDouble: blanks around, `1e3`, `.5`, `5.`, `NaN`, `Infinity`, `1d`, `0x1p3`. Raises RuleError."""
    trimmed = text.strip(BLANKS)
    if match := _DOUBLE.fullmatch(trimmed):
        return float(match[1] or match[0])
    if match := _HEXADECIMAL.fullmatch(trimmed):
        try:
            return float.fromhex(match[1])
        except OverflowError:
            return -math.inf if trimmed.startswith("-") else math.inf
    raise _refused(text, Kind.DOUBLE)


def parse_float(text: str) -> float:
    """Float.parseFloat, by way of the double. Raises RuleError."""
    return to_float32(parse_double(text))


def parse_decimal(text: str) -> Decimal:
    """`new BigDecimal(text)`: no blanks, no NaN. Raises RuleError."""
    if not _DECIMAL.fullmatch(text):
        raise _refused(text, Kind.DECIMAL)
    return Decimal(text)


def parse_boolean(text: str) -> bool:
    """Boolean.parseBoolean: `true` in any case is true, every other text is false."""
    return text.lower() == "true"


def parse_char(text: str) -> str:
    """The first character. Raises RuleError when there is none."""
    if not text:
        raise _refused(text, Kind.CHAR)
    return text[0]


def parse_date(text: str) -> datetime:
    """An ISO 8601 date, with or without time and zone (none means UTC), as a datetime in UTC. Raises RuleError."""
    if not _DATE.fullmatch(text):
        raise _refused(text, Kind.DATE)
    try:
        return utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):  # the 30th of February; a zone that leaves year 1 or 9999
        raise _refused(text, Kind.DATE) from None


def _refused(text: str, kind: Kind) -> RuleError:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return RuleError(f'"{shown}" cannot be read as {kind.value}')
