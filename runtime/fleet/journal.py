"""What the front has handed on from sources that go on at a position: files, topics, streams.

A batch of theirs is written here, with the parts it is cut into and the position behind it, before any worker gets it.
From then on the source never gives it again, and it comes to the workers whatever dies: what is not answered is sent
again with the same numbers, by which a worker knows what it has. A file of which all is answered is removed.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runtime.service.intake import Answer
from runtime.service.log import Log, StateDamaged, log_file, numbered, read_log, torn_bytes
from runtime.service.records import Handed, Places, Position, packed, unpacked
from runtime.service.served import file_name

_log = logging.getLogger("sojourn.fleet")

_MOST_BYTES = 16 * 1024 * 1024
"""Of one file."""


def journal_folder(state: Path, tenant: str) -> Path:
    """Where the journal of a tenant is."""
    return state / "front" / file_name(tenant)


class Journal:
    """The journal of one tenant. Raises StateDamaged.

    `positions` says where each source goes on, by its name.
    """

    def __init__(self, folder: Path) -> None:
        self.positions: dict[str, Position] = {}
        self._log = Log(folder)
        self._unanswered: Counter[int] = Counter()
        """Batches by the number of the file that has them."""
        self._first = 1
        """The number of the oldest file."""
        self._one_at_a_time = asyncio.Lock()
        self._found: list[tuple[int, Handed]] = []
        try:
            self._recover(folder)
        except OSError as error:
            raise StateDamaged(f"{folder}: {error.strerror or error}") from error

    def _recover(self, folder: Path) -> None:
        files = numbered(folder, "log")
        for number, path in files:
            whole = 0
            for record, place in read_log(path):
                whole = place
                if isinstance(record, Places):
                    self.positions = {unpacked(source): position for source, position in record.positions}
                elif isinstance(record, Handed):
                    self.positions[unpacked(record.source)] = record.position
                    self._found.append((number, record))
            torn = torn_bytes(path, whole)
            if torn and number < files[-1][0]:
                raise StateDamaged(f"{path}: its last {torn:,} bytes are damaged, and there is a later one")
            if torn:
                os.truncate(path, path.stat().st_size - torn)
        if files:
            self._first, self._log.number = files[0][0], files[-1][0]
            self._log.uncovered_bytes = files[-1][1].stat().st_size

    def unfinished(self) -> list[tuple[int, Handed]]:
        """What was handed on before, in its order, each with the number of its file. Once."""
        found, self._found = self._found, []
        return found

    def write(self, handed: Handed) -> int:
        """Writes a batch; the number of its file. Raises NotLogged; then nothing of it is there."""
        if self._log.uncovered_bytes > _MOST_BYTES:
            self._begin_file()
        self._log.append(handed)
        self.positions[unpacked(handed.source)] = handed.position
        return self._log.number

    def note(self, answers: Iterable[asyncio.Future[Answer]], file: int) -> None:
        """Notes of a batch in a file which answers are to come."""
        self._unanswered[file] += 1

        def answered(done: asyncio.Future[Any]) -> None:
            self._unanswered[file] -= 1

        asyncio.gather(*answers, return_exceptions=True).add_done_callback(answered)

    def begin_at(self, positions: Mapping[str, Position]) -> None:
        """Where each source goes on, for a journal of which nothing is there yet. Raises NotLogged."""
        self._log.append(Places([(packed(source), position) for source, position in positions.items()]))

    def _begin_file(self) -> None:
        """Begins the next file with all positions, which makes those before it needless once they are answered."""
        try:
            self._log.rotate()
        except OSError as error:
            _log.error("a journal grows", extra={"incident": {"problem": error.strerror or str(error)}})
            return
        self._log.covered()
        self.begin_at(self.positions)

    async def sync(self) -> None:
        """Brings it to the disk, and removes what is needless since."""
        async with self._one_at_a_time:  # what another call is at work on is not there yet
            handle = self._log.handle()
            if handle is None:
                return
            newest, is_unsynced = self._log.number, self._log.is_unsynced
            self._log.is_unsynced = False
            needless = []
            first = self._first
            while first < newest and not self._unanswered[first]:
                needless.append(log_file(self._log.folder, first))
                first += 1
            try:
                await asyncio.to_thread(_sync, handle, is_unsynced or bool(needless), needless)
            except OSError as error:
                self._log.is_unsynced = True
                _log.error(
                    "a journal is not on the disk", extra={"incident": {"problem": error.strerror or str(error)}}
                )
            else:
                self._first = first

    def close(self) -> None:
        """Lets go of the file."""
        self._log.close()


def _sync(handle: int, is_unsynced: bool, needless: list[Path]) -> None:
    try:
        if is_unsynced:
            os.fdatasync(handle)
        for path in needless:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
