"""The service as a whole: what listens, what runs, and the order in which it stops."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from runtime.config.service import ServiceConfig
from runtime.rules import TenantRules
from runtime.service import switch
from runtime.service.api import Phase
from runtime.service.host import Host, wall_ms
from runtime.service.hurry import LAST_S, unless_hurried
from runtime.service.ingest import ingest_app
from runtime.service.layout import StateTaken, layout_of
from runtime.service.log import StateDamaged
from runtime.service.monitor import monitor_app
from runtime.service.reload import Reloader
from runtime.service.stoppable import Stoppable
from runtime.service.taps import Lookouts
from runtime.service.versions import VersionError
from runtime.service.watch import Watcher
from runtime.service.ways_in import WaysIn
from runtime.service.web import WebServer

_log = logging.getLogger("sojourn.service")

_ANSWERS_S = 1.0
_LAST_WORD_S = 2.0
"""How long sources may take to tell servers how far they came: what is not told comes again."""


class Service(Stoppable):
    """Tenants, served.

    Raises InvalidInput, TenantTwice, NoClock, CannotConnect, CannotListen and StateTaken; `run` StateDamaged.

    `stdin` is a stream of lines, with the tenant whose they are. `ingest_url` and `monitor_url` have the real ports.
    """

    def __init__(
        self,
        rules: Iterable[TenantRules],
        config: ServiceConfig,
        state: Path,
        *,
        clock_ms: Callable[[], int] = wall_ms,
        stdin: tuple[str, BinaryIO] | None = None,
    ) -> None:
        super().__init__()
        compiled = list(rules)
        config.check(each.config.tenant for each in compiled)
        self.phase = Phase.STARTING
        self.config = config
        self._state = locked(state)
        layout_of(state, None)
        self.host = Host(compiled, config, state, clock_ms=clock_ms)
        try:
            self.reloader = Reloader(self.host)
        except VersionError as error:
            raise StateTaken(str(error)) from error
        self._watcher = Watcher(
            self.host,
            {name: history.source for name, history in self.reloader.histories.items()},
            lambda tenant, trigger: self.reloader.reload(self.host.tenants[tenant], trigger),
            state,
        )
        self._ingest = WebServer(ingest_app(self.host), config.ingest.listener, config.stop_ms)
        self._lookouts = Lookouts(self.host)
        monitor = monitor_app(self.host, self.reloader, lambda: self.phase, self._lookouts)
        self._monitor = WebServer(monitor, config.monitor.listener, config.stop_ms)
        self.ways_in = WaysIn(self.host, stdin)
        self.ingest_url = self._ingest.url
        self.monitor_url = self._monitor.url

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Serves until it is told to stop; how many parts of it have failed. What is not finished then is kept."""
        self._loop = asyncio.get_running_loop()
        stopped = asyncio.create_task(self._stop.wait())
        work = asyncio.create_task(self.host.run())
        ingest = asyncio.create_task(self._ingest.run_until_stopped())
        monitor = asyncio.create_task(self._monitor.run_until_stopped())
        recovered = asyncio.create_task(self.host.recovered.wait())
        await asyncio.wait((stopped, work, ingest, monitor, recovered), return_when=asyncio.FIRST_COMPLETED)
        recovered.cancel()
        following: list[asyncio.Task[None]] = []
        if self.host.recovered.is_set():
            await self.reloader.catch_up()
            following = [asyncio.create_task(self._watcher.run()), *await self.ways_in.begin()]
            while not (self._ingest.started and self._monitor.started):
                await asyncio.sleep(0.01)
            self.phase = Phase.READY
            _log.info("ready", extra={"incident": {"tenants": sorted(self.host.tenants), "pid": os.getpid()}})
            on_ready()
            await asyncio.wait((stopped, work, ingest, monitor, *following), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        failed = [
            error
            for task in (work, ingest, monitor, *following)
            if task.done() and (error := task.exception()) is not None
        ]
        for error in failed:
            if not isinstance(error, StateDamaged):
                _log.error("a part of the service failed, so it stops", exc_info=error)
        try:
            self._watcher.stop()
            self.ways_in.stop()
            await self._wind_down(work, ingest, monitor, following)
        finally:
            self.reloader.close()
            self.host.close()
            os.close(self._state)
        for error in failed:
            if isinstance(error, StateDamaged):
                raise error
        return len(failed)

    async def _wind_down(
        self,
        work: asyncio.Task[None],
        ingest: asyncio.Task[None],
        monitor: asyncio.Task[None],
        following: list[asyncio.Task[None]],
    ) -> None:
        """Not ready, no more events, what waits is done, what left is delivered, the rest is kept for the next start.

        Monitoring is there to the end. Sinks have half of the time, so that one which takes nothing leaves room for the
        snapshot; without one, the next start does the log again.
        """
        self.phase = Phase.STOPPING
        self.host.close_intake("the service is stopping")
        self._lookouts.close()
        self._ingest.stop()
        loop = asyncio.get_running_loop()
        stop_s = self.config.stop_ms / 1000
        deadline = loop.time() + stop_s
        has_worked = self.host.recovered.is_set() and not work.done()
        if has_worked:
            await unless_hurried(self._hurry, self.host.drain(stop_s / 2), self.host.drain(LAST_S))
        else:
            self.host.give_up()
        # Everything is answered; the answers may still be on their way.
        await unless_hurried(self._hurry, asyncio.wait((ingest,), timeout=min(_ANSWERS_S, stop_s / 4)))
        if following:
            await unless_hurried(self._hurry, asyncio.wait(following, timeout=min(_LAST_WORD_S, stop_s / 8)))
            for task in following:
                task.cancel()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if has_worked:
            await unless_hurried(self._hurry, asyncio.wait_for(self.host.snapshots.take(), deadline - loop.time()))
        self._monitor.stop()
        self._ingest.force_exit = self._monitor.force_exit = True
        await asyncio.gather(ingest, monitor, return_exceptions=True)
        _log.info("stopped", extra={"incident": {"undelivered": self.host.undelivered}})

    @property
    def tenants(self) -> Collection[str]:
        """The names of all tenants."""
        return self.host.tenants.keys()


def locked(state: Path) -> int:
    """The folder of state, made and locked: two services would write the same files. Raises StateTaken.

    What is left to be done of a move to another number of workers is done.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StateTaken(f"{state}: it cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StateTaken(f"{state}: another service uses it") from None
    try:
        switch.finish(state)
    except (OSError, msgspec.MsgspecError) as error:
        os.close(lock)
        raise StateTaken(f"{state}: its sessions were moved, and not all of that could be done: {error}") from error
    return lock
