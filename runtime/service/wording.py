"""Numbers, times and lengths as people read them, on pages and in charts."""

from __future__ import annotations

from datetime import UTC, datetime

from runtime.config import spoken_duration

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


def time_text(time_ms: int) -> str:
    """A time in UTC. Events may say any time; one that no calendar has is told in ms."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"


def moment_text(time_ms: int) -> str:
    """A time in UTC to the millisecond."""
    return f"{time_text(time_ms)}.{time_ms % 1000:03}"


def duration_text(duration_ms: int | None) -> str:
    """A duration in its two largest units, or a dash where there is none."""
    return "–" if duration_ms is None else spoken_duration(duration_ms)


def about_text(duration_ms: int) -> str:
    """A duration in one unit, for where there is little room."""
    for unit, unit_ms in (("d", 2 * _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1000)):
        if duration_ms >= unit_ms:
            return f"{round(duration_ms / (_DAY if unit == 'd' else unit_ms))} {unit}"
    return f"{duration_ms} ms"


def since_text(duration_ms: int) -> str:
    """A round time since a beginning, as an axis has it."""
    if duration_ms >= _MINUTE:
        return spoken_duration(duration_ms)
    return f"{duration_ms} ms" if 0 < duration_ms < 1000 else f"{duration_ms / 1000:g} s"


def latency_text(latency_ms: float | None) -> str:
    """A short time with what digits matter, or a dash where there is none."""
    if latency_ms is None:
        return "–"
    return f"{latency_ms:,.1f} ms" if latency_ms < 10 else f"{latency_ms:,.0f} ms"


def number_text(number: float | None) -> str:
    """A number with its thousands apart, or a dash where there is none."""
    return "–" if number is None else f"{number:,}"


def bytes_text(size: int) -> str:
    """A size in the unit that fits."""
    if size < 1024:
        return f"{size:,} B"
    amount = size / 1024
    for unit in ("KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
