"""The log of one tenant: files of checked records, each appended with one `write` before what it says is done.

A process that is killed may leave the last record torn; nobody was told that it was taken, so it is cut off. A record
that does not fit on the disk leaves nothing behind. A new file begins with each snapshot, which makes those before it
needless.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from zlib import crc32

import msgspec

from runtime.disk import sync
from runtime.service.records import Record, Rules, decode_record, encode_record

_MAGIC = b"SOJLOG\n\x01"
"""The last byte is the version of the format."""
_HEAD = Struct("<II")


class NotLogged(Exception):
    """A record that could not be written, so that what it says must not be done; the message says why."""


class StateDamaged(Exception):
    """What a tenant was kept as cannot be used; the message names the file and says why."""


class Log:
    """Appends records to the newest file of a folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 1
        """Of the file that grows."""
        self.problem: str | None = None
        """Why nothing can be written; None while it can."""
        self.version: int | None = None
        """Of the rules that it goes by now; None where versions are not kept."""
        self.needs: dict[int, set[int]] = {}
        """By the number of a file that is there, the versions without which it cannot be done again."""
        self.uncovered_bytes = 0
        """What no snapshot makes needless."""
        self.is_unsynced = False
        """True when something may not be on the disk yet."""
        self._file: int | None = None
        self._size = 0
        self._begin = 0
        """Where the records of what happens begin, in a file that was made here."""

    def append(self, record: Record) -> None:
        """Writes a record. Raises NotLogged; then nothing of it is there."""
        head, data = _framed(record)
        size = len(head) + len(data)
        try:
            if self._file is None:
                self._file, self._size = self._open(self.number)
            self._write(head, data)
        except OSError as error:
            self.problem = f"its log cannot be written: {error.strerror or error}"
            raise NotLogged(self.problem) from error
        self._size += size
        self.uncovered_bytes += size
        self.is_unsynced = True
        self.problem = None

    def _write(self, head: bytes, data: bytes) -> None:
        """Writes at the end of what is whole. Raises OSError, and leaves nothing behind."""
        assert self._file is not None
        # At its place and not at the end: should something be left behind all the same, it is written over.
        written = os.pwritev(self._file, (head, data), self._size)
        try:
            while written < len(head) + len(data):
                written += os.pwrite(self._file, (head + data)[written:], self._size + written)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise

    def rotate(self) -> int:
        """Begins the next file, once the one before is on the disk; its number. Raises OSError: nothing has changed."""
        if self._file is not None:
            os.fdatasync(self._file)
        # One that came to nothing before may have begun by other rules.
        log_file(self.folder, self.number + 1).unlink(missing_ok=True)
        opened, size = self._open(self.number + 1)
        try:
            # A snapshot goes by what it begins with.
            os.fdatasync(opened)
        except OSError:
            os.close(opened)
            raise
        self.close()
        self._file, self._size = opened, size
        self.number += 1
        return self.number

    def covered(self) -> list[Path]:
        """There is a snapshot of when the newest file began; what is needless since then, to be removed."""
        self.uncovered_bytes = self._size - self._begin
        self.needs = {number: versions for number, versions in self.needs.items() if number >= self.number}
        older = [
            path for kind in ("log", "snapshot") for number, path in numbered(self.folder, kind) if number < self.number
        ]
        # Of processes that were killed while they wrote.
        unfinished = self.folder.glob(".*.snapshot.*.part")
        return [*older, *(path for path in unfinished if int(path.name.split(".")[1]) < self.number)]

    def need(self, version: int) -> None:
        """What is appended now goes by a version of the rules."""
        self.needs.setdefault(self.number, set()).add(version)

    def handle(self) -> int | None:
        """A handle of its own of the file that grows, to sync it elsewhere and to close; None without a file."""
        return None if self._file is None else os.dup(self._file)

    def close(self) -> None:
        """Closes the file; the next record opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, number: int) -> tuple[int, int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = os.open(log_file(self.folder, number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(file).st_size
            if size <= len(_MAGIC):
                begin = b"".join((_MAGIC, *(() if self.version is None else _framed(Rules(self.version)))))
                size = self._begin = len(begin)
                if os.pwrite(file, begin, 0) < size:
                    os.ftruncate(file, 0)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                sync(self.folder)
                self.needs[number] = set() if self.version is None else {self.version}
        except OSError:
            os.close(file)
            raise
        return file, size


def _framed(record: Record) -> tuple[bytes, bytes]:
    data = encode_record(record)
    return _HEAD.pack(len(data), crc32(data)), data


def log_file(folder: Path, number: int) -> Path:
    """The file of a number."""
    return folder / f"{number:010}.log"


def snapshot_file(folder: Path, number: int) -> Path:
    """The snapshot of when the log of that number began."""
    return folder / f"{number:010}.snapshot"


def numbered(folder: Path, kind: str) -> list[tuple[int, Path]]:
    """The logs or the snapshots of a folder by their numbers, the oldest first."""
    return sorted((int(path.stem), path) for path in folder.glob(f"*.{kind}") if path.stem.isdecimal())


def read_log(path: Path) -> Iterator[tuple[Record, int]]:
    """The records of a file, each with the place behind it, up to the first that is not whole.

    Raises StateDamaged for a file of something else, and OSError.
    """
    with path.open("rb", buffering=1 << 20) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(_MAGIC))
        if not _MAGIC.startswith(head):
            raise StateDamaged(f"{path}: it is no log that this version of Sojourn reads")
        place = len(_MAGIC)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            place += _HEAD.size + length
            if place > size:
                return
            data = file.read(length)
            if crc32(data) != checksum or not length:
                return
            try:
                record = decode_record(data)
            except msgspec.MsgspecError as error:
                raise StateDamaged(f"{path}: before byte {place:,} there is a record of another version") from error
            yield record, place


def torn_bytes(path: Path, whole: int) -> int:
    """How many bytes lie behind the last whole record of a file, which ends at a place; 0 for no record."""
    return max(path.stat().st_size - max(whole, len(_MAGIC)), 0)
