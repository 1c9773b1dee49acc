"""Java's text of values: what `cast(x, string)`, `String.valueOf` and `toString()` give.

Doubles follow the corrected algorithm of JDK 19: the shortest digits that read back as the same number. Older Javas
write a few numbers with a digit too many (2.0E23 as 1.9999999999999998E23).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from epl.java.arithmetic import to_double, to_float32
from epl.java.values import utc
from epl.types import Kind, Type

_FLOAT, _DOUBLE = Kind.FLOAT, Kind.DOUBLE  # an enum's members are slow to look up


def text_of(value: object, type: Type | None) -> str:
    """The text of a value of a static type; with no type (or `object`) the Python value decides.

    Without a type a float is a double. Null is `null`. Dates are ISO 8601 in UTC, with milliseconds only when there
    are any (Java's own Date.toString depends on the machine's zone).
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = None if type is None else type.kind
    if isinstance(value, int):
        # A whole number may stand for a double: JSON does not tell them apart.
        return str(value) if kind is not _FLOAT and kind is not _DOUBLE else text_of(to_double(value), type)
    if isinstance(value, float):
        return float_text(value) if kind is _FLOAT else double_text(value)
    match value:
        case None:
            return "null"
        case datetime():
            return date_text(value)
        case list() | tuple() | dict():
            return _container_text(value, type)
        case _:
            return str(value)  # a Decimal, in the same notation as BigDecimal.toString


def _container_text(value: object, type: Type | None) -> str:
    """`[a, b]` and `{k=v}`, however deep: an event may nest further than Python calls."""
    done: list[str] = []
    waiting: list[str | tuple[object, Type | None]] = [(value, type)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            done.append(part)
            continue
        item, its_type = part
        inner: list[str | tuple[object, Type | None]] = []
        match item:
            case list() | tuple():
                element = None if its_type is None else its_type.element
                for each in item:
                    inner += [", ", (each, element)]
                waiting += ["]", *reversed(inner[1:]), "["]
            case dict():
                for key, each in item.items():
                    inner += [", ", f"{text_of(key, None)}=", (each, None)]
                waiting += ["}", *reversed(inner[1:]), "{"]
            case _:
                done.append(text_of(item, its_type))
    return "".join(done)


def double_text(x: float) -> str:
    """Double.toString: `2.5`, `100.0`, `1.0E7`, `1.0E-4`, `NaN`, `-Infinity`."""
    if 1e-3 <= abs(x) < 1e7 or x == 0:
        return repr(x)  # in this range Python writes what Java writes
    if x != x:
        return "NaN"
    if x in (float("inf"), float("-inf")):
        return "Infinity" if x > 0 else "-Infinity"
    digits = Decimal(repr(x)).normalize().as_tuple().digits
    # Java writes two digits at least and takes the nearest such number: 4.9E-324 where Python says 5e-324.
    return _scientific(f"{x:.{max(len(digits) - 1, 1)}e}")


def float_text(x: float) -> str:
    """Float.toString of the 32-bit float nearest to `x`: as few digits as tell it from its neighbours."""
    x = to_float32(x)
    if x != x or x == 0 or x in (float("inf"), float("-inf")):
        return double_text(x)
    precision = next((p for p in range(1, 9) if to_float32(float(f"{x:.{p}e}")) == x), 9)
    shortest = f"{x:.{precision}e}"
    return repr(float(shortest)) if 1e-3 <= abs(x) < 1e7 else _scientific(shortest)


def _scientific(text: str) -> str:
    """`1.50e+07` as Java writes it: `1.5E7`."""
    mantissa, exponent = text.split("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}0E{int(exponent)}" if mantissa.endswith(".") else f"{mantissa}E{int(exponent)}"


def date_text(value: datetime) -> str:
    """ISO 8601 in UTC: `2024-01-31T08:00:00Z`, `2024-01-31T08:00:00.250Z`; micros only when they are not zero."""
    moment = utc(value)
    unit = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return f"{moment.replace(tzinfo=None).isoformat(timespec=unit)}Z"
