"""The process in front of the workers: it owns what listens and what reads, and runs no engine."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from epl import InvalidInput
from runtime.config.service import ServiceConfig
from runtime.fleet.controls import Controls
from runtime.fleet.desk import Desk, FrontTenant
from runtime.fleet.journal import Journal, journal_folder
from runtime.fleet.link import Link
from runtime.fleet.messages import Spec
from runtime.fleet.monitor import fleet_monitor_app
from runtime.fleet.parts import part_of
from runtime.fleet.processes import WorkerProcess
from runtime.fleet.reload import FleetReloader
from runtime.fleet.requests import Requests
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes
from runtime.fleet.running import Running
from runtime.rules import TenantRules
from runtime.service.api import Phase
from runtime.service.host import wall_ms
from runtime.service.hurry import LAST_S, unless_hurried
from runtime.service.ingest import ingest_app
from runtime.service.intake import Intake
from runtime.service.layout import StateTaken, layout_of
from runtime.service.served import clock_of, rate_of
from runtime.service.service import locked
from runtime.service.stoppable import Stoppable
from runtime.service.versions import VersionError
from runtime.service.watch import Watcher
from runtime.service.ways_in import WaysIn
from runtime.service.web import WebServer
from runtime.tenants import check_names

_log = logging.getLogger("sojourn.fleet")

_MOST_PATH_BYTES = 100
"""A socket's path may have 107, on macOS 103."""
_SYNC_S = 1.0
_TELL_S = 1.0
_LAST_WORD_S = 2.0
"""How long sources may take to tell servers how far they came: what is not told comes again."""
_SPARE_S = 1.0
"""What workers have beyond their time before they are ended; all they took is in their logs."""


class WorkersCannotBegin(Exception):
    """A worker cannot do its work; the message says why."""


