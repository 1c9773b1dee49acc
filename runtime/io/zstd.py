"""zstd, packed and unpacked piece by piece; its library is an extra, wanted only when such a file comes.

As with gzip, a file that is cut off or damaged gives what was whole before that place: logs do end in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import BinaryIO, Protocol

from runtime.io.errors import CorruptData

_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPED_MAGIC = b"\x2a\x4d\x18"
"""Behind a byte from 0x50 to 0x5f: a frame without data, with which the files of parallel packers begin."""

_STEP_BYTES = 1024
"""What is unpacked at a time. The library keeps no part of what it cannot finish, so little is lost to damage; and no
more than 32 MiB can come of it."""
_LARGEST_WINDOW = 1 << 27
_LEVEL = 3  # 41 MB of events: 0.08 s and 2.7 MB; level 9: 0.6 s and 1.9 MB


class Packer(Protocol):
    """A file that packs what is written to it into another one, which stays open when it is closed."""

    def write(self, data: bytes, /) -> object:
        """Takes more."""

    def close(self) -> None:
        """Writes what is left."""


class NoZstd(Exception):
    """The library is not installed; the message says how to install it."""

    def __init__(self) -> None:
        super().__init__("zstd needs the package zstandard: pip install 'sojourn[zstd]'")


def is_zstd(head: bytes) -> bool:
    """True when the first four bytes of a file say so."""
    return head.startswith(_FRAME_MAGIC) or (head[1:4] == _SKIPPED_MAGIC and head[0] >> 4 == 5)


def unpack_zstd(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Unpacks zstd data of one or many frames, into pieces of at most `max_bytes`.

    Raises NoZstd, and CorruptData after all that could be unpacked was given.
    """
    library = _library()
    unpacker = library.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    frame = unpacker.decompressobj()
    for piece in pieces:
        for start in range(0, len(piece), _STEP_BYTES):
            step = piece[start : start + _STEP_BYTES]
            while step:
                if frame.eof:
                    frame = unpacker.decompressobj()
                try:
                    unpacked = frame.decompress(step)
                except library.ZstdError as error:
                    raise CorruptData("its zstd data is damaged") from error
                for place in range(0, len(unpacked), max_bytes):
                    yield unpacked[place : place + max_bytes]
                step = frame.unused_data if frame.eof else b""
    if not frame.eof:
        raise CorruptData("its zstd data is cut off: the end is missing")


def zstd_packer() -> Callable[[BinaryIO], Packer]:
    """What makes a packer of a file. Raises NoZstd."""
    packer = _library().ZstdCompressor(level=_LEVEL, write_checksum=True)
    return partial(packer.stream_writer, closefd=False)


def _library() -> ModuleType:
    try:
        import zstandard
    except ImportError as error:
        raise NoZstd from error
    return zstandard
