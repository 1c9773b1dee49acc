"""Runs of whole lines, cut from chunks of bytes that end anywhere.

There are millions of lines, so the reader has no business with single ones: it looks for the last newline of a chunk
and leaves the rest to C. A line that is too long is the one exception, and even those are found by jumping
from window to window, not from line to line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import repeat

OnLongLine = Callable[[int, int, bytes], None]
"""Told of an over-long line: its number (from 1), its length in bytes, and its first `LONG_LINE_HEAD` bytes."""

LONG_LINE_HEAD = 1024
"""How many bytes of an over-long line are kept for the report."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole lines, at least one, without their newlines.

    `first_line` counts from 1. `read_bytes` is how much of the underlying file is used up (compressed bytes for gzip).
    """

    lines: list[bytes]
    first_line: int
    read_bytes: int


class LineCutter:
    """Cuts a stream of chunks into blocks.

    A `\\r` before a newline is removed. A line of more than `max_line_bytes` (its `\\r` counts) is reported and
    replaced by a blank line, so that the numbers of the others hold; no more than that plus one chunk is ever kept.
    """

    __slots__ = ("_head", "_held", "_line", "_max", "_on_long_line", "_parts", "_skipped")

    def __init__(self, max_line_bytes: int, on_long_line: OnLongLine | None = None) -> None:
        self._max = max_line_bytes
        self._on_long_line = on_long_line
        self._line = 1
        # The line without an end yet: kept in parts, or, when already too long, only counted.
        self._parts: list[bytes] = []
        self._held = 0
        self._skipped = 0
        self._head = b""

    def feed(self, chunk: bytes, read_bytes: int) -> Block | None:
        """Takes the next bytes; gives the lines that they complete, or None when they complete none."""
        cut = chunk.rfind(b"\n")
        if cut < 0:
            self._hold(chunk)
            return None
        if self._skipped:
            end = chunk.find(b"\n")
            self._report(self._line, self._skipped + end, (self._head + chunk[:end])[:LONG_LINE_HEAD])
            self._skipped = 0
            data = chunk[end:cut]
        else:
            self._parts.append(chunk[:cut])
            data = b"".join(self._parts)
        self._parts = []
        self._held = 0
        if len(data) > self._max:
            data = self._without_long_lines(data)
        if b"\r" in data:
            data = (data + b"\n").replace(b"\r\n", b"\n")[:-1]
        block = self._block(data, read_bytes)
        self._hold(chunk[cut + 1 :])
        return block

    def finish(self, read_bytes: int) -> Block | None:
        """The last line when no newline ends it, else None."""
        if self._skipped:
            self._report(self._line, self._skipped, self._head)
            self._skipped = 0
            return self._block(b"", read_bytes)
        if not self._held:
            return None
        data = b"".join(self._parts)
        self._parts = []
        self._held = 0
        return self._block(data, read_bytes)

    def _block(self, data: bytes, read_bytes: int) -> Block:
        # Twice as fast as `split`, which looks at one byte after the other.
        lines = list(map(bytes.removesuffix, BytesIO(data), repeat(b"\n")))
        if not data or data.endswith(b"\n"):
            lines.append(b"")
        block = Block(lines, self._line, read_bytes)
        self._line += len(lines)
        return block

    def _hold(self, tail: bytes) -> None:
        """Keeps the beginning of a line until its end comes, or counts it when it is too long to keep."""
        if self._skipped:
            self._skipped += len(tail)
            if len(self._head) < LONG_LINE_HEAD:
                self._head = (self._head + tail)[:LONG_LINE_HEAD]
            return
        if not tail:
            return
        self._parts.append(tail)
        self._held += len(tail)
        if self._held > self._max:
            self._skipped = self._held
            self._head = b"".join(self._parts)[:LONG_LINE_HEAD]
            self._parts = []
            self._held = 0

    def _without_long_lines(self, data: bytes) -> bytes:
        """Blanks the over-long lines of `data`; returns `data` itself when there is none."""
        kept: list[bytes] = []
        keep_from = start = 0  # `start` is always the first byte of a line
        while len(data) - start > self._max:
            newline = data.rfind(b"\n", start, start + self._max + 1)
            if newline >= 0:  # every line up to here fits in the window, hence in the limit
                start = newline + 1
                continue
            end = data.find(b"\n", start + self._max)
            if end < 0:
                end = len(data)
            line = self._line + data.count(b"\n", 0, start)
            self._report(line, end - start, data[start : min(end, start + LONG_LINE_HEAD)])
            kept.append(data[keep_from:start])
            keep_from = end
            start = end + 1
        if not kept:
            return data
        kept.append(data[keep_from:])
        return b"".join(kept)

    def _report(self, line: int, length: int, head: bytes) -> None:
        if self._on_long_line is not None:
            self._on_long_line(line, length, head)
