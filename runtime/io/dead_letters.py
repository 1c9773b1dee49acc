"""Events that could not be used, written down with the reason, so that none is lost and each can be sent again."""

from __future__ import annotations

import base64
import codecs
from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.io.sinks import LineSink

RAW_LIMIT_BYTES = 64 * 1024
"""How much of the event's own bytes a dead letter carries."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that was refused.

    `code` is the stable name of the kind of reason, `reason` its text for people; `source` and `line` (from 1) say
    where it came from. `raw` is the event as it came; `raw_bytes` is its whole length when `raw` is only its head.
    """

    reason: str
    code: str
    tenant: str
    source: str
    line: int
    raw: bytes
    raw_bytes: int | None = None


class DeadLetterWriter:
    """Writes dead letters to a sink as NDJSON, and counts them by code in `counts`.

    Text stays readable as `raw`; bytes that are not UTF-8 go as `raw_base64`. What was cut tells its whole length as
    `raw_bytes`. Raises SinkError as the sink does.
    """

    def __init__(self, sink: LineSink) -> None:
        self.counts: Counter[str] = Counter()
        self._sink = sink
        self._encode = msgspec.json.Encoder().encode

    def write(self, letter: DeadLetter) -> None:
        """Writes one letter."""
        self.counts[letter.code] += 1
        record: dict[str, Any] = {
            "reason": letter.reason,
            "code": letter.code,
            "tenant": letter.tenant,
            "source": letter.source,
            "line": letter.line,
        }
        total = len(letter.raw) if letter.raw_bytes is None else letter.raw_bytes
        head = letter.raw[:RAW_LIMIT_BYTES]
        try:
            # A cut may fall inside a character: an unfinished one at the end is then left out, not an error.
            record["raw"] = codecs.utf_8_decode(head, "strict", total <= len(head))[0]
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(head).decode("ascii")
        if total > len(head):
            record["raw_bytes"] = total
        self._sink.write([self._encode(record)])

    def close(self) -> None:
        """Closes the sink."""
        self._sink.close()
