"""The service as a whole: what listens, what runs, and the order in which it stops."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from runtime.config import Listener, ServiceConfig
from runtime.rules import TenantRules
from runtime.service.api import Phase
from runtime.service.connect import connected_sources
from runtime.service.follow import Follower
from runtime.service.host import Host, wall_ms
from runtime.service.ingest import ingest_app
from runtime.service.lines import LineReceiver, read_stdin
from runtime.service.monitor import monitor_app
from runtime.service.source import Source
from runtime.service.web import WebServer, bind

_log = logging.getLogger("sojourn.service")

_ANSWERS_S = 1.0
_LAST_S = 0.2
"""What a stop in a hurry has left for delivering."""
_LAST_WORD_S = 2.0
"""How long sources may take to tell servers how far they came: what is not told comes again."""


class StateTaken(Exception):
    """The folder of state cannot be used; the message says why."""


class Service:
    """Tenants, served. Raises InvalidInput, TenantTwice, NoClock, CannotConnect, CannotListen, StateTaken.

    `stdin` is a stream of lines, with the tenant whose they are. `ingest_url` and `monitor_url` have the real ports,
    `line_ports` are those of plain lines.
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
        compiled = list(rules)
        config.check(each.config.tenant for each in compiled)
        self.phase = Phase.STARTING
        self._config = config
        self._state = _locked(state)
        self._stdin = stdin
        self.host = Host(compiled, config, state, clock_ms=clock_ms)
        self._ingest = WebServer(ingest_app(self.host), config.ingest.listener, config.stop_ms)
        self._monitor = WebServer(monitor_app(self.host, lambda: self.phase), config.monitor.listener, config.stop_ms)
        self._receivers = [
            (LineReceiver(self.host, self.host.tenants[each.tenant]), bind(Listener(each.address)))
            for each in config.ingest.lines
        ]
        self._followers = [
            Follower(self.host, served, file, state)
            for served in self.host.tenants.values()
            for file in served.config.follow
        ]
        for served in self.host.tenants.values():
            served.sources += connected_sources(self.host, served)
        self.ingest_url = self._ingest.url
        self.monitor_url = self._monitor.url
        self.line_ports = [socket.getsockname()[1] for _, socket in self._receivers]
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Serves until it is told to stop; how much could not be finished then: see `Host.drain`."""
        self._loop = asyncio.get_running_loop()
        work = asyncio.create_task(self.host.run())
        ingest = asyncio.create_task(self._ingest.run_until_stopped())
        monitor = asyncio.create_task(self._monitor.run_until_stopped())
        lines = [await asyncio.start_server(receiver.connected, sock=socket) for receiver, socket in self._receivers]
        sources: list[Follower | Source] = [*self._followers]
        for served in self.host.tenants.values():
            sources += served.sources
        following = [asyncio.create_task(source.run()) for source in sources]
        if self._stdin is not None:
            tenant, stream = self._stdin
            read_stdin(self.host, self.host.tenants[tenant], stream)
        while not (self._ingest.started and self._monitor.started):
            await asyncio.sleep(0.01)
        self.phase = Phase.READY
        _log.info("ready", extra={"incident": {"tenants": sorted(self.host.tenants), "pid": os.getpid()}})
        on_ready()
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait((stopped, work, ingest, monitor, *following), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        failed = 0
        for task in (work, ingest, monitor, *following):
            if task.done() and (error := task.exception()) is not None:
                failed += 1
                _log.error("a part of the service failed, so it stops", exc_info=error)
        try:
            for source in sources:
                source.stop()
            left = await self._wind_down(work, ingest, monitor, lines)
            if following:
                _, unfinished = await asyncio.wait(following, timeout=_LAST_WORD_S)
                for task in unfinished:
                    task.cancel()
            return left + failed
        finally:
            self.host.close()
            os.close(self._state)

    async def _wind_down(
        self,
        work: asyncio.Task[None],
        ingest: asyncio.Task[None],
        monitor: asyncio.Task[None],
        lines: list[asyncio.Server],
    ) -> int:
        """Not ready, no more events, what waits is done, what left is delivered; monitoring is there to the end."""
        self.phase = Phase.STOPPING
        self.host.close_intake("the service is stopping")
        for server in lines:
            server.close()
        for receiver, _ in self._receivers:
            receiver.stop()
        self._ingest.stop()
        drain = asyncio.create_task(self.host.drain(self._config.stop_ms / 1000))
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait((drain, hurried), return_when=asyncio.FIRST_COMPLETED)
        if not drain.done():
            drain.cancel()
            with suppress(asyncio.CancelledError):
                await drain
            drain = asyncio.create_task(self.host.drain(_LAST_S))
        left = await drain
        # Everything is answered; the answers may still be on their way.
        await asyncio.wait((ingest, hurried), timeout=_ANSWERS_S, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        self._monitor.stop()
        self._ingest.force_exit = self._monitor.force_exit = True
        await asyncio.gather(ingest, monitor, return_exceptions=True)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        _log.info("stopped", extra={"incident": {"left": left}})
        return left

    def stop(self) -> None:
        """Stops; told again, it hurries. Safe to call from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_stop)

    def _on_stop(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT stop it. In the main thread, within the loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)


def _locked(state: Path) -> int:
    """The folder of state, made and locked: two services would write the same files. Raises StateTaken."""
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
    return lock
