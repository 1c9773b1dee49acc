"""Files of lines that grow while they are read, and are finished by size and age.

`NAME.ndjson` is the one that grows. A finished one has the time at which it was finished in its name, and is never
touched again. A full disk is no reason to stop: what cannot be written waits, and is tried again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from runtime.config import FilesConfig
from runtime.service.delivery import Health


def monotonic_ms() -> int:
    """A clock that only goes forward."""
    return time.monotonic_ns() // 1_000_000


class RotatingFile:
    """A `Delivery` to a file; it takes lines as a `LineSink` does, and never raises for what the disk does.

    Each list of lines is written at once, so a reader that follows the file sees them. The folder is made. A line that
    was torn when a process died is closed, so that the next one stands by itself.
    """

    def __init__(self, path: Path, config: FilesConfig, clock_ms: Callable[[], int] = monotonic_ms) -> None:
        self.name = str(path)
        self.health = Health()
        self._path = path
        self._config = config
        self._clock_ms = clock_ms
        self._waiting = bytearray()
        self._file: int | None = None
        self._size = 0
        self._opened_ms = 0
        self._finished = 0
        self._taken = 0

    @property
    def waiting_bytes(self) -> int:
        """What could not be written yet."""
        return len(self._waiting)

    @property
    def taken(self) -> int:
        """The number of the first line that is not written whole."""
        return self._taken - self._waiting.count(b"\n")

    def resume(self, taken: int) -> int:
        """The number of the first line that it wants."""
        self._taken = taken
        return taken

    def waiting_lines(self) -> list[bytes]:
        """What could not be written yet."""
        return bytes(self._waiting).splitlines()

    @property
    def is_ready(self) -> bool:
        """False while the disk takes nothing."""
        return self.health.problem is None

    def write(self, lines: list[bytes]) -> None:
        """Writes the lines, each with a newline; all of them wait while the disk takes nothing."""
        if not lines:
            return
        self._waiting += b"\n".join((*lines, b""))
        self._taken += len(lines)
        self.health.lines += len(lines)
        if self.is_ready:
            self._try()

    def tick(self) -> None:
        """Tries again what waits, and finishes a file that is old enough."""
        if self._waiting or (self._file is not None and self._is_due()):
            self._try()

    async def drain(self, seconds: float) -> None:
        """Writes out what waits. No time is needed: the disk takes it at once or not at all."""
        if self._waiting:
            self._try()

    def close(self) -> None:
        """Closes the file; the next run goes on with it."""
        self.tick()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try(self) -> None:
        try:
            if self._file is not None and self._is_due():
                self._finish()
            if self._file is None:
                self._open()
            while self._waiting:
                assert self._file is not None
                written = os.write(self._file, self._waiting)
                del self._waiting[:written]
                self._size += written
        except OSError as error:
            self.health.failed(f"it cannot be written: {error.strerror or error}")
        else:
            self.health.went_well()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        self._size = os.fstat(self._file).st_size
        self._opened_ms = self._clock_ms()
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            self._waiting[:0] = b"\n"

    def _is_due(self) -> bool:
        """True when the file is to be finished. In the middle of a line it is not."""
        is_old = self._clock_ms() - self._opened_ms >= self._config.rotate_age_ms
        return self._size > 0 and (is_old or self._size >= self._config.rotate_size) and not self._is_torn()

    def _is_torn(self) -> bool:
        assert self._file is not None
        return os.pread(self._file, 1, self._size - 1) != b"\n"

    def _finish(self) -> None:
        assert self._file is not None
        os.close(self._file)
        self._file = None
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        while True:
            self._finished += 1
            finished = self._path.with_name(f"{self._path.stem}-{stamp}-{self._finished:04d}{self._path.suffix}")
            if not finished.exists():
                os.rename(self._path, finished)
                return
