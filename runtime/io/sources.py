"""Files of events as blocks of NDJSON lines, whatever they are: NDJSON or CSV, plain, gzip or zstd, a path or stdin.

Compression is told by the first bytes, since names lie; CSV is told by the name, since its first bytes tell nothing.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import BinaryIO, Literal, Self

from epl.types import Type
from runtime.io.blocks import Block, LineCutter, OnLongLine
from runtime.io.csv_rows import CsvRows
from runtime.io.errors import CorruptData, SourceError
from runtime.io.inflate import GZIP_MAGIC, inflate
from runtime.io.zstd import NoZstd, is_zstd, unpack_zstd

Format = Literal["auto", "ndjson", "csv"]

_PACKED = ("", ".gz", ".zst", ".zstd")
_TSV_NAMES = tuple(f".tsv{packed}" for packed in _PACKED)
_CSV_NAMES = (*(f".csv{packed}" for packed in _PACKED), *_TSV_NAMES)
_PACKED_READ_BYTES = 64 * 1024  # about 0.5 MiB of events; small, so that a progress bar of compressed bytes moves
_UTF8_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 4
PARQUET_MAGIC = b"PAR1"
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe", "it is UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16 text; save it as UTF-8"),
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (PARQUET_MAGIC, "it is Parquet, which is read by its name, not from a pipe, and where there are events to replay"),
)


def is_parquet(name: str) -> bool:
    """True for a file, not a pipe, that begins as Parquet does."""
    try:
        if not os.path.isfile(name):
            return False
        with open(name, "rb") as file:
            return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    except (OSError, ValueError):
        return False  # whoever opens it says why it cannot be read


class EventSource:
    """One file of events: a context manager and an iterator of blocks, read once from start to end.

    Iteration raises SourceError when the file cannot be read to its end, after every whole line before that place.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[int], bytes],
        close: Callable[[], None],
        *,
        total_bytes: int | None,
        rows: CsvRows | None,
        lines: LineCutter,
        chunk_bytes: int,
    ) -> None:
        self.name = name
        self.total_bytes = total_bytes
        self._read = read
        self._close = close
        self._rows = rows
        self._lines = lines
        self._chunk_bytes = chunk_bytes
        self._read_bytes = 0
        self._blocks = self._line_blocks() if rows is None else self._row_blocks(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        return next(self._blocks)

    def close(self) -> None:
        """Closes the file; stdin stays open."""
        self._close()

    def _line_blocks(self) -> Iterator[Block]:
        try:
            for chunk in self._text():
                block = self._lines.feed(chunk, self._read_bytes)
                if block is not None:
                    yield block
        except (CorruptData, NoZstd) as error:
            raise SourceError(self.name, str(error)) from error
        except OSError as error:
            raise SourceError(self.name, f"it cannot be read: {error.strerror or error}") from error
        last = self._lines.finish(self._read_bytes)
        if last is not None:
            yield last

    def _row_blocks(self, rows: CsvRows) -> Iterator[Block]:
        for block in self._line_blocks():
            converted = rows.feed(block)
            if converted is not None:
                yield converted
        last = rows.finish(self._read_bytes)
        if last is not None:
            yield last

    def _text(self) -> Iterator[bytes]:
        """The events' bytes: decompressed, without a byte order mark."""
        head = self._first(self._pieces(_PACKED_READ_BYTES))
        unpack = inflate if head.startswith(GZIP_MAGIC) else unpack_zstd if is_zstd(head) else None
        pieces = _chain(head, self._pieces(self._chunk_bytes if unpack is None else _PACKED_READ_BYTES))
        if unpack is not None:
            pieces = unpack(pieces, self._chunk_bytes)
            head = self._first(pieces)
            pieces = _chain(head, pieces)
        for magic, advice in _FOREIGN:
            if head.startswith(magic):
                raise SourceError(self.name, advice)
        skip = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
        for piece in pieces:
            yield piece[skip:] if skip else piece
            skip = 0

    def _pieces(self, size: int) -> Iterator[bytes]:
        while piece := self._read(min(size, self._chunk_bytes)):
            self._read_bytes += len(piece)
            yield piece

    @staticmethod
    def _first(pieces: Iterator[bytes]) -> bytes:
        """Enough bytes to know the file by, or all there are; a pipe may give one at a time."""
        head = b""
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        return head


def open_source(
    name: str,
    *,
    format: Format = "auto",
    field_types: Mapping[str, Type] | None = None,
    max_line_bytes: int = 1 << 20,
    chunk_bytes: int = 1 << 20,
    on_long_line: OnLongLine | None = None,
    stdin: BinaryIO | None = None,
) -> EventSource:
    """Opens a path, or stdin for `-`. Raises SourceError when there is no such file, or it is a folder.

    `field_types` says what the cells of a CSV file are; NDJSON needs none. A line of more than `max_line_bytes` is
    handed to `on_long_line` and reads as blank. `chunk_bytes` is how much is read and given out at a time.
    """
    lines = LineCutter(max_line_bytes, on_long_line)
    rows = None
    if format == "csv" or (format == "auto" and name.lower().endswith(_CSV_NAMES)):
        delimiter = "\t" if name.lower().endswith(_TSV_NAMES) else None
        rows = CsvRows(name, field_types or {}, delimiter=delimiter, max_row_bytes=max_line_bytes)
    if name == "-":
        stream = sys.stdin.buffer if stdin is None else stdin
        # read1 gives what a pipe has now; read would wait for a whole chunk while a live stream trickles in.
        read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        return EventSource(
            "stdin", read, lambda: None, total_bytes=None, rows=rows, lines=lines, chunk_bytes=chunk_bytes
        )
    try:
        file = open(name, "rb", buffering=0)  # noqa: SIM115 - the source closes it
    except FileNotFoundError as error:
        raise SourceError(name, "there is no such file") from error
    except IsADirectoryError as error:
        raise SourceError(name, "it is a folder; name a file in it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise SourceError(name, f"it cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    status = os.fstat(file.fileno())
    total_bytes = status.st_size if stat.S_ISREG(status.st_mode) else None
    return EventSource(
        name, file.read, file.close, total_bytes=total_bytes, rows=rows, lines=lines, chunk_bytes=chunk_bytes
    )


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest
