"""Hosts behind their sockets and a front that watches them, in a thread: real sockets, a clock that tests move.

The front is as much of one as monitoring sees: it says who owns a key, and does to all hosts what it is told.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import uvicorn

from runtime.config import load_tenant
from runtime.config.service import Address, ServiceConfig, load_service
from runtime.fleet.facts import WayIn, WorkerFacts, WorkerState
from runtime.fleet.monitor import fleet_monitor_app
from runtime.protocol import reload_answers
from runtime.rules import compile_tenant
from runtime.service.api import Phase
from runtime.service.host import Host
from runtime.service.latency import Latency
from runtime.service.monitor import monitor_app
from runtime.service.outcomes import Outcome, Trigger
from runtime.service.reload import History, Reloader
from runtime.service.taps import Lookouts
from runtime.service.web import WebServer
from tests.service.running import START_MS, TENANT


@dataclass(slots=True)
class Worker:
    """A host with its monitoring. `serving` is None while it is down."""

    facts: WorkerFacts
    host: Host
    reloader: Reloader
    lookouts: Lookouts
    running: asyncio.Task[None]
    server: uvicorn.Server | None = None
    serving: asyncio.Task[None] | None = None


class Front:
    """A `Fleet` of hosts in one loop."""

    def __init__(self, config: ServiceConfig, workers: list[Worker]) -> None:
        self.config = config
        self.started_ms = START_MS
        self.illness: str | None = None
        self.is_paused = False
        self.members = workers
        self.latency = Latency()
        self.responses: dict[int, int] = {}
        self.shadows: dict[str, int] = {}

    @property
    def beat_s(self) -> float:
        return self.members[0].host.beat_s

    @property
    def tenants(self) -> list[str]:
        return list(self.members[0].host.tenants)

    def workers(self) -> list[WorkerFacts]:
        return [worker.facts for worker in self.members]

    def owner(self, tenant: str, profile: str, key: str) -> int:
        return crc32(key.encode()) % len(self.members)

    def way_in(self, tenant: str) -> WayIn:
        return WayIn(self.is_paused, None, self.responses, 0, 0, 0, self.latency, ())

    def history(self, tenant: str) -> History:
        return self.members[0].reloader.histories[tenant]

    def version(self, tenant: str) -> int:
        return self.members[0].host.tenants[tenant].version or 0

    async def pause(self, tenant: str) -> None:
        self.is_paused = True

    async def resume(self, tenant: str) -> None:
        self.is_paused = False

    async def reload(self, tenant: str, force: bool) -> Outcome:
        return await self._reload(tenant, force, None)

    async def rollback(self, tenant: str, version: int, force: bool) -> Outcome:
        return await self._reload(tenant, force, version)

    async def _reload(self, tenant: str, force: bool, version: int | None) -> Outcome:
        outcomes = [
            await each.reloader.reload(each.host.tenants[tenant], Trigger.API, force=force, version=version)
            for each in self.members
        ]
        self.shadows.pop(tenant, None)
        return replace(outcomes[0], sessions=sum(each.sessions for each in outcomes))

    def shadow(self, tenant: str) -> int | None:
        return self.shadows.get(tenant)

    async def cast_shadow(self, tenant: str, version: int | None) -> dict[int, reload_answers.Shadow] | Outcome:
        found = {}
        for each in self.members:
            shadow = await each.reloader.cast_shadow(each.host.tenants[tenant], version)
            if isinstance(shadow, Outcome):
                return shadow
            found[each.facts.number] = shadow.data()
            self.shadows[tenant] = shadow.version
        return found

    async def end_shadow(self, tenant: str) -> dict[int, reload_answers.Shadow | None]:
        del self.shadows[tenant]
        return {each.facts.number: self.without_shadow(each, tenant) for each in self.members}

    def without_shadow(self, worker: Worker, tenant: str) -> reload_answers.Shadow | None:
        """Ends the shadow in one worker, as its death does; what it had."""
        served = worker.host.tenants[tenant]
        found = None if served.shadow is None else served.shadow.data()
        worker.reloader.end_shadow(served)
        return found


class Fleet:
    """A front and its hosts at work. `monitor` asks the front."""

    def __init__(self, folder: Path, tenants: list[dict[str, Any]], workers: int = 2, service: str = "") -> None:
        self.now_ms = START_MS
        self.phase = Phase.READY
        self.places = []
        for number, config in enumerate(tenants):
            place = folder / f"tenant-{number}"
            place.mkdir()
            (place / "sessionizer.yaml").write_text(json.dumps(config))
            self.places.append(place)
        (folder / "service.yaml").write_text(service)
        free = Address("127.0.0.1", 0)
        self._config = load_service(folder / "service.yaml").listening(free, free)
        self._folder = folder
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(workers)))
        self._thread.start()
        assert self._ready.wait(20)
        self.monitor = httpx.Client(base_url=self.url, timeout=60)

    async def _run(self, workers: int) -> None:
        self._loop = asyncio.get_running_loop()
        members = [await self._worker(number) for number in range(workers)]
        self.front = Front(self._config, members)
        for worker in members:
            await self._serve(worker)
        app = fleet_monitor_app(self.front, lambda: self.phase)
        server = WebServer(app, self._config.monitor.listener, 1000)
        serving = asyncio.create_task(server.run_until_stopped())
        self.url = server.url
        self._ready.set()
        await self._stop.wait()
        server.stop()
        server.force_exit = True
        await serving
        for worker in members:
            worker.lookouts.close()
            await self._silence(worker)
            worker.running.cancel()
            with suppress(asyncio.CancelledError):
                await worker.running
            worker.reloader.close()
            worker.host.close()

    async def _worker(self, number: int) -> Worker:
        state = self._folder / "workers" / str(number)
        state.mkdir(parents=True)
        rules = [compile_tenant(load_tenant(place)) for place in self.places]
        host = Host(rules, self._config, state, clock_ms=lambda: self.now_ms)
        facts = WorkerFacts(number, state / "monitor.sock", WorkerState.READY, 1000 + number, 0, 0)
        running = asyncio.create_task(host.run())
        await host.recovered.wait()
        reloader = Reloader(host)
        await reloader.catch_up()
        return Worker(facts, host, reloader, Lookouts(host), running)

    async def _serve(self, worker: Worker) -> None:
        app = monitor_app(
            worker.host, worker.reloader, lambda: Phase.READY, worker.lookouts, worker=worker.facts.number
        )
        config = uvicorn.Config(app, uds=str(worker.facts.socket), lifespan="off", log_config=None, access_log=False)
        worker.server = uvicorn.Server(config)
        worker.server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        worker.serving = asyncio.create_task(worker.server._serve())
        while not worker.server.started:
            await asyncio.sleep(0.01)
        worker.facts = replace(worker.facts, state=WorkerState.READY, restarts=worker.facts.restarts)

    async def _silence(self, worker: Worker) -> None:
        if worker.server is not None and worker.serving is not None:
            worker.server.should_exit = worker.server.force_exit = True
            for connection in list(worker.server.server_state.connections):
                connection.transport.abort()  # as when its process is killed
            await worker.serving
            worker.server = worker.serving = None

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    def down(self, number: int, state: WorkerState = WorkerState.DOWN) -> None:
        """A worker listens no more; what the front knows of it may be older than that."""
        worker = self.front.members[number]
        self._do(self._silence(worker))
        worker.facts = replace(worker.facts, state=state, restarts=worker.facts.restarts + 1)

    def up(self, number: int) -> None:
        """It listens again."""
        self._do(self._serve(self.front.members[number]))

    @contextmanager
    def mute(self, number: int) -> Iterator[None]:
        """Within: a worker takes connections, and says nothing."""
        self.down(number, WorkerState.READY)
        place = self.front.members[number].facts.socket
        place.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(place))
            silent.listen()
            yield
        place.unlink()
        self.up(number)

    def forget_shadow(self, number: int) -> None:
        """A worker has its shadow no more, as when it has begun again."""

        async def forget() -> None:
            self.front.without_shadow(self.front.members[number], "shop")

        self._do(forget())

    def send(self, events: list[dict[str, Any]], tenant: str = "shop") -> None:
        """Gives events to the owners of their users' keys."""

        async def offer() -> None:
            for event in events:
                host = self.front.members[self.front.owner(tenant, "Visit", str(event.get("user")))].host
                line = event["raw"] if "raw" in event else json.dumps(event).encode()
                await host.offer(host.tenants[tenant], [line], len(line), "test")

        self._do(offer())

    def get(self, path: str, tenant: str = "shop") -> dict[str, Any]:
        """What the API says of a tenant."""
        response = self.monitor.get(f"/api/v1/tenants/{tenant}{path}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def users(self, number: int, count: int) -> list[str]:
        """Users whose keys a worker owns."""
        names = (f"user-{each}" for each in range(10_000))
        owned = (name for name in names if self.front.owner("shop", "Visit", name) == number)
        return [name for name, _ in zip(owned, range(count), strict=False)]

    def close(self) -> None:
        """Stops all."""
        self.monitor.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


__all__ = ["TENANT", "Fleet"]
