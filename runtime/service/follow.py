"""Files that somebody else writes, followed by name as `tail -F` does, through rotation and truncation.

How far a file has been taken stands in the tenant's log, in one record with the lines themselves: whatever the process
dies of, the next one goes on with the line after the last one that was taken.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from runtime.io import DeadLetter, LineCutter
from runtime.letters import too_long_letter
from runtime.service.host import SLICE
from runtime.service.intake import NotTaken
from runtime.service.records import Position
from runtime.service.taker import Fed, Taker

_log = logging.getLogger("sojourn.service.follow")

_CHUNK_BYTES = 256 * 1024
_LOOK_S = 0.2
_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file has been taken: a byte at which a line begins, the line's number, and how many from it on.

    Only the ends of what was read at once are known as bytes, so within it lines are counted.
    """

    inode: int = 0
    offset: int = 0
    line: int = 1
    taken: int = 0

    @classmethod
    def read(cls, position: Position | None) -> Self:
        """The place of a position, the beginning of no file for none."""
        return cls() if position is None else cls(*map(int, str(position).split()))

    def __str__(self) -> str:
        return f"{self.inode} {self.offset} {self.line} {self.taken}"


class Follower:
    """Follows one file for one tenant, from its beginning, or from where the last run stopped."""

    def __init__(self, host: Taker, served: Fed, file: Path) -> None:
        self._host = host
        self._served = served
        self._file = file
        self._source = str(file)
        self._place = Place()
        self._too_long: list[DeadLetter] = []
        self._is_stopping = asyncio.Event()

    def stop(self) -> None:
        """Reads no further; what was read is finished."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Follows the file until it is told to stop. Only when the tenant is as it was."""
        self._place = Place.read(self._served.positions.get(self._source))
        while not self._is_stopping.is_set():
            try:
                opened = open(self._file, "rb", buffering=0)  # noqa: SIM115 - closed below
            except OSError as error:
                _log.info("waiting for a file", extra={"incident": {"file": self._source, "problem": error.strerror}})
                await self._pause(_AGAIN_S)
                continue
            with opened:
                await self._follow(opened)

    async def _follow(self, opened: BinaryIO) -> None:
        """Takes a file's lines until another one has its name, or it was cut short."""
        status = os.fstat(opened.fileno())
        if status.st_ino != self._place.inode or status.st_size < self._place.offset:
            self._place = Place(status.st_ino)
        opened.seek(self._place.offset)
        before, read = self._place.line - 1, self._place.offset
        limit = self._served.rules.config.limits.max_line_bytes

        def on_long_line(line: int, size: int, head: bytes) -> None:
            self._too_long.append(too_long_letter(self._served.name, self._source, before + line, size, head, limit))

        cutter = LineCutter(limit, on_long_line)
        is_last = False
        while not self._is_stopping.is_set():
            chunk = opened.read(_CHUNK_BYTES)
            if chunk:
                block = cutter.feed(chunk, 0)
                if block is not None:
                    await self._take(block.lines, read + chunk.rfind(b"\n") + 1)
                read += len(chunk)
                is_last = False
            elif is_last:
                # Nothing was written to it after another one had taken its name.
                rest = cutter.finish(0)
                if rest is not None:
                    await self._take(rest.lines, read)
                return
            elif os.fstat(opened.fileno()).st_size < read:
                self._place = Place()
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

    async def _take(self, lines: list[bytes], end: int) -> None:
        """Takes the lines from the place on, of which some may have been taken before; they end at a byte."""
        place = self._place
        too_long, self._too_long = self._too_long, []
        if place.taken > len(lines):
            # They were read in one piece with what comes next.
            self._place = Place(place.inode, end, place.line + len(lines), place.taken - len(lines))
            return
        for begin in range(place.taken, len(lines), SLICE):
            part = lines[begin : begin + SLICE]
            taken = begin + len(part)
            numbers = range(place.line + begin, place.line + taken)
            after = Place(place.inode, place.offset, place.line, taken)
            if taken == len(lines):
                after = Place(place.inode, end, place.line + taken)
            if not await self._offer(part, numbers, [each for each in too_long if each.line in numbers], after):
                return
            self._place = after

    async def _offer(self, lines: list[bytes], numbers: range, letters: list[DeadLetter], after: Place) -> bool:
        """False when they were not taken before it was time to stop."""
        size = sum(map(len, lines))
        while True:
            try:
                await self._host.offer(
                    self._served,
                    lines,
                    size,
                    self._source,
                    first_line=numbers.start,
                    letters=letters,
                    position=str(after),
                )
            except NotTaken:
                if self._is_stopping.is_set():
                    return False
                await self._pause(_AGAIN_S)
            else:
                return True

    async def _pause(self, seconds: float) -> None:
        """Waits, but not when it is time to stop."""
        try:
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        except TimeoutError:
            return