class Front(Stoppable):
    """Tenants, served by so many workers: to the command line what a `Service` is.

    Raises TenantTwice, NoClock, CannotConnect, CannotListen, StateDamaged and StateTaken; `run` WorkersCannotBegin.
    """

    def __init__(
        self,
        rules: Iterable[TenantRules],
        config: ServiceConfig,
        state: Path,
        workers: int,
        *,
        stdin: tuple[str, BinaryIO] | None = None,
    ) -> None:
        super().__init__()
        given = list(rules)
        config.check(each.config.tenant for each in given)
        for each in given:
            clock_of(each)
        check_names(given)
        self.config = config
        self.phase = Phase.STARTING
        self._state = state
        self._lock = locked(state)
        layout = layout_of(state, workers)
        assert layout is not None
        try:
            self._running = Running(given, config, state, layout, wall_ms())
        except (VersionError, OSError) as error:
            raise StateTaken(str(error)) from error
        except InvalidInput as error:
            raise StateTaken(f"the rules that ran cannot be used: {error.diagnostics[0].message}") from error
        ring = Ring(workers)
        self._links = [Link(number) for number in range(workers)]
        tenants = [self._tenant(each, ring) for each in self._running.rules.values()]
        self._desk = Desk(config, tenants, self._links, ring)
        self._sockets: Path | None = None
        self._processes = [WorkerProcess(link, self._spec_of(link.worker), self._on_ready) for link in self._links]
        self.reloader = FleetReloader(self._desk, self._running, self._processes)
        self.controls = Controls(self._desk, self._processes, self._running, self.reloader)
        self._watcher = Watcher(
            self._desk,
            {name: history.source for name, history in self.reloader.histories.items()},
            self.reloader.reload,
            state,
        )
        self._ingest = WebServer(ingest_app(Requests(self._desk)), config.ingest.listener, config.stop_ms)
        self._monitor = WebServer(
            fleet_monitor_app(self.controls, lambda: self.phase), config.monitor.listener, config.stop_ms
        )
        self._ways_in = WaysIn(self._desk, stdin)
        self.ingest_url = self._ingest.url
        self.monitor_url = self._monitor.url

    def _tenant(self, rules: TenantRules, ring: Ring) -> FrontTenant:
        name = rules.config.tenant
        return FrontTenant(
            Routes(rules, ring),
            self.config.tenant(name),
            Intake(name, self.config.ingest.max_waiting, rate_of(rules)),
            Journal(journal_folder(self._state, name)),
        )

    def _spec_of(self, worker: int) -> Callable[[], Spec]:
        folder = part_of(self._state, worker)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "monitor.sock"
        if len(os.fsencode(path.absolute())) > _MOST_PATH_BYTES:
            if self._sockets is None:
                self._sockets = Path(tempfile.mkdtemp(prefix="sojourn-"))
            path = self._sockets / f"{worker}.sock"
        # What listens and what reads is the front's, and so is who may send.
        config = replace(
            self.config,
            ingest=replace(self.config.ingest, lines=()),
            tenants={
                name: replace(each, token=None, follow=(), kafka_in=(), valkey_in=())
                for name, each in self.config.tenants.items()
            },
        )
        return lambda: Spec(worker, folder, path, config, self._running.folders())

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Serves until it is told to stop; how many parts of it have failed. Raises WorkersCannotBegin."""
        self._loop = asyncio.get_running_loop()
        self._desk.give_again()
        stopped = asyncio.create_task(self._stop.wait())
        keeping = [asyncio.create_task(each.keep()) for each in self._processes]
        ingest = asyncio.create_task(self._ingest.run_until_stopped())
        monitor = asyncio.create_task(self._monitor.run_until_stopped())
        beside = [asyncio.create_task(each) for each in (self.controls.beat(), self._sync(), self._tell())]
        parts = (*keeping, ingest, monitor, *beside)
        begun = asyncio.create_task(self._begun())
        following: list[asyncio.Task[None]] = []
        await asyncio.wait((stopped, begun, *parts), return_when=asyncio.FIRST_COMPLETED)
        cannot = begun.exception() if begun.done() and not begun.cancelled() else None
        if begun.done() and cannot is None and not stopped.done():
            await self.reloader.catch_up()
            following = [asyncio.create_task(self._watcher.run()), *await self._ways_in.begin()]
            while not (self._ingest.started and self._monitor.started):
                await asyncio.sleep(0.01)
            self.phase = Phase.READY
            incident = {"tenants": sorted(self._desk.tenants), "pid": os.getpid(), "workers": len(self._links)}
            _log.info("ready", extra={"incident": incident})
            on_ready()
            await asyncio.wait((stopped, *parts, *following), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        begun.cancel()
        failed = [error for task in (*parts, *following) if task.done() and (error := task.exception()) is not None]
        for error in failed:
            _log.error("a part of the service failed, so it stops", exc_info=error)
        try:
            self._watcher.stop()
            self._ways_in.stop()
            await self._wind_down(keeping, ingest, monitor, following)
        finally:
            for task in beside:
                task.cancel()
            self.reloader.close()
            for tenant in self._desk.tenants.values():
                tenant.journal.close()
            if self._sockets is not None:
                shutil.rmtree(self._sockets, ignore_errors=True)
            os.close(self._lock)
        if cannot is not None:
            raise cannot
        return len(failed)

    async def _begun(self) -> None:
        """Returns when all workers are ready for the first time. Raises WorkersCannotBegin."""
        for process in self._processes:
            while not process.link.up.is_set():
                if process.problem is not None:
                    raise WorkersCannotBegin(f"worker {process.number}: {process.problem}")
                await asyncio.sleep(0.01)
        for link in self._links:
            for name in link.paused:
                self._desk.tenants[name].intake.is_paused = True

    def _on_ready(self, link: Link) -> None:
        self._desk.learn(link)
        if self.phase is not Phase.STARTING:
            self.controls.tell(link)

    async def _sync(self) -> None:
        """Brings journals to the disk each second."""
        while True:
            await asyncio.sleep(_SYNC_S)
            for tenant in self._desk.tenants.values():
                await tenant.journal.sync()

    async def _tell(self) -> None:
        """Tells workers each second how far events have come."""
        while True:
            await asyncio.sleep(_TELL_S)
            self._desk.tell()

    async def _wind_down(
        self,
        keeping: list[asyncio.Task[None]],
        ingest: asyncio.Task[None],
        monitor: asyncio.Task[None],
        following: list[asyncio.Task[None]],
    ) -> None:
        """No more events, what waits is answered, then all workers finish: each delivers and writes a snapshot.

        Monitoring is there to the end.
        """
        self.phase = Phase.STOPPING
        self._desk.close_intake("the service is stopping")
        self._ingest.stop()
        loop = asyncio.get_running_loop()
        stop_s = self.config.stop_ms / 1000
        deadline_s = loop.time() + stop_s
        await unless_hurried(self._hurry, self._desk.drain(stop_s / 4), self._desk.drain(LAST_S))
        # Everything is answered; the answers may still be on their way.
        await unless_hurried(self._hurry, asyncio.wait((ingest,), timeout=min(1.0, stop_s / 4)))
        if following:
            await unless_hurried(self._hurry, asyncio.wait(following, timeout=min(_LAST_WORD_S, stop_s / 4)))
            for task in following:
                task.cancel()
        left_s = max(deadline_s - loop.time(), LAST_S)
        for process in self._processes:
            process.stop(left_s)
        await unless_hurried(self._hurry, _all(keeping, left_s + _SPARE_S), self._hurried(keeping))
        for process in self._processes:
            process.kill()
        await asyncio.gather(*keeping, return_exceptions=True)
        self._monitor.stop()
        self._ingest.force_exit = self._monitor.force_exit = True
        await asyncio.gather(ingest, monitor, return_exceptions=True)
        _log.info("stopped")

    async def _hurried(self, keeping: list[asyncio.Task[None]]) -> None:
        for process in self._processes:
            process.stop(0.0)
        await _all(keeping, LAST_S + _SPARE_S)

    # ---- whoever started it

    @property
    def tenants(self) -> Collection[str]:
        """The names of all tenants."""
        return self.controls.tenants


async def _all(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    await asyncio.wait(tasks, timeout=seconds)
