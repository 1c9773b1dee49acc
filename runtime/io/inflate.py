"""Gzip, decoded piece by piece, with nothing lost before the place where it breaks.

The standard `gzip.open` throws away what it had decoded when a file turns out to be cut off or damaged, and it does not
tell how many compressed bytes it has used. Log files do end in the middle, so both matter here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress

from runtime.io.errors import CorruptData

GZIP_MAGIC = b"\x1f\x8b"

_GZIP_WINDOW = 31  # zlib's way to say: a gzip header and trailer, the largest window


def inflate(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Decodes gzip data of one or many members, at most `max_bytes` at a time whatever the compression.

    Raises CorruptData after all that could be decoded was given. Zero bytes after a member are padding, as for `gzip`.
    """
    member = zlib.decompressobj(wbits=_GZIP_WINDOW)
    for piece in pieces:
        while piece:
            if member.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                member = zlib.decompressobj(wbits=_GZIP_WINDOW)
            before = member.copy()
            try:
                decoded = member.decompress(piece, max_bytes)
            except zlib.error as error:
                # zlib drops the output of a call that fails: do it again from the copy, a byte at a time.
                yield _until_failure(before, piece)
                raise CorruptData("its gzip data is damaged") from error
            yield decoded
            piece = member.unused_data if member.eof else member.unconsumed_tail
    while not member.eof and (decoded := member.decompress(b"", max_bytes)):
        yield decoded
    if not member.eof:
        raise CorruptData("its gzip data is cut off: the end is missing")


def _until_failure(member: zlib._Decompress, piece: bytes) -> bytes:
    decoded = bytearray()
    with suppress(zlib.error):
        for offset in range(len(piece)):
            decoded += member.decompress(piece[offset : offset + 1])
    return bytes(decoded)
