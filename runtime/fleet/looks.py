"""What there is to look at of a fleet: each question goes to the workers that know, and their answers become one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from runtime.fleet import merging
from runtime.fleet.asking import Parts, Said, Workers, no_workers, refused
from runtime.fleet.comparing import merged_shadow
from runtime.fleet.facts import Fleet
from runtime.protocol import Operation, answers, reload_answers
from runtime.protocol import operations as protocol
from runtime.service.api import Query, limit_of, number_of, text_of
from runtime.service.facts import sojourn_version
from runtime.service.host import wall_ms
from runtime.service.reload_api import version_facts
from runtime.service.shadow_api import no_shadow

_PLAN_S = 60.0
"""How long compiling rules may take."""


class FleetLooks:
    """A fleet, looked at."""

    def __init__(self, fleet: Fleet, workers: Workers) -> None:
        self._fleet = fleet
        self._workers = workers
        self._merged: dict[str, Callable[[str, Parts, Query], Any]] = {
            protocol.TENANT.name: lambda tenant, parts, query: merging.tenant_details(
                tenant, parts, fleet.way_in(tenant)
            ),
            protocol.RULES.name: lambda tenant, parts, query: merging.rules(parts),
            protocol.SERIES.name: lambda tenant, parts, query: merging.series(parts),
            protocol.ENDS.name: lambda tenant, parts, query: merging.ends(parts, limit_of(query)),
            protocol.DEAD_LETTERS.name: lambda tenant, parts, query: merging.dead_letters(parts, limit_of(query)),
            protocol.CONFIG.name: lambda tenant, parts, query: merging.config(tenant, parts),
        }

    @property
    def tenants(self) -> Collection[str]:
        """The names of the tenants."""
        return self._fleet.tenants

    @property
    def started_ms(self) -> int:
        """When the front began."""
        return self._fleet.started_ms

    def clock_ms(self) -> int:
        """The wall clock."""
        return wall_ms()

    async def service(self) -> answers.ServiceFacts:
        """The service, and its tenants in a few numbers."""
        parts = await self._workers.every(protocol.SERVICE)
        by_tenant: dict[str, dict[int, Any]] = {name: {} for name in self._fleet.tenants}
        for number, said in parts.by_worker.items():
            for each in said["tenants"]:
                by_tenant[each["tenant"]][number] = each
        found: answers.ServiceFacts = {
            "version": sojourn_version(),
            "started_ms": self._fleet.started_ms,
            "now_ms": wall_ms(),
            "tenants": [
                merging.tenant_facts(name, Parts(each, parts.missing), self._fleet.way_in(name))
                for name, each in by_tenant.items()
            ],
        }
        if parts.missing:
            found["missing"] = parts.missing
        return found

    async def workers(self) -> answers.Workers:
        """Each worker as the front has it, with the figures that it says itself."""
        parts = await self._workers.every(protocol.SERVICE)
        return {"workers": [merging.worker_facts(each, parts) for each in self._fleet.workers()]}

    async def look(self, operation: Operation, tenant: str, query: Query) -> Any:
        """What one of `LOOKS` gives."""
        self._workers.check(tenant)
        if operation is protocol.SHADOW:
            return await self._shadow(tenant)
        if operation is protocol.VERSIONS:
            return await asyncio.to_thread(version_facts, self._fleet.history(tenant), self._fleet.version(tenant))
        if operation is protocol.SESSIONS:
            return await self._sessions(tenant, query)
        if operation in (protocol.SESSION, protocol.TRACE):
            profile, key = text_of(query, "profile"), text_of(query, "key")
            said = await self._workers.owner(operation, tenant, profile, key, query)
            return _taken(operation, said)
        return self._merged[operation.name](tenant, await self._workers.every(operation, tenant, query), query)

    async def plan(self, tenant: str, query: Query) -> reload_answers.Candidate | reload_answers.Outcome:
        """What a reload would do; what one would be refused for, all are."""
        self._workers.check(tenant)
        said = await self._workers.each(protocol.PLAN, tenant, query, _PLAN_S)
        known: dict[int, Any] = {}
        for number, each in said.items():
            if each is None or each.status == 503:
                continue
            if each.status in protocol.PLAN.refusals and "result" in each.data:
                outcome: reload_answers.Outcome = each.data
                return outcome
            known[number] = _taken(protocol.PLAN, each)
        if not known:
            raise no_workers()
        return merging.candidate(Parts(known, [number for number in said if number not in known]))

    async def _shadow(self, tenant: str) -> reload_answers.Shadow:
        version = shadow_of(self._fleet, tenant)
        parts = await self._workers.every(protocol.SHADOW, tenant, may_be_none=True)
        if shadow_of(self._fleet, tenant) != version:
            # Some may have said what they had before, and some after.
            raise no_shadow()
        found = merged_shadow(parts)
        if found is None:
            raise no_workers() if parts.missing else no_shadow()
        return found

    async def _sessions(self, tenant: str, query: Query) -> answers.Sessions:
        """Live sessions of one worker after the other, that one first which would have the very key.

        A place in the list is a place in the table of one of them: the places of worker n of N are n, n + N, n + 2N.
        """
        limit, start, key = limit_of(query), number_of(query, "start", 0), query.get("key", "")
        numbers = [worker.number for worker in self._fleet.workers()]
        first = 0
        if key:
            profile = query.get("profile") or await self._first_profile(tenant)
            first = numbers.index(self._fleet.owner(tenant, profile, key))
        numbers = numbers[first:] + numbers[:first]
        place, begin = divmod(start, len(numbers))
        sessions: list[answers.SessionFacts] = []
        missing: list[int] = []
        following: int | None = None
        for turn in range(begin, len(numbers)):
            asked = {**query, "start": str(place), "limit": str(limit - len(sessions))}
            said = await self._workers.one(numbers[turn], protocol.SESSIONS, tenant, asked)
            place = 0
            if said is None or said.status == 503:
                missing.append(numbers[turn])
                continue
            found = _taken(protocol.SESSIONS, said)
            sessions += found["sessions"]
            if found["next"] is not None:
                following = found["next"] * len(numbers) + turn
                break
            if len(sessions) >= limit and turn + 1 < len(numbers):
                following = turn + 1
                break
        answer: answers.Sessions = {"sessions": sessions, "next": following}
        if missing:
            answer["missing"] = missing
        return answer

    async def _first_profile(self, tenant: str) -> str:
        details = (await self._workers.every(protocol.TENANT, tenant)).all
        return details[0]["profiles"][0]["profile"] if details else ""


def shadow_of(fleet: Fleet, tenant: str) -> int:
    """The version that runs beside a tenant's rules. Raises HTTPException (404) where none does."""
    version = fleet.shadow(tenant)
    if version is None:
        raise no_shadow()
    return version


def _taken(operation: Operation, said: Said) -> Any:
    """What a worker gave. Raises HTTPException where it refused."""
    if said.status != 200:
        raise refused(operation, said)
    return said.data
