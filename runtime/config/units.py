"""Durations and sizes as people write them, because a bare number in a configuration never says its unit.

One number and one unit: `500ms 30s 30m 24h 1d` and `512 64KiB 16MiB 1GiB`. A zero needs no unit.
"""

from __future__ import annotations

import re

MS_BY_UNIT = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds by the unit of a duration, smallest first."""

BYTES_BY_UNIT = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
"""Bytes by the unit of a size, smallest first."""

_LARGEST = 2**63 - 1
# Nineteen digits are all of 64 bits; more would only make Python work for nothing.
_NUMBER = re.compile(r"([0-9]{1,19})([A-Za-z]*)")


def parse_duration(text: str) -> int | None:
    """The milliseconds of a text such as `30m` or a bare `0`; None when it is no duration or exceeds 64 bits."""
    return 0 if text == "0" else _parse(text, MS_BY_UNIT)


def parse_size(text: str) -> int | None:
    """The bytes of a text such as `512` or `16MiB`; None when it is no size or exceeds 64 bits."""
    return _parse(text, BYTES_BY_UNIT)


def format_duration(ms: int) -> str:
    """The shortest text that `parse_duration` reads as these milliseconds. Raises ValueError when negative."""
    return "0s" if ms == 0 else _format(ms, MS_BY_UNIT)


def format_size(size_bytes: int) -> str:
    """The shortest text that `parse_size` reads as these bytes. Raises ValueError when negative."""
    return "0" if size_bytes == 0 else _format(size_bytes, BYTES_BY_UNIT)


def _parse(text: str, factors: dict[str, int]) -> int | None:
    match = _NUMBER.fullmatch(text)
    if match is None or match[2] not in factors:
        return None
    value = int(match[1]) * factors[match[2]]
    return value if value <= _LARGEST else None


def _format(value: int, factors: dict[str, int]) -> str:
    if value < 0:
        raise ValueError(f"neither a duration nor a size: {value}")
    unit = next(unit for unit in reversed(factors) if value % factors[unit] == 0)
    return f"{value // factors[unit]}{unit}"


def spoken_duration(duration_ms: int) -> str:
    """A duration for people, in its two largest units: `8 min 23 s`, `30 min`."""
    seconds = duration_ms // 1000
    if seconds < 60:
        return f"{duration_ms / 1000:.1f} s"
    if seconds < 3600:
        large, small = f"{seconds // 60} min", f"{seconds % 60} s"
    else:
        large, small = f"{seconds // 3600} h", f"{seconds % 3600 // 60} min"
    return large if small.startswith("0 ") else f"{large} {small}"
