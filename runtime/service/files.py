"""Files of lines that grow while they are read, and are finished by size and age.

`NAME.ndjson` is the one that grows. A finished one has the time at which it was finished in its name, and is never
touched again. A full disk is no reason to stop: what cannot be written waits, and is tried again.

Beside it, `.NAME.ndjson.first` says which number its first line has, so that the file itself tells how many lines it
has had: after a crash none is written twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from runtime.config.service import FilesConfig
from runtime.rules import TenantRules
from runtime.service.delivery import Health
from runtime.service.spans import span

_PIECE_BYTES = 1 << 20


def monotonic_ms() -> int:
    """A clock that only goes forward."""
    return time.monotonic_ns() // 1_000_000


class _First(msgspec.Struct):
    """The number of a file's first line; `following` is that of the next file, while this one is being finished."""

    first: int
    following: int | None = None


class RotatingFile:
    """A `Delivery` to a file; it never raises for what the disk does.

    Each list of lines is written at once, so a reader that follows the file sees them. The folder is made. A line that
    was torn when a process died is cut off: it comes again.
    """

    def __init__(self, path: Path, config: FilesConfig, clock_ms: Callable[[], int] = monotonic_ms) -> None:
        self.name = str(path)
        self.health = Health()
        self._path = path
        self._beside = path.with_name(f".{path.name}.first")
        self._config = config
        self._clock_ms = clock_ms
        self._waiting = bytearray()
        self._torn = b""
        """What the file has of the line with which `_waiting` goes on."""
        self._taken = 0
        self._first = 0
        self._is_marked = False
        self._file: int | None = None
        self._finished_files: list[int] = []
        self._size = 0
        self._opened_ms = 0
        self._finished = 0

    @property
    def waiting_bytes(self) -> int:
        """What could not be written yet."""
        return len(self._waiting)

    @property
    def is_ready(self) -> bool:
        """False while the disk takes nothing."""
        return self.health.problem is None

    @property
    def taken(self) -> int:
        """The number of the first line that is not in the file as a whole."""
        return self._taken

    def resume(self, taken: int) -> int:
        """Goes on with the file that is there; the number of the line that it wants next, by its own count."""
        try:
            lines = self._cut_and_count()
            found = self._read_first()
        except (OSError, msgspec.MsgspecError) as error:
            self.health.failed(f"it cannot be read: {error}")
            lines, found = 0, None
        if found is None:
            self._first = taken - lines
        elif found.following is not None and not self._path.exists():
            self._first = found.following
        else:
            self._first = found.first
        # Less than that is there where somebody took lines out.
        self._taken = max(taken, self._first + lines)
        self._is_marked = found == _First(self._taken - lines)
        self._first = self._taken - lines
        return self._taken

    def go_by(self, rules: TenantRules) -> None:
        """Nothing: a line is a line."""

    def write(self, lines: list[bytes]) -> None:
        """Writes the lines, each with a newline; all of them wait while the disk takes nothing."""
        if not lines:
            return
        self._waiting += b"\n".join((*lines, b""))
        self.health.lines += len(lines)
        if self.is_ready:
            with span("write", lines=len(lines)):
                self._try()

    def waiting_lines(self) -> list[bytes]:
        """The lines that are not in the file as a whole."""
        return (self._torn + self._waiting).split(b"\n")[:-1] if self._waiting else []

    def tick(self) -> None:
        """Tries again what waits, and finishes a file that is old enough."""
        if self._waiting or not self.is_ready or (self._file is not None and self._is_due()):
            self._try()

    async def drain(self, seconds: float) -> None:
        """Writes out what waits. No time is needed: the disk takes it at once or not at all."""
        if self._waiting:
            self._try()

    def close(self) -> None:
        """Closes the file; the next run goes on with it."""
        self.tick()
        self.forget_finished(len(self._finished_files))
        if self._file is not None:
            os.close(self._file)
            self._file = None

    # ---- for snapshots: what was written before one has to be on the disk when it is

    def handles(self) -> list[int]:
        """The files that may not be on the disk yet, those that are finished first."""
        return [*self._finished_files, *(() if self._file is None else (self._file,))]

    @property
    def finished(self) -> int:
        """How many of the handles are of finished files."""
        return len(self._finished_files)

    def forget_finished(self, count: int) -> None:
        """The first so many finished files are on the disk."""
        for file in self._finished_files[:count]:
            os.close(file)
        del self._finished_files[:count]

    # ---- writing

    def _try(self) -> None:
        try:
            if self._file is not None and self._is_due():
                self._finish()
            if self._file is None:
                self._open()
            while self._waiting:
                assert self._file is not None
                written = os.write(self._file, self._waiting)
                self._written(written)
        except OSError as error:
            self.health.failed(f"it cannot be written: {error.strerror or error}")
        else:
            self.health.went_well()

    def _written(self, count: int) -> None:
        """So many bytes of what waited are in the file."""
        whole = self._waiting.rfind(b"\n", 0, count) + 1
        self._taken += self._waiting.count(b"\n", 0, whole)
        begun = bytes(self._waiting[whole:count])
        self._torn = begun if whole else self._torn + begun
        del self._waiting[:count]
        self._size += count

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_marked:
            self._write_first(_First(self._first))
            self._is_marked = True
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._file).st_size
        self._opened_ms = self._clock_ms()

    def _is_due(self) -> bool:
        """True when the file is to be finished. In the middle of a line it is not."""
        is_old = self._clock_ms() - self._opened_ms >= self._config.rotate_age_ms
        return self._size > 0 and (is_old or self._size >= self._config.rotate_size) and not self._torn

    def _finish(self) -> None:
        assert self._file is not None
        # First what will be: whenever the process dies, either this file is there still, or it is the next one's turn.
        self._write_first(_First(self._first, self._taken))
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        while True:
            self._finished += 1
            finished = self._path.with_name(f"{self._path.stem}-{stamp}-{self._finished:04d}{self._path.suffix}")
            if not finished.exists():
                os.rename(self._path, finished)
                break
        self._finished_files.append(self._file)
        self._file = None
        self._first = self._taken
        self._is_marked = False

    # ---- the count of lines

    def _cut_and_count(self) -> int:
        """The whole lines of the file; what is behind the last of them is cut off."""
        lines = size = 0
        try:
            with self._path.open("rb+") as file:
                whole = 0
                while piece := file.read(_PIECE_BYTES):
                    lines += piece.count(b"\n")
                    whole = size + end + 1 if (end := piece.rfind(b"\n")) >= 0 else whole
                    size += len(piece)
                if whole < size:
                    file.truncate(whole)
        except FileNotFoundError:
            return 0
        return lines

    def _read_first(self) -> _First | None:
        try:
            return msgspec.json.decode(self._beside.read_bytes(), type=_First)
        except FileNotFoundError:
            return None

    def _write_first(self, first: _First) -> None:
        new = self._beside.with_name(f"{self._beside.name}.new")
        new.write_bytes(msgspec.json.encode(first))
        os.replace(new, self._beside)
