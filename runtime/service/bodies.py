"""Bodies of requests to lines: unpacked within a limit, an array cut into its events, each on a line of its own."""

from __future__ import annotations

import msgspec

from runtime.io import LineCutter, OnLongLine
from runtime.io.errors import CorruptData
from runtime.io.inflate import inflate
from runtime.io.zstd import unpack_zstd
from runtime.service.intake import NotTaken

_PIECE_BYTES = 256 * 1024
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_JSON = "application/json"
_ENCODINGS = ("identity", "gzip", "zstd")

_MOST_LINES = 1_000_000
_MOST_COMMAS = 2_000_000
"""What a few bytes could stand for otherwise: each line, and each element of an array, takes a hundred."""

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


def check_kind(content_type: str, encoding: str) -> None:
    """Raises NotTaken (415) for what is not read here."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != _JSON and kind not in _LINES:
        reason = f"Content-Type `{kind}` is not read here" if kind else "there is no Content-Type"
        raise NotTaken(415, f"{reason}: send {_LINES[0]}, or {_JSON} for an array")
    if encoding not in _ENCODINGS:
        raise NotTaken(415, f"Content-Encoding `{encoding}` is not read here: send gzip, zstd or none")


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """A body without its compression. Raises NotTaken: 400 when it is damaged, 413 when it unpacks to too much."""
    if encoding == "identity":
        return body
    unpack = inflate if encoding == "gzip" else unpack_zstd
    unpacked = bytearray()
    try:
        for piece in unpack(iter((body,)), _PIECE_BYTES):
            unpacked += piece
            if len(unpacked) > limit:
                raise NotTaken(413, f"the body unpacks to more than {limit:,} bytes")
    except CorruptData as error:
        raise NotTaken(400, f"the body cannot be unpacked: {error}") from error
    return bytes(unpacked)


def lines_of(body: bytes, content_type: str, max_line_bytes: int, on_long_line: OnLongLine) -> list[bytes]:
    """The events of a body, a line each; one that is too long is reported and blank here.

    Raises NotTaken: 400 for JSON that is neither an array nor an object, 413 for too many events.
    """
    if not content_type.lower().startswith(_JSON):
        if body.count(b"\n") >= _MOST_LINES:
            raise NotTaken(413, f"the body has more than {_MOST_LINES:,} lines")
        return _cut(body, max_line_bytes, on_long_line)
    first = body.lstrip()[:1]
    if first == b"[":
        if body.count(b",") > _MOST_COMMAS:
            raise NotTaken(413, f"the body has more than {_MOST_COMMAS:,} commas: send smaller batches")
        try:
            events = [_one_line(bytes(element)) for element in _elements(body)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise NotTaken(400, f"the body is no JSON array: {error}") from error
    elif first == b"{":
        events = [_one_line(body)]
    else:
        raise NotTaken(400, "the body is neither a JSON array of events nor an event")
    for number, event in enumerate(events, 1):
        if len(event) > max_line_bytes:
            on_long_line(number, len(event), event[:1024])
            events[number - 1] = b""
    return events


def _cut(body: bytes, max_line_bytes: int, on_long_line: OnLongLine) -> list[bytes]:
    cutter = LineCutter(max_line_bytes, on_long_line)
    lines: list[bytes] = []
    for block in (cutter.feed(body, len(body)), cutter.finish(len(body))):
        if block is not None:
            lines += block.lines
    return lines


def _one_line(event: bytes) -> bytes:
    """In JSON a line break is never part of a value."""
    return event.replace(b"\n", b" ").replace(b"\r", b" ")
