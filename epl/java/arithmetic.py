"""Java's arithmetic where Python's differs: division by zero, the sign of a remainder, rounding, 32-bit floats.

Python raises where Java answers with NaN or an infinity, rounds halves to even, and has no negative zero among its
integers; each function here says which of these it mends.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Any

from epl.errors import RuleError
from epl.types import Kind

RANGES: dict[Kind, tuple[int, int]] = {
    kind: (-(1 << bits - 1), (1 << bits - 1) - 1)
    for kind, bits in ((Kind.BYTE, 8), (Kind.SHORT, 16), (Kind.INT, 32), (Kind.LONG, 64))
}
"""Smallest and largest value of the integral types that have one."""

_FLOAT32 = struct.Struct("<f")


def to_float32(x: float) -> float:
    """The 32-bit float nearest to `x`, as a Python float; beyond the largest one an infinity, as Java narrows."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


def to_double(value: Any) -> float:
    """`doubleValue()` of a number: an integer too large for a double becomes an infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def narrow(value: Any, kind: Kind) -> int:
    """`intValue()` and `longValue()`: a fraction is cut and the rest saturates, an integer keeps its low bits.

    NaN gives 0. No error is raised: this is Java's method, not the rule language's checked `cast`.
    """
    low, high = RANGES[kind]
    if isinstance(value, float):
        if math.isnan(value):
            return 0
        return int(min(max(value, low), high)) if math.isfinite(value) else (high if value > 0 else low)
    return (int(value) - low) % (high - low + 1) + low


def divide(a: Any, b: Any) -> float:
    """`a / b` as a double; by zero it is NaN or an infinity with Java's sign, never an error."""
    try:
        return float(a) / float(b)
    except OverflowError:
        return divide(to_double(a), to_double(b))
    except ZeroDivisionError:
        dividend = to_double(a)
        if dividend == 0 or math.isnan(dividend):
            return math.nan
        return math.copysign(math.inf, dividend) * math.copysign(1.0, b)


def remainder(a: Any, b: Any) -> Any:
    """Java's `a % b`: the sign is that of `a`; a double by zero is NaN.

    Raises RuleError when `b` is an integral (or decimal) zero.
    """
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        a, b = _decimal(a), _decimal(b)
        if b == 0:
            raise RuleError(f"division by zero: {a} % 0")
        return a % b
    if isinstance(a, float) or isinstance(b, float):
        try:
            return math.fmod(a, b)
        except ValueError:  # an infinite dividend or a zero divisor
            return math.nan
    if b == 0:
        raise RuleError(f"division by zero: {a} % 0")
    magnitude = abs(a) % abs(b)
    return -magnitude if a < 0 else magnitude


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def compare(a: Any, b: Any) -> int:
    """`compareTo` of two numbers: -1, 0 or 1; NaN is the largest and -0.0 is below 0.0, as Double.compare orders."""
    if a != a or b != b:
        return int(a != a) - int(b != b)
    if a != b:
        return -1 if a < b else 1
    if a == 0 and isinstance(a, float) and isinstance(b, float):
        return int(math.copysign(1.0, a) - math.copysign(1.0, b)) // 2
    return 0


def largest(a: float, b: float) -> float:
    """Math.max of doubles: NaN if either is, and 0.0 above -0.0."""
    if math.isnan(a) or math.isnan(b):
        return math.nan
    return float(a if compare(float(a), float(b)) >= 0 else b)


def smallest(a: float, b: float) -> float:
    """Math.min of doubles: NaN if either is, and -0.0 below 0.0."""
    return -largest(-float(a), -float(b))


def floor(x: float) -> float:
    """Math.floor: a double, which keeps the sign of a zero, an infinity or NaN."""
    return math.copysign(float(math.floor(x)), x) if math.isfinite(x) else x


def ceil(x: float) -> float:
    """Math.ceil: a double; `ceil(-0.5)` is -0.0."""
    return math.copysign(float(math.ceil(x)), x) if math.isfinite(x) else x


def half_up(x: float, kind: Kind) -> int:
    """Math.round: halves go up (`-2.5` to -2), NaN to 0, and what does not fit saturates.

    The fraction is compared instead of adding 0.5 first, so that 0.49999999999999994 rounds to 0 as in Java 7 and up.
    """
    if not math.isfinite(x):
        return narrow(x, kind)
    whole = math.floor(x)
    low, high = RANGES[kind]
    return min(max(whole + 1 if x - whole >= 0.5 else whole, low), high)


def sqrt(x: float) -> float:
    """Math.sqrt: NaN below zero."""
    return math.sqrt(x) if x >= 0 else math.nan


def log(x: float) -> float:
    """Math.log: natural; -Infinity of zero, NaN below."""
    if x > 0:
        return math.log(x)
    return -math.inf if x == 0 else math.nan


def exp(x: float) -> float:
    """Math.exp: Infinity where it no longer fits."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def power(base: float, exponent: float) -> float:
    """Math.pow: NaN and infinities where Python raises; unlike C, 1 to the power of NaN or an infinity is NaN."""
    base, exponent = float(base), float(exponent)
    if math.isnan(exponent) or (math.isinf(exponent) and abs(base) == 1):
        return math.nan
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and _is_odd(exponent) else math.inf
    except ValueError:  # a zero to a negative power, or a negative base to a fraction
        if base != 0:
            return math.nan
        return math.copysign(math.inf, base) if _is_odd(exponent) else math.inf


def _is_odd(x: float) -> bool:
    return math.fmod(x, 2.0) in (1.0, -1.0)
