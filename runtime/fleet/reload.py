"""Other rules for all workers at once, or for none.

All workers make the rules ready while events go on; where one refuses, nothing has happened. Then what comes of the
tenant waits, what workers have is answered, and it is noted which version runs: from there on it does, whatever dies. A
worker that does not come by it is ended, and begins again with it, so no two rule sets ever take events.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from epl import Diagnostic, InvalidInput
from runtime.clocks import NoClock
from runtime.fleet.desk import Desk, FrontTenant
from runtime.fleet.link import NotDone
from runtime.fleet.processes import WorkerProcess
from runtime.fleet.routes import why_whole
from runtime.fleet.running import Running
from runtime.plan import KindPlan, Plan
from runtime.rules import TenantRules
from runtime.service.outcomes import Outcome, Result, Trigger
from runtime.service.reload import History, compiled, counted, report
from runtime.service.served import clock_of
from runtime.service.versions import VersionError

_log = logging.getLogger("sojourn.fleet")

_HELD_S = 20.0
"""How long what workers have of a tenant may take to be answered."""
_UP_S = 30.0
"""How long a worker that is away is waited for."""
_ATTEMPTS = 3
_T = TypeVar("_T")


class FleetReloader:
    """Reloads the tenants of a desk and of all its workers."""

    def __init__(self, desk: Desk, running: Running, processes: Sequence[WorkerProcess]) -> None:
        self._desk = desk
        self._running = running
        self._processes = processes
        self.histories: Mapping[str, History] = running.histories
        # One for all: while a tenant's modules are imported, no other's are.
        self._thread = ThreadPoolExecutor(1, "rules")

    async def catch_up(self) -> None:
        """What runs is what ran; what the folders have by now is a reload like any other."""
        for name, wanted in self._running.wanted.items():
            if self._running.versions[name] != wanted:
                await self.reload(name, Trigger.START)

    async def reload(self, name: str, trigger: Trigger, *, force: bool = False, version: int | None = None) -> Outcome:
        """Has all workers run what a tenant's folder has now, or a version that is kept; as `Reloader.reload`."""
        history = self.histories[name]
        async with history.lock:
            attempt = self._reload(self._desk.tenants[name], trigger, force, version)
            outcome = await self.told(attempt, name, trigger, version)
            history.last = outcome
            history.counts[outcome.result] += 1
            report(name, outcome)
            return outcome

    async def told(self, attempt: Awaitable[_T], name: str, trigger: Trigger, version: int | None) -> _T | Outcome:
        """What an attempt gives, or why it came to nothing."""
        try:
            return await attempt
        except CameToNothing as error:
            outcome = self._outcome(name, error.result, trigger)
            return replace(outcome, wanted=version, reason=str(error), diagnostics=error.diagnostics, plan=error.plan)

    async def _reload(self, tenant: FrontTenant, trigger: Trigger, force: bool, version: int | None) -> Outcome:
        name = tenant.name
        rules, diagnostics, number = await self.candidate(name, version)
        if number == self._running.versions[name] and not any(await self._asked("is_disabled", name)):
            return replace(self._outcome(name, Result.UNCHANGED, trigger), diagnostics=diagnostics)
        self._check(tenant, rules, diagnostics, force=force and trigger is Trigger.API)
        number = await self.kept(name, rules, number)
        folder = self._running.folder(name, number)
        refused: list[Outcome] = [
            each for each in await self._asked("prepare", name, number, folder, trigger, force) if each
        ]
        if refused:
            plan = merged_plan(refused)
            raise CameToNothing(refused[0].result, refused[0].reason or "", diagnostics, plan)
        began_s = time.perf_counter()
        tenant.is_open.clear()
        try:
            await self._answered(tenant)
            outcomes = await self._run(tenant, rules, number, trigger)
        finally:
            tenant.is_open.set()
        return replace(
            self._outcome(name, Result.RELOADED, trigger),
            diagnostics=diagnostics,
            plan=merged_plan(outcomes),
            sessions=sum(each.sessions for each in outcomes),
            dropped_sessions=sum(each.dropped_sessions for each in outcomes),
            pause_ms=(time.perf_counter() - began_s) * 1000,
        )

    async def candidate(self, name: str, version: int | None) -> tuple[TenantRules, tuple[Diagnostic, ...], int | None]:
        """The rules of a version, or of the folder, with what lint says of them, and their number if they are kept.

        Raises CameToNothing.
        """
        history, runs = self.histories[name], self._running.versions[name]

        def read() -> tuple[TenantRules, tuple[Diagnostic, ...], int | None]:
            if version is not None:
                return history.versions.load(version), (), version
            rules, diagnostics = compiled(history.source)
            return rules, diagnostics, runs if history.versions.has_same(runs, rules.config) else None

        try:
            return await self._beside(read)
        except InvalidInput as error:
            reason = f"the rules have {counted(error.diagnostics)}"
            raise CameToNothing(Result.BAD_RULES, reason, error.diagnostics) from error

    async def kept(self, name: str, rules: TenantRules, number: int | None) -> int:
        """The number of a candidate, which is kept by now. Raises CameToNothing."""
        if number is not None:
            return number
        add = self.histories[name].versions.add
        return await self._beside(lambda: add(rules.config, self._desk.clock_ms()))

    def _check(
        self, tenant: FrontTenant, rules: TenantRules, diagnostics: tuple[Diagnostic, ...], *, force: bool
    ) -> None:
        """Raises CameToNothing where the rules cannot run, or keys would be others' than their sessions are."""
        try:
            clock_of(rules)
        except NoClock as error:
            raise CameToNothing(Result.BAD_RULES, str(error), diagnostics) from error
        before, after = tenant.routes.why_whole, why_whole(rules)
        if (before is None) != (after is None) and not force:
            why = f"one worker would own all its keys: {after}" if after else "its keys would be those of all workers"
            reason = f"open sessions would be left where their events do not come any more, and end by their gap: {why}"
            raise CameToNothing(Result.REFUSED, reason, diagnostics)

    async def _asked(self, what: str, *given: object) -> list[Any]:
        """What all workers say, of something that may be asked again. Raises CameToNothing when one of them does not.

        One that dies over it is waited for: nobody would ask again because of a file that has changed.
        """
        problem = NotDone()
        for _ in range(_ATTEMPTS):
            try:
                async with asyncio.timeout(_UP_S):
                    for each in self._processes:
                        await each.link.up.wait()
                return list(await asyncio.gather(*(each.link.ask(what, *given) for each in self._processes)))
            except TimeoutError:
                missing = [str(each.number) for each in self._processes if not each.link.up.is_set()]
                raise CameToNothing(Result.FAILED, f"not there: worker {', '.join(missing)}") from None
            except NotDone as error:
                problem = error
        raise CameToNothing(Result.FAILED, str(problem)) from problem

    async def _answered(self, tenant: FrontTenant) -> None:
        """Waits for what workers have of a tenant."""
        deadline_s = asyncio.get_running_loop().time() + _HELD_S
        while tenant.unanswered:
            left_s = deadline_s - asyncio.get_running_loop().time()
            if left_s <= 0:
                raise CameToNothing(Result.FAILED, "events of the tenant wait for their turn for too long")
            await asyncio.wait(list(tenant.unanswered), timeout=left_s)

    async def _run(self, tenant: FrontTenant, rules: TenantRules, number: int, trigger: Trigger) -> list[Outcome]:
        """Has all workers swap, those that do not come by it by another life; what came of it at the others."""
        name = tenant.name
        before = self._running.versions[name]
        self._running.versions[name] = number
        try:
            await self._beside(self._running.note)
        except OSError as error:
            self._running.versions[name] = before
            reason = f"which rules run cannot be noted: {error.strerror or error}"
            raise CameToNothing(Result.FAILED, reason) from error
        tenant.go_by(rules, self._desk.ring)
        self.histories[name].versions.pin("running", number)
        # Each worker's ends with its swap, or with its process.
        self._running.end_shadow(name)
        asked = (each.link.ask("swap", name, trigger) for each in self._processes)
        swapped: list[Outcome] = []
        for process, outcome in zip(self._processes, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            if isinstance(outcome, Outcome) and outcome.is_done:
                swapped.append(outcome)
            else:
                why = outcome.reason if isinstance(outcome, Outcome) else str(outcome)
                incident = {"worker": process.number, "tenant": name, "version": number, "problem": why}
                _log.error("a worker begins again to go by other rules", extra={"incident": incident})
                process.kill()
        if tenant.routes.has_clock:
            await self._learn(tenant)
        return swapped

    async def _learn(self, tenant: FrontTenant) -> None:
        """What workers know of clocks that the front may not have kept; one that begins again says it by itself."""
        asked = (each.link.ask("clocks", tenant.name) for each in self._processes)
        for come in await asyncio.gather(*asked, return_exceptions=True):
            if not isinstance(come, BaseException):
                tenant.clocks.learn(come)

    def _outcome(self, name: str, result: Result, trigger: Trigger) -> Outcome:
        runs = self._running.versions[name]
        return Outcome(result=result, trigger=trigger, at_ms=self._desk.clock_ms(), version=runs, wanted=runs)

    async def _beside(self, do: Callable[[], _T]) -> _T:
        """Does something in the thread, while events go on. Raises CameToNothing for a VersionError."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, do)
        except VersionError as error:
            raise CameToNothing(Result.FAILED, str(error)) from error

    def close(self) -> None:
        """Ends the thread when it has done what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class CameToNothing(Exception):
    """An attempt that came to nothing."""

    def __init__(
        self, result: Result, reason: str, diagnostics: tuple[Diagnostic, ...] = (), plan: Plan | None = None
    ) -> None:
        super().__init__(reason)
        self.result, self.diagnostics, self.plan = result, diagnostics, plan


def merged_plan(outcomes: Sequence[Outcome]) -> Plan | None:
    """The plan of all workers: they differ in how many sessions are open."""
    plans = [each.plan for each in outcomes if each.plan is not None]
    if not plans:
        return None
    counts: Counter[str] = Counter()
    for plan in plans:
        counts.update({each.name: each.open_sessions or 0 for each in plan.profiles})
    return replace(plans[0], profiles=tuple(_counting(each, counts[each.name]) for each in plans[0].profiles))


def _counting(profile: KindPlan, open_sessions: int) -> KindPlan:
    return profile if profile.open_sessions is None else replace(profile, open_sessions=open_sessions)
