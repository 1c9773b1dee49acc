"""A worker: the tenants of a service in a process of their own, with the events that the front gives it.

It is a driver like that of one process, with a log, snapshots and deliveries below a folder of its own, and listens to
nobody but the front. When the front is gone it finishes what it has, writes a snapshot and ends.

    python -m runtime.fleet.worker NUMBER HANDLE

HANDLE is that of an open socket, on which the front says first of all what the worker is to be.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_never

from epl import InvalidInput
from runtime.fleet.messages import (
    CannotBegin,
    Clocks,
    Order,
    Part,
    Ready,
    Reply,
    Spec,
    Stop,
    ToFront,
    decode_order,
    framed,
    pickled,
    read_frame,
    unpickled,
)
from runtime.fleet.parts import PartTaken, locked_part
from runtime.fleet.taking import Taking
from runtime.protocol import reload_answers
from runtime.rules import TenantRules
from runtime.service.api import Phase
from runtime.service.connect import CannotConnect
from runtime.service.facts import sojourn_version
from runtime.service.host import Host
from runtime.service.hurry import LAST_S, unless_hurried
from runtime.service.log import StateDamaged
from runtime.service.logs import log_as_json
from runtime.service.monitor import monitor_app
from runtime.service.outcomes import Outcome, Trigger
from runtime.service.reload import Candidate, Reloader
from runtime.service.run import loop_factory
from runtime.service.spans import NoTelemetry, exported
from runtime.service.taps import Lookouts
from runtime.service.versions import VersionError, Versions
from runtime.service.web import CannotListen, WebServer

_log = logging.getLogger("sojourn.fleet")


class _CannotBegin(Exception):
    """The worker cannot do its work; the message says why."""


class Worker:
    """One of several processes of a service. Raises _CannotBegin and CannotListen."""

    def __init__(self, spec: Spec, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._spec = spec
        self._reader, self._writer = reader, writer
        self._phase = Phase.STARTING
        try:
            rules = [self._kept(tenant, *version) for tenant, version in spec.rules.items()]
            self._host = Host(rules, spec.config, spec.state)
            self._reloader = Reloader(self._host, {tenant: number for tenant, (number, _) in spec.rules.items()})
        except (VersionError, CannotConnect) as error:
            raise _CannotBegin(str(error)) from error
        except InvalidInput as error:
            raise _CannotBegin(error.diagnostics[0].message) from error
        self._prepared: dict[str, Candidate] = {}
        self._taking = Taking(self._host, self._send)
        self._lookouts = Lookouts(self._host)
        app = monitor_app(self._host, self._reloader, lambda: self._phase, self._lookouts, spec.number)
        self._monitor = WebServer(app, spec.socket, spec.config.stop_ms)
        self._stop_s = spec.config.stop_ms / 1000
        self._is_alone = False
        self._stopped, self._hurry = asyncio.Event(), asyncio.Event()
        self._orders: set[asyncio.Task[None]] = set()

    def _kept(self, tenant: str, number: int, folder: Path) -> TenantRules:
        versions = Versions(self._spec.state, tenant, self._spec.config.versions_kept)
        versions.adopt(number, folder)
        return versions.load(number)

    async def run(self) -> None:
        """Takes what the front gives until it is told to stop, or the front is gone.

        Raises _CannotBegin, and whatever a part of it fails with.
        """
        stopped = asyncio.create_task(self._stopped.wait())
        reading = asyncio.create_task(self._read())
        work = asyncio.create_task(self._host.run())
        monitor = asyncio.create_task(self._monitor.run_until_stopped())
        recovered = asyncio.create_task(self._host.recovered.wait())
        ends = (stopped, reading, work, monitor)
        try:
            await asyncio.wait((*ends, recovered), return_when=asyncio.FIRST_COMPLETED)
            recovered.cancel()
            if self._host.recovered.is_set() and not stopped.done():
                await self._catch_up()
                self._phase = Phase.READY
                paused = [name for name, served in self._host.tenants.items() if served.intake.is_paused]
                clocks = {name: served.tenant.engine.come_to() for name, served in self._host.tenants.items()}
                self._send(Ready(self._taking.taken(), paused, clocks))
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            self._phase = Phase.STOPPING
            await self._wind_down(work)
        finally:
            reading.cancel()
            self._monitor.stop()
            self._monitor.force_exit = True
            await asyncio.gather(monitor, return_exceptions=True)
            self._reloader.close()
            self._host.close()
        for task in (work, monitor, reading):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                if isinstance(error, StateDamaged):
                    raise _CannotBegin(str(error)) from error
                raise error

    async def _catch_up(self) -> None:
        try:
            await self._reloader.catch_up()
        except VersionError as error:
            raise _CannotBegin(str(error)) from error

    async def _wind_down(self, work: asyncio.Task[None]) -> None:
        """What waits is done, what left is delivered, the rest is kept for the next start.

        Without a front, the next start waits already, and what is not delivered is not waited for.
        """
        deadline = time.monotonic() + self._stop_s
        patience_s = LAST_S if self._is_alone else self._stop_s / 2
        self._host.close_intake("the worker is stopping")
        self._lookouts.close()
        has_worked = self._host.recovered.is_set() and not work.done()
        if has_worked:
            await unless_hurried(self._hurry, self._host.drain(patience_s), self._host.drain(LAST_S))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if has_worked:
            snapshot = self._host.snapshots.take()
            await unless_hurried(self._hurry, asyncio.wait_for(snapshot, deadline - time.monotonic()))
        with suppress(ConnectionError):
            await asyncio.wait_for(self._writer.drain(), 1.0)

    # ---- the front

    async def _read(self) -> None:
        """Takes what the front says, until it is gone."""
        while (frame := await read_frame(self._reader)) is not None:
            message = decode_order(frame)
            match message:
                case Part():
                    # What comes while it stops is given again to the next life.
                    if not self._stopped.is_set():
                        self._taking.take(message)
                case Order():
                    # A reload takes its time, and events go on.
                    task = asyncio.create_task(self._obey(message))
                    self._orders.add(task)
                    task.add_done_callback(self._orders.discard)
                case Stop(seconds):
                    self._stop_s = seconds
                    self._on_stop()
                case _:
                    assert_never(message)
        self._is_alone = True

    def _send(self, message: ToFront) -> None:
        self._writer.write(framed(message))

    def _on_stop(self) -> None:
        if self._stopped.is_set():
            self._hurry.set()
        self._stopped.set()

    async def _obey(self, order: Order) -> None:
        try:
            reply = Reply(order.call, pickled(await self._done(order.what, *unpickled(order.given))))
        except Exception as error:
            _log.exception("an order of the front came to nothing")
            reply = Reply(order.call, b"", f"{type(error).__name__}: {error}")
        self._send(reply)

    async def _done(
        self, what: str, tenant: str, *given: Any
    ) -> Outcome | reload_answers.Shadow | Clocks | bool | None:
        """What comes of an order about a tenant."""
        match what:
            case "pause":
                self._host.pause(self._host.tenants[tenant])
            case "resume":
                self._host.resume(self._host.tenants[tenant])
            case "prepare":
                return await self._prepare(tenant, *given)
            case "clocks":
                return self._host.tenants[tenant].tenant.engine.come_to()
            case "is_disabled":
                return self._host.tenants[tenant].disabled is not None
            case "swap":
                return await self._swap(tenant, *given)
            case "cast_shadow":
                return await self._cast_shadow(tenant, *given)
            case "end_shadow":
                return self._end_shadow(tenant)
            case _:
                raise ValueError(what)
        return None

    async def _prepare(self, tenant: str, number: int, folder: Path, trigger: Trigger, force: bool) -> Outcome | None:
        """Makes other rules ready to run; why they cannot, None when they can."""
        served = self._host.tenants[tenant]
        served.versions.pin("prepared", number)
        await asyncio.to_thread(served.versions.adopt, number, folder)
        found = await self._reloader.prepare(served, trigger, number, force=force)
        if isinstance(found, Outcome):
            return found
        self._prepared[tenant] = found
        return None

    async def _swap(self, tenant: str, trigger: Trigger) -> Outcome:
        served = self._host.tenants[tenant]
        outcome = await self._reloader.run(served, trigger, self._prepared.pop(tenant))
        served.versions.pin("prepared")
        served.versions.forget()
        return outcome

    async def _cast_shadow(self, tenant: str, number: int, folder: Path) -> Outcome | reload_answers.Shadow:
        """Begins a shadow beside the sessions of this worker; why it cannot, where it cannot."""
        served = self._host.tenants[tenant]
        served.versions.forget()
        await asyncio.to_thread(served.versions.adopt, number, folder)
        found = await self._reloader.cast_shadow(served, number)
        return found if isinstance(found, Outcome) else found.data()

    def _end_shadow(self, tenant: str) -> reload_answers.Shadow | None:
        """Ends it; how it compared, if it was there."""
        served = self._host.tenants[tenant]
        found = None if served.shadow is None else served.shadow.data()
        self._reloader.end_shadow(served)
        return found


async def _serve(front: socket.socket) -> int:
    reader, writer = await asyncio.open_unix_connection(sock=front)
    frame = await read_frame(reader)
    if frame is None:
        return 0
    spec: Spec = unpickled(frame)
    try:
        with exported(spec.config.traces, sojourn_version()):
            lock = await asyncio.to_thread(locked_part, spec.state, spec.config.stop_ms)
            try:
                await Worker(spec, reader, writer).run()
            finally:
                os.close(lock)
    except Exception as error:
        if not isinstance(error, _CannotBegin | CannotListen | NoTelemetry | OSError | PartTaken):
            _log.exception("a part of the worker failed, so it ends")
        writer.write(framed(CannotBegin(str(error))))
        with suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(writer.drain(), 1.0)
        return 1
    return 0


def main(number: int, handle: int) -> None:
    """Is a worker, to its end."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever stops a service may tell all its processes; it is for the front to say what comes when.
        signal.signal(each, signal.SIG_IGN)
    log_as_json(sys.stderr, worker=number)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        code = runner.run(_serve(socket.socket(fileno=handle)))
    logging.shutdown()
    # A thread may still wait for the answer to a request, which the next start sends again.
    os._exit(code)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
