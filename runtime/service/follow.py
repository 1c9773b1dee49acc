"""Files that somebody else writes, followed by name as `tail -F` does, through rotation and truncation.

How far a file has been taken is kept in the state's folder, so the next run goes on where this one stopped. It is
written after the events were taken: a process that is killed in between takes the last ones again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec

from runtime.io import LineCutter
from runtime.replay import too_long_letter
from runtime.service.host import Host
from runtime.service.intake import NotTaken
from runtime.service.served import Served

_log = logging.getLogger("sojourn.service.follow")

_CHUNK_BYTES = 256 * 1024
_LOOK_S = 0.2
_AGAIN_S = 0.5


class Place(msgspec.Struct):
    """How far a file has been taken: whole lines only. `line` is the number of the next one."""

    file: str
    inode: int = 0
    offset: int = 0
    line: int = 1


class Follower:
    """Follows one file for one tenant, from its beginning, or from where the last run stopped."""

    def __init__(self, host: Host, served: Served, file: Path, state: Path) -> None:
        self._host = host
        self._served = served
        self._file = file
        name = blake2b(str(file.absolute()).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        self._kept = state / "followed" / f"{name}.json"
        self._place = self._read_place()
        self._is_stopping = asyncio.Event()

    def stop(self) -> None:
        """Reads no further; what was read is finished."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Follows the file until it is told to stop."""
        while not self._is_stopping.is_set():
            try:
                opened = open(self._file, "rb", buffering=0)  # noqa: SIM115 - closed below
            except OSError as error:
                _log.info(
                    "waiting for a file", extra={"incident": {"file": str(self._file), "problem": error.strerror}}
                )
                await self._pause(_AGAIN_S)
                continue
            with opened:
                await self._follow(opened)

    async def _follow(self, opened: BinaryIO) -> None:
        """Takes a file's lines until another one has its name, or it was cut short."""
        status = os.fstat(opened.fileno())
        if status.st_ino != self._place.inode or status.st_size < self._place.offset:
            self._place = Place(str(self._file), status.st_ino)
        place = self._place
        opened.seek(place.offset)
        before, read = place.line - 1, place.offset
        limit = self._served.rules.config.limits.max_line_bytes
        source = str(self._file)

        def on_long_line(line: int, size: int, head: bytes) -> None:
            letter = too_long_letter(self._served.name, source, before + line, size, head, limit)
            self._host.refuse(self._served, letter)

        cutter = LineCutter(limit, on_long_line)
        is_last = False
        while not self._is_stopping.is_set():
            chunk = opened.read(_CHUNK_BYTES)
            if chunk:
                block = cutter.feed(chunk, 0)
                if block is not None:
                    await self._take(block.lines, before + block.first_line, read + chunk.rfind(b"\n") + 1)
                read += len(chunk)
                is_last = False
            elif is_last:
                # Nothing was written to it after another one had taken its name.
                rest = cutter.finish(0)
                if rest is not None:
                    await self._take(rest.lines, before + rest.first_line, read)
                return
            elif os.fstat(opened.fileno()).st_size < read:
                self._place = Place(str(self._file))
                return
            else:
                is_last = self._has_another(opened)
                if not is_last:
                    await self._pause(_LOOK_S)

    def _has_another(self, opened: BinaryIO) -> bool:
        """True when the name leads to another file by now."""
        try:
            return os.stat(self._file).st_ino != os.fstat(opened.fileno()).st_ino
        except OSError:
            return False

    async def _take(self, lines: list[bytes], first_line: int, offset: int) -> None:
        size = sum(map(len, lines))
        while True:
            try:
                await self._host.offer(self._served, lines, size, str(self._file), first_line=first_line)
            except NotTaken:
                if self._is_stopping.is_set():
                    return
                await self._pause(_AGAIN_S)
            else:
                self._place.offset, self._place.line = offset, first_line + len(lines)
                self._keep_place()
                return

    async def _pause(self, seconds: float) -> None:
        """Waits, but not when it is time to stop."""
        try:
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        except TimeoutError:
            return

    def _read_place(self) -> Place:
        try:
            return msgspec.json.decode(self._kept.read_bytes(), type=Place)
        except FileNotFoundError:
            return Place(str(self._file))
        except (OSError, msgspec.MsgspecError):
            _log.warning("a file is taken from its beginning again", extra={"incident": {"file": str(self._file)}})
            return Place(str(self._file))

    def _keep_place(self) -> None:
        new = self._kept.with_suffix(".new")
        try:
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(msgspec.json.encode(self._place))
            os.replace(new, self._kept)
        except OSError as error:
            told = {"file": str(self._file), "problem": error.strerror}
            _log.warning("how far a file was taken cannot be written", extra={"incident": told})
