"""Files of checked frames, written whole or not at all.

A frame is a kind, a length, a checksum and bytes; the last one says how many there were. Whoever reads a file knows so
whether it is one of ours, of this version, complete and undamaged, before anything of it is believed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from struct import Struct
from typing import BinaryIO
from zlib import crc32

from runtime.disk import sync

_MAGIC = Struct("<8sH")
_NAME = b"SOJOURN\n"
FORMAT = 2
"""The version of what is written here."""
_FRAME = Struct("<cQI")
_END = b"."
_COUNT = Struct("<Q")


class BadFile(Exception):
    """A file that cannot be used; the message says why, without its name."""


class ForeignFile(BadFile):
    """A file of something else, or of a version that this one does not know."""


class TornFile(BadFile):
    """A file that ends too soon, or whose bytes are not those that were written."""


class FrameWriter:
    """Appends frames to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frames = 0
        file.write(_MAGIC.pack(_NAME, FORMAT))

    def write(self, kind: bytes, *parts: bytes | bytearray | memoryview) -> None:
        """One frame of the bytes of all parts. `kind` is one byte. Raises OSError."""
        checksum = crc32(kind)
        for part in parts:
            checksum = crc32(part, checksum)
        self._file.write(_FRAME.pack(kind, sum(map(len, parts)), checksum))
        for part in parts:
            self._file.write(part)
        self._frames += 1

    def end(self) -> None:
        """Says that the file is complete."""
        self.write(_END, _COUNT.pack(self._frames))


@contextmanager
def new_file(path: Path) -> Iterator[FrameWriter]:
    """A file that takes the place of the one at `path` when it is complete and on disk, and not before.

    Raises OSError; what was at `path` is then as it was.
    """
    _remove_left(path)
    beside = _beside(path, os.getpid())
    try:
        with beside.open("wb", buffering=1 << 20) as file:
            writer = FrameWriter(file)
            yield writer
            writer.end()
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _beside(path: Path, process: int | str) -> Path:
    """The file that a process writes, which takes the place of the one at `path`."""
    return path.with_name(f".{path.name}.{process}.part")


def _remove_left(path: Path) -> None:
    """Removes what processes have left that were killed while they wrote: each would be as large as the file."""
    for left in path.parent.glob(_beside(Path(escape(path.name)), "*").name):
        process = left.name.split(".")[-2]
        if process.isdecimal() and not _is_alive(int(process)):
            left.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def read_frames(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and bytes of the frames of a file, all but the last. Raises ForeignFile, TornFile and OSError."""
    head = file.read(_MAGIC.size)
    if len(head) < _MAGIC.size or head[: len(_NAME)] != _NAME:
        raise ForeignFile("it is no file of Sojourn's")
    version = _MAGIC.unpack(head)[1]
    if version != FORMAT:
        raise ForeignFile(f"it is of format {version}; this version of Sojourn reads format {FORMAT}")
    frames = 0
    while True:
        place = file.tell()
        frame = file.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            raise TornFile(f"it ends after {frames} frames, at byte {place:,}, and is not complete")
        kind, length, checksum = _FRAME.unpack(frame)
        data = file.read(length) if length <= _left(file) else b""
        if len(data) < length:
            raise TornFile(f"it ends within frame {frames + 1}, which begins at byte {place:,}")
        if crc32(data, crc32(kind)) != checksum:
            raise TornFile(f"frame {frames + 1} at byte {place:,} is damaged: its checksum is another")
        if kind == _END:
            if data != _COUNT.pack(frames) or file.read(1):
                raise TornFile("frames are missing")
            return
        yield kind, data
        frames += 1


def _left(file: BinaryIO) -> int:
    """How many bytes follow: a damaged length must not ask for memory that there is not."""
    return os.fstat(file.fileno()).st_size - file.tell()
