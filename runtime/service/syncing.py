"""Logs on the disk, and not only in the system's memory: in a thread, since a disk may take its time.

Where an answer has to wait for it, all batches that were done meanwhile are answered by the next sync: one a batch
would make the disk the limit.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Collection, Iterable

from runtime.service.intake import Batch
from runtime.service.served import Served

_log = logging.getLogger("sojourn.service")

_SYNC_S = 1.0


class Syncing:
    """Syncs logs, and answers batches that wait for it."""

    def __init__(self) -> None:
        self._batches: list[tuple[Served, Batch]] = []
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._answering = False

    @property
    def is_idle(self) -> bool:
        """True when no answer waits."""
        return not (self._batches or self._answering)

    def answer(self, served: Served, batch: Batch) -> None:
        """Answers a batch once the log that has it is on the disk."""
        self._batches.append((served, batch))
        self._wake.set()

    async def sync_each_second(self, tenants: Collection[Served]) -> None:
        """Syncs all logs until it is cancelled; beside the ticks, which do not wait for a slow disk."""
        while True:
            await self.sync(tenants)
            await asyncio.sleep(_SYNC_S)

    async def answer_batches(self) -> None:
        """Answers batches until it is cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batches, self._batches = self._batches, []
            self._answering = True
            failed = await self.sync({served.name: served for served, _ in batches}.values())
            for served, batch in batches:
                if served.name in failed:
                    batch.fail(failed[served.name])
                else:
                    batch.reply()
                    served.latency.note(time.perf_counter() - batch.came_s)
            self._answering = False

    async def sync(self, tenants: Iterable[Served]) -> dict[str, str]:
        """Brings the logs of tenants to the disk; of those where that failed, why, by name."""
        async with self._one_at_a_time:  # what another call is at work on is not there yet
            unsynced = {served.name: served for served in tenants if served.log.is_unsynced}
            if not unsynced:
                return {}
            handles = {}
            for name, served in unsynced.items():
                served.log.is_unsynced = False
                handles[name] = served.log.handle()
            failed = await asyncio.to_thread(_sync, handles)
            for name, problem in failed.items():
                unsynced[name].log.is_unsynced = True
                _log.error("a log is not on the disk", extra={"incident": {"tenant": name, "problem": problem}})
            return failed


def _sync(handles: dict[str, int | None]) -> dict[str, str]:
    failed = {}
    for name, handle in handles.items():
        if handle is None:
            continue
        try:
            os.fdatasync(handle)
        except OSError as error:
            failed[name] = error.strerror or str(error)
        finally:
            os.close(handle)
    return failed
