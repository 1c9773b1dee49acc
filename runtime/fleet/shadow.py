"""A shadow in all workers, or in none: each runs it beside the sessions that are its own.

Events come to a worker by the rules that run, so rules that would have a session's events elsewhere cannot be a shadow.
It is in no log: a worker that begins again has it no more, and whoever looks at it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from runtime.fleet.desk import Desk
from runtime.fleet.link import Link, NotDone
from runtime.fleet.reload import CameToNothing, FleetReloader, merged_plan
from runtime.fleet.running import Running
from runtime.protocol import reload_answers
from runtime.service.outcomes import Outcome, Result, Trigger


class FleetShadows:
    """Begins and ends the shadows of a desk's tenants. Within the loop."""

    def __init__(self, desk: Desk, running: Running, reloader: FleetReloader) -> None:
        self._desk = desk
        self._running = running
        self._reloader = reloader

    async def cast(self, name: str, version: int | None) -> Mapping[int, reload_answers.Shadow] | Outcome:
        """Begins one with what a reload would swap in, as `Reloader.cast_shadow`; what each worker has then.

        One that ran before goes on where no worker has begun the new one.
        """
        async with self._running.histories[name].lock:
            return await self._reloader.told(self._cast(name, version), name, Trigger.API, version)

    async def end(self, name: str) -> Mapping[int, reload_answers.Shadow | None]:
        """Ends the one that runs; what each worker had that is there."""
        async with self._running.histories[name].lock:
            self._running.end_shadow(name)
            said = await self._asked("end_shadow", name)
            return {number: each for number, each in said.items() if not isinstance(each, NotDone)}

    async def _cast(self, name: str, version: int | None) -> Mapping[int, reload_answers.Shadow]:
        rules, diagnostics, number = await self._reloader.candidate(name, version)
        reason = self._desk.tenants[name].routes.why_not_beside(rules)
        if reason is not None:
            raise CameToNothing(Result.REFUSED, f"with several workers this cannot be a shadow: {reason}", diagnostics)
        number = await self._reloader.kept(name, rules, number)
        before = self._running.shadows.pop(name, None)  # while some have the one and some the other, none is shown
        said = await self._asked("cast_shadow", name, number, self._running.folder(name, number))
        begun = {worker: each for worker, each in said.items() if not isinstance(each, Outcome | NotDone)}
        if len(begun) == len(said):
            self._running.begin_shadow(name, number)
            return begun
        if begun:
            self._running.end_shadow(name)
            await self._asked("end_shadow", name)
        elif before is not None:
            self._running.begin_shadow(name, before)
        why = next(each for each in said.values() if isinstance(each, Outcome | NotDone))
        if isinstance(why, NotDone):
            raise CameToNothing(Result.FAILED, str(why), diagnostics)
        plan = merged_plan([each for each in said.values() if isinstance(each, Outcome)])
        raise CameToNothing(why.result, why.reason or "", diagnostics, plan)

    async def _asked(self, what: str, *given: object) -> dict[int, Any]:
        """What comes of an order at each worker, when it has come to something at all; NotDone where to nothing."""

        async def one(link: Link) -> Any:
            try:
                return await link.ask(what, *given)
            except NotDone as error:
                return error

        said = await asyncio.gather(*(one(link) for link in self._desk.links))
        return {link.worker: each for link, each in zip(self._desk.links, said, strict=True)}
