"""Parts of files: which can be read from the middle, and reading one from one byte to another."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import PurePath

from runtime.io.blocks import LineCutter, OnLongLine
from runtime.io.errors import SourceError
from runtime.io.sources import EventSource

_UTF8_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 1024
_OF_ROWS = frozenset((".csv", ".tsv"))


def size_if_plain(name: str) -> int | None:
    """The size in bytes of a file of NDJSON that can be read from any line on; None for all others.

    Raises SourceError when it cannot be read.
    """
    if name == "-" or _OF_ROWS.intersection(PurePath(name.lower()).suffixes):
        return None
    head = read_bytes(name, 0, _HEAD_BYTES)
    # What begins with an object is neither compressed nor anything else than JSON.
    is_json = head.removeprefix(_UTF8_BOM).lstrip().startswith(b"{")
    return os.stat(name).st_size if is_json else None


def size_if_regular(name: str) -> int | None:
    """The size in bytes of a file that can be read more than once; None for pipes, devices and what is not there."""
    try:
        status = os.stat(name)
    except (OSError, ValueError):
        return None
    return status.st_size if name != "-" and stat.S_ISREG(status.st_mode) else None


def read_bytes(name: str, start: int, count: int) -> bytes:
    """Bytes from a place of a file on: fewer at its end. Raises SourceError."""
    try:
        with open(name, "rb", buffering=0) as file:
            file.seek(start)
            return file.read(count) or b""
    except (OSError, ValueError) as error:
        raise SourceError(name, f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error


def open_range(
    name: str, start: int, end: int | None, *, max_line_bytes: int, chunk_bytes: int, on_long_line: OnLongLine | None
) -> EventSource:
    """The whole lines of a file of NDJSON from byte `start` to `end` (None: its end), both at the beginning of lines.

    Lines count from 1 there. Raises SourceError as `open_source` does.
    """
    try:
        file = open(name, "rb", buffering=0)  # noqa: SIM115 - the source closes it
        file.seek(start)
        count = (os.fstat(file.fileno()).st_size if end is None else end) - start
    except (OSError, ValueError) as error:
        raise SourceError(name, f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return EventSource(
        name,
        _until(file.read, count),
        file.close,
        total_bytes=count,
        rows=None,
        lines=LineCutter(max_line_bytes, on_long_line),
        chunk_bytes=chunk_bytes,
    )


def _until(read: Callable[[int], bytes], count: int) -> Callable[[int], bytes]:
    left = count

    def read_on(size: int) -> bytes:
        nonlocal left
        piece = read(min(size, left))
        left -= len(piece)
        return piece

    return read_on
