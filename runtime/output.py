"""What leaves the engine: events as their own bytes with decorations spliced in, and markers as new events."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from runtime.row import Line, raw_line

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_LONGEST_BITS = 14_000
"""Python writes whole numbers of up to 4,300 digits."""


class Output(Protocol):
    """Takes what the engine sends, in order. `wants_events` False: markers only, events need not be made."""

    wants_events: bool

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """An event: its line as it came, and what to add to it."""

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """A begin marker; its type is in the type field, as an event's is."""

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """An end marker. False when it was not taken: the same one comes again until it is."""


class Nowhere:
    """Takes everything and keeps nothing: for profiles that only count."""

    def __init__(self, *, wants_events: bool = False) -> None:
        self.wants_events = wants_events

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Nothing."""

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """Nothing."""

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Taken."""
        return True


NOWHERE: Output = Nowhere()


class LineOutput:
    """An `Output` that makes NDJSON lines; `take` hands them over."""

    def __init__(self, *, wants_events: bool = True) -> None:
        self.wants_events = wants_events
        self._lines: list[bytes] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Appends the event's line."""
        self._lines.append(decorated(raw, decorations) if decorations else raw)

    @property
    def as_it_came(self) -> Callable[[bytes], None] | None:
        """What takes the line of an event without decorations faster than `event`, until `take` is called.

        None where somebody else has a say in each.
        """
        return self._lines.append if type(self).event is LineOutput.event else None

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """Appends the marker's line."""
        self._lines.append(to_json(fields))

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Appends the marker's line."""
        self._lines.append(to_json(fields))
        return True

    @property
    def end_markers(self) -> Callable[[list[dict[str, Any]]], None] | None:
        """What takes many end markers faster than one by one; None where somebody else has a say in each."""
        return self._append_markers if type(self).end_marker is LineOutput.end_marker else None

    def _append_markers(self, markers: list[dict[str, Any]]) -> None:
        self._lines += _lines_of(markers)

    def take(self) -> list[bytes]:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return lines


class RowOutput:
    """What stands before an `Output` for the events of an engine that takes rows, and makes lines of them.

    Markers go to that `Output` itself.
    """

    def __init__(self, output: Output) -> None:
        self.wants_events = output.wants_events
        self.marker = output.marker
        self.end_marker = output.end_marker
        self._event = output.event

    def event(self, raw: Line, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Sends an event on."""
        self._event(raw_line(raw), decorations, now_ms)


def decorated(raw: bytes, decorations: dict[str, Any]) -> bytes:
    """The line of an event with fields added, or replaced where the event has them already.

    Adding splices bytes; only a replacement decodes and encodes the whole event (architecture.md, decision 2).
    """
    body = raw.strip()
    for name in decorations:
        if _may_hold(body, name):
            try:
                return to_json({**_decode(body), **decorations})
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                # Fields that no rule reads are not checked, so they may be unreadable: both stand, the later counts.
                break
    added = to_json(decorations)
    # An object with fields has a name, and a name has quotes.
    return body[:-1] + b"," + added[1:] if body.find(b'"') >= 0 else added


def _may_hold(body: bytes, name: str) -> bool:
    """True when a name stands in a line in quotes, or an escape may spell it.

    `find`, since `in` first tries whether what it looks for is a number: 0.6 µs each time.
    """
    quoted, find = _quoted(name), body.find
    return find(b"\\u") >= 0 or find(quoted) >= 0 or (quoted.find(b"/") >= 0 and find(b"\\/") >= 0)


@lru_cache(maxsize=1024)
def _quoted(name: str) -> bytes:
    return to_json(name)


def to_json(value: Any) -> bytes:
    """One line of JSON; NaN and infinities become null, and so do numbers of thousands of digits."""
    try:
        return _encode(value)
    except (OverflowError, ValueError):
        # Numbers do not wrap here, so they may outgrow any encoder; `fromJson` may give half a surrogate pair.
        return json.dumps(_writable(value), separators=(",", ":"), default=msgspec.to_builtins).encode()


def _lines_of(markers: list[dict[str, Any]]) -> list[bytes]:
    try:
        return list(map(_encode, markers))
    except (OverflowError, ValueError):
        return list(map(to_json, markers))


def _writable(value: Any) -> Any:
    match value:
        case dict():
            return {key: _writable(item) for key, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case int():
            return value if value.bit_length() <= _LONGEST_BITS else None
        case _:
            return value
