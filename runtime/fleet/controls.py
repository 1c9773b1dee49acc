"""What monitoring sees of the workers and of the front, and what it does to all of them: a `Fleet`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from runtime.fleet.desk import Desk
from runtime.fleet.facts import WorkerFacts
from runtime.fleet.link import Link, NotDone
from runtime.fleet.processes import WorkerProcess
from runtime.fleet.reload import FleetReloader
from runtime.fleet.running import Running
from runtime.fleet.shadow import FleetShadows
from runtime.protocol import reload_answers
from runtime.service.outcomes import Outcome, Trigger
from runtime.service.reload import History
from runtime.service.way_in import WayIn

_BEAT_S = 0.5


class Controls:
    """A `Fleet` of the tenants of a desk. Within the loop."""

    def __init__(
        self, desk: Desk, processes: Sequence[WorkerProcess], running: Running, reloader: FleetReloader
    ) -> None:
        self.config = desk.config
        self.started_ms = desk.clock_ms()
        self.beat_s = time.monotonic()
        self._desk = desk
        self._processes = processes
        self._running = running
        self._reloader = reloader
        self._shadows = FleetShadows(desk, running, reloader)
        self._telling: set[asyncio.Task[None]] = set()

    async def beat(self) -> None:
        """Notes that the loop comes round, until it is cancelled."""
        while True:
            self.beat_s = time.monotonic()
            await asyncio.sleep(_BEAT_S)

    @property
    def illness(self) -> str | None:
        """Why it does not get well by itself; None while nothing says so."""
        dying = [each for each in self._processes if each.is_down]
        return f"worker {dying[0].number} dies again and again" if dying else None

    @property
    def tenants(self) -> Collection[str]:
        """The names of all tenants."""
        return self._desk.tenants.keys()

    def workers(self) -> list[WorkerFacts]:
        """All workers, by number."""
        return [each.facts() for each in self._processes]

    def owner(self, tenant: str, profile: str, key: str) -> int:
        """The number of the worker whose a session is, live or not."""
        return self._desk.tenants[tenant].routes.owner(profile, key)

    def way_in(self, tenant: str) -> WayIn:
        """What comes in for a tenant."""
        found = self._desk.tenants[tenant]
        down = [str(link.worker) for link in self._desk.links if not link.up.is_set()]
        return WayIn(
            is_paused=found.intake.is_paused,
            problem=f"not there: worker {', '.join(down)}" if down else None,
            responses=found.responses,
            received_bytes=found.received_bytes,
            waiting_batches=len(found.intake.waiting),
            waiting_bytes=found.intake.waiting_bytes,
            latency=found.latency,
            sources=found.sources,
        )

    def history(self, tenant: str) -> History:
        """The versions of its rules, and what came of reloads."""
        return self._reloader.histories[tenant]

    def version(self, tenant: str) -> int:
        """The version that all workers run."""
        return self._running.versions[tenant]

    async def pause(self, tenant: str) -> None:
        """Takes no more events of a tenant; those that wait go on, and so does time."""
        self._desk.tenants[tenant].intake.is_paused = True
        await self._told("pause", tenant)

    async def resume(self, tenant: str) -> None:
        """Takes its events again."""
        self._desk.tenants[tenant].intake.is_paused = False
        await self._told("resume", tenant)

    async def _told(self, what: str, tenant: str) -> None:
        """Workers note it for the next start; one that is away does when it is back."""
        for link in self._desk.links:
            with suppress(NotDone):
                await link.ask(what, tenant)

    def tell(self, link: Link) -> None:
        """Tells a worker that is back which tenants were paused meanwhile, and which are no more."""
        for name, tenant in self._desk.tenants.items():
            if tenant.intake.is_paused is not (name in link.paused):
                telling = asyncio.create_task(self._told("pause" if tenant.intake.is_paused else "resume", name))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)

    async def reload(self, tenant: str, force: bool) -> Outcome:
        """Has all workers run what the tenant's folder has now, or none."""
        return await self._reloader.reload(tenant, Trigger.API, force=force)

    async def rollback(self, tenant: str, version: int, force: bool) -> Outcome:
        """Has all workers run a version that is kept, or none."""
        return await self._reloader.reload(tenant, Trigger.API, force=force, version=version)

    def shadow(self, tenant: str) -> int | None:
        """The version that all workers have begun to run beside the tenant's rules."""
        return self._running.shadows.get(tenant)

    async def cast_shadow(self, tenant: str, version: int | None) -> Mapping[int, reload_answers.Shadow] | Outcome:
        """Has all workers begin one, or none."""
        return await self._shadows.cast(tenant, version)

    async def end_shadow(self, tenant: str) -> Mapping[int, reload_answers.Shadow | None]:
        """Ends it in all workers."""
        return await self._shadows.end(tenant)
