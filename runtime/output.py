"""What leaves the engine: events as their own bytes with decorations spliced in, and markers as new events."""

from __future__ import annotations

import json
from typing import Any, Protocol

import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Output(Protocol):
    """Takes what the engine sends, in order. `wants_events` False: markers only, events need not be made."""

    wants_events: bool

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """An event: its line as it came, and what to add to it."""

    def marker(self, type_name: str, fields: dict[str, Any], now_ms: int) -> None:
        """A begin or end marker."""


class LineOutput:
    """An `Output` that makes NDJSON lines; `take` hands them over."""

    def __init__(self, type_field: str, *, wants_events: bool = True) -> None:
        self.wants_events = wants_events
        self._type_field = type_field
        self._lines: list[bytes] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Appends the event's line."""
        self._lines.append(decorated(raw, decorations) if decorations else raw)

    def marker(self, type_name: str, fields: dict[str, Any], now_ms: int) -> None:
        """Appends the marker's line; its type comes first and wins over metadata of that name."""
        self._lines.append(to_json({self._type_field: type_name, **fields, self._type_field: type_name}))

    def take(self) -> list[bytes]:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return lines


def decorated(raw: bytes, decorations: dict[str, Any]) -> bytes:
    """The line of an event with fields added, or replaced where the event has them already.

    Adding splices bytes; only a replacement decodes and encodes the whole event (architecture.md, decision 2).
    """
    added = to_json(decorations)
    # A name that stands in the line in quotes may be a field; an escape could spell one of the names.
    if b"\\u" not in raw and not any(f'"{name}"'.encode() in raw for name in decorations):
        body = raw.rstrip()
        if not body[1:-1].isspace() and len(body) > 2:
            return body[:-1] + b"," + added[1:]
        return added
    return to_json({**_decode(raw), **decorations})


def to_json(fields: dict[str, Any]) -> bytes:
    """One line of JSON; NaN and infinities become null."""
    try:
        return _encode(fields)
    except OverflowError:
        # Whole numbers do not wrap here, so they may outgrow the 64 bits that msgspec writes.
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, default=str).encode()
