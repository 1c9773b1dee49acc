"""Where lines go: a file that appears only when it is whole, stdout, or memory.

A sink takes lists of lines, as the engine gives them out, and writes each list at once.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from runtime.io.errors import SinkClosed, SinkError
from runtime.io.zstd import NoZstd, Packer, zstd_packer

_BUFFER_BYTES = 1 << 20
_GZIP_LEVEL = 6  # 0.47 s for 40 MB of events; level 9, Python's default: 1.22 s for 7 % less


class LineSink(Protocol):
    """Anything that takes lines. Lines hold no newline; the sink ends each with one."""

    def write(self, lines: list[bytes]) -> None:
        """Writes the lines in order. Raises SinkError."""

    def close(self) -> None:
        """Writes out what is buffered and makes the result visible. Raises SinkError. May be called twice."""


class FileSink:
    """A file, gzip when its name ends in `.gz`, zstd when in `.zst`, or stdout for `-`.

    A file is written as `NAME.part` and renamed by `close`, so that whoever finds it finds it whole. After a failure
    (`discard`, or an exception inside `with`) the `.part` stays, with what was written so far. Devices and pipes have
    no other name to write to, and are written directly. stdout is flushed after every list. `joins`: the bytes of other
    files come in by `append`, packed already if the name says so.

    Raises SinkError when the file cannot be made or written, SinkClosed when the reader of a pipe went away.
    """

    def __init__(self, path: str | os.PathLike[str], *, stdout: BinaryIO | None = None, joins: bool = False) -> None:
        self.name = os.fspath(path)
        self._target: str | None = None
        self._part: str | None = None
        self._to_stdout = self.name == "-"
        self._closed = False
        pack = None if joins else self._pack()
        if self._to_stdout:
            self.name = "stdout"
            self._file: BinaryIO = sys.stdout.buffer if stdout is None else stdout
        else:
            self._file = self._open()
        self._packer = None if pack is None else pack(self._file)
        self._top: Packer = self._packer or self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def write(self, lines: list[bytes]) -> None:
        """Writes the lines, each with a newline."""
        if not lines:
            return
        data = b"\n".join((*lines, b""))
        try:
            self._top.write(data)
            if self._to_stdout:
                self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def append(self, path: Path) -> None:
        """Writes the bytes of a file, as they are: those that are packed may stand one behind the other."""
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, self._file, _BUFFER_BYTES)
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    @property
    def is_direct(self) -> bool:
        """True when there is no file that will have the name: stdout, a pipe, a device."""
        return self._target is None

    def close(self) -> None:
        """Writes out the rest and gives the file its name."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._packer is not None:
                self._packer.close()
            self._file.flush()
            if not self._to_stdout:
                self._file.close()
            if self._part is not None and self._target is not None:
                os.replace(self._part, self._target)
        except OSError as error:
            raise self._failure(error) from error

    def discard(self) -> None:
        """Closes without giving the file its name."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            if self._packer is not None:
                self._packer.close()
            if not self._to_stdout:
                self._file.close()

    def _pack(self) -> Callable[[BinaryIO], Packer] | None:
        name = self.name.lower()
        if name.endswith(".gz"):
            # No name and no time in the header: the same lines are the same bytes.
            return lambda file: gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0)
        if name.endswith((".zst", ".zstd")):
            try:
                return zstd_packer()
            except NoZstd as error:
                raise SinkError(self.name, str(error)) from error
        return None

    def _open(self) -> BinaryIO:
        try:
            if os.path.exists(self.name) and not stat.S_ISREG(os.stat(self.name).st_mode):
                return open(self.name, "wb", buffering=_BUFFER_BYTES)
            self._target = os.path.realpath(self.name)  # the file behind a link is replaced, not the link
            self._part = f"{self._target}.part"
            return open(self._part, "wb", buffering=_BUFFER_BYTES)
        except IsADirectoryError as error:
            raise SinkError(self.name, "it is a folder; name a file in it") from error
        except FileNotFoundError as error:
            raise SinkError(self.name, "its folder does not exist") from error
        except (OSError, ValueError) as error:
            raise SinkError(self.name, f"it cannot be made: {getattr(error, 'strerror', None) or error}") from error

    def _failure(self, error: OSError) -> SinkError:
        if not isinstance(error, BrokenPipeError):
            return SinkError(self.name, f"it cannot be written: {error.strerror or error}")
        if self._to_stdout:
            # Else the interpreter flushes stdout once more when it exits, and complains once more.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                try:
                    os.dup2(nowhere, self._file.fileno())
                finally:
                    os.close(nowhere)
        return SinkClosed(self.name)


class MemorySink:
    """Keeps the lines in `lines`: for tests, and for results that are shown rather than stored."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.closed = False

    def write(self, lines: list[bytes]) -> None:
        """Appends the lines."""
        self.lines += lines

    def close(self) -> None:
        """Only remembers that it was called."""
        self.closed = True
