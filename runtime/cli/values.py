"""Values, numbers and times of sessions, as the terminal and machines get them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from epl.java.json_text import to_json

_LONGEST = 60


def shown_value(value: Any, longest: int = _LONGEST) -> str:
    """A value in a line, as the engine would write it."""
    return "null" if value is None else cut(to_json(value), longest)


def plain_value(value: Any) -> Any:
    """The value as JSON can hold it, as the engine would write it."""
    return json.loads(to_json(value))


def cut(text: str, length: int) -> str:
    """A text that fits, with a dot for what a terminal would not print."""
    line = "".join(char if char.isprintable() else "·" for char in text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def counted(count: int, what: str) -> str:
    """How many of something, in words."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def shown_time(time_ms: int) -> str:
    """A time in UTC, to the millisecond; times beyond any calendar as their number."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"
