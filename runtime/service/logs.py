"""Logs for machines: one line of JSON an incident, without payloads, and no flood of the same one."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TextIO

_BURST = 5
_WINDOW_S = 60.0
_MOST_KINDS = 1000


class JsonFormatter(logging.Formatter):
    """A record as an object: time, level, where from, what, and the fields of its `incident`, given as `extra`.

    The arguments of a message may be events and keys; they are left out, and only the code's own text is written.
    `about` is in each line.
    """

    def __init__(self, **about: int) -> None:
        super().__init__()
        self._about = about

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        data = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._about,
            "incident": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
            **getattr(record, "incident", {}),
        }
        suppressed = getattr(record, "suppressed", 0)
        if suppressed:
            data["suppressed"] = suppressed
        if record.exc_info and record.exc_info[0] is not None:
            data["error"] = record.exc_info[0].__name__
            data["trace"] = _places(record)
        return json.dumps(data, ensure_ascii=False, default=str)


def _places(record: logging.LogRecord) -> list[str]:
    """Where it went wrong, innermost last; not with which values."""
    places = []
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]


class RateLimit(logging.Filter):
    """At most five of the same incident a minute; the next one that passes says how many did not."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, object, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """True when it may be written."""
        now = time.monotonic()
        kind = (record.name, record.msg, repr(getattr(record, "incident", None)))
        if len(self._seen) > _MOST_KINDS:
            self._seen = {each: seen for each, seen in self._seen.items() if now - seen[0] < _WINDOW_S}
        since, count = self._seen.get(kind, (now, 0))
        if now - since >= _WINDOW_S:
            if count > _BURST:
                record.suppressed = count - _BURST
            since, count = now, 0
        self._seen[kind] = (since, count + 1)
        return count < _BURST


def log_as_json(stream: TextIO, **about: int) -> None:
    """Sends what this process logs to a stream, Sojourn's from `info` up, that of others from `warning` up.

    `about` is in each line.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(**about))
    handler.addFilter(RateLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sojourn").setLevel(logging.INFO)
