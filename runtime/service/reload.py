"""Other rules for a tenant while it runs: read, linted, compiled, planned, kept, and swapped in between two slices.

All that takes time is done beside the events: compiling in a thread, making the sessions easy to take over a step at a
time. What goes wrong before the swap leaves the running rules untouched and is told; a swap itself cannot go half way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from epl import Diagnostic, InvalidInput, Severity
from runtime.clocks import NoClock
from runtime.config import load_tenant
from runtime.lint import lint_config
from runtime.plan import Before, Plan, plan
from runtime.rules import TenantRules
from runtime.service.host import Host
from runtime.service.log import NotLogged
from runtime.service.outcomes import Outcome, Result, Trigger
from runtime.service.served import Served
from runtime.service.shadow import Shadow
from runtime.service.versions import VersionError, Versions
from runtime.takeover import CannotTakeOver, TakenOver
from runtime.tenants import TenantEngine

_log = logging.getLogger("sojourn.service")

_MOST_SHOWN = 20
_RUNNING, _SHADOW, _LOG = "running", "shadow", "log"
_T = TypeVar("_T")


@dataclass(slots=True)
class History:
    """The rules of one tenant over time: the versions that are kept, and what came of attempts to reload.

    `source` is the YAML that reloads read. `last` is the latest attempt, None before the first; `counts` has all by
    their result.
    """

    source: Path
    versions: Versions
    last: Outcome | None = None
    counts: Counter[Result] = field(default_factory=Counter)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Rules that could run: compiled, with what there is to say about them and about open sessions."""

    rules: TenantRules
    diagnostics: tuple[Diagnostic, ...]
    plan: Plan
    number: int | None


class _NotReloaded(Exception):
    """An attempt that came to nothing."""

    def __init__(
        self, result: Result, reason: str, diagnostics: tuple[Diagnostic, ...] = (), plan: Plan | None = None
    ) -> None:
        super().__init__(reason)
        self.result, self.reason, self.diagnostics, self.plan = result, reason, diagnostics, plan


class Reloader:
    """Reloads the tenants of a host. Raises VersionError when their rules cannot be kept.

    `kept` has by tenant the number of the version that its rules are, where somebody else has kept them and says what
    runs; then nothing but that version comes after a start.
    """

    def __init__(self, host: Host, kept: Mapping[str, int] | None = None) -> None:
        self._host = host
        self._is_led = kept is not None
        self.histories: dict[str, History] = {}
        self._at_start: dict[str, int] = {}
        # One for all: while a tenant's modules are imported, no other's are.
        self._thread = ThreadPoolExecutor(1, "rules")
        for served in host.tenants.values():
            config = served.rules.config
            # Until the log has been read, nobody knows which of them it goes by.
            served.versions.pin(_LOG, *served.versions.numbers())
            served.log.version = kept[served.name] if kept else served.versions.add(config, host.clock_ms())
            served.versions.pin(_RUNNING, served.log.version)
            self.histories[served.name] = History(Path(config.source.name), served.versions)
            self._at_start[served.name] = served.log.version

    async def catch_up(self) -> None:
        """What came back goes by the rules of then; those that a folder has by now are a reload like any other.

        Raises VersionError where somebody else says what runs, and it cannot.
        """
        for name, served in self._host.tenants.items():
            if served.version != self._at_start[name] and served.version is not None:
                self.histories[name].versions.pin(_RUNNING, served.version)
                version = self._at_start[name] if self._is_led else None
                outcome = await self.reload(served, Trigger.START, version=version, force=self._is_led)
                if self._is_led and not outcome.is_done:
                    raise VersionError(f"tenant `{name}` does not go on by version {version}: {outcome.reason}")

    async def reload(
        self, served: Served, trigger: Trigger, *, force: bool = False, version: int | None = None
    ) -> Outcome:
        """Swaps in what a tenant's folder has now, or a version that was kept; what came of it.

        Whoever asks by the API is told what open sessions would lose, and nothing is done, unless with `force`.
        Otherwise nobody is there to be asked: values that the rules have no place for any more are dropped, and
        sessions are not.
        """
        history = self.histories[served.name]
        attempt = self._reload(served, history, trigger, force, version)
        return await self._noted(attempt, served, trigger, version)

    async def candidate(self, served: Served, version: int | None = None) -> Candidate | Outcome:
        """What a reload would swap in, or what it would come to where it would come to nothing."""
        found = self._candidate(served, self.histories[served.name], version)
        return await self._told(found, served, Trigger.API, version)

    async def prepare(self, served: Served, trigger: Trigger, version: int, *, force: bool) -> Candidate | Outcome:
        """All of a reload but the swap itself, for `run`; or what it comes to where it comes to nothing."""

        async def prepared() -> Candidate:
            found = await self._candidate(served, self.histories[served.name], version)
            if found.number != served.version or served.disabled is not None:
                _check(found.plan, found, trigger, force)
                self._engine_for(found)
                try:
                    await self._cooled(served)
                except NotLogged as error:
                    raise _NotReloaded(Result.FAILED, str(error), found.diagnostics, found.plan) from error
            return found

        return await self._told(prepared(), served, trigger, version)

    async def run(self, served: Served, trigger: Trigger, found: Candidate) -> Outcome:
        """Swaps in what was prepared, whatever sessions lose; what came of it."""
        history = self.histories[served.name]
        return await self._noted(self._run(served, history, trigger, True, found), served, trigger, found.number)

    async def cast_shadow(self, served: Served, version: int | None = None) -> Shadow | Outcome:
        """Starts what a reload would swap in beside what runs, or what it would come to.

        It takes the place of one that is there.
        """
        history = self.histories[served.name]
        async with history.lock:
            return await self._told(self._cast_shadow(served, history, version), served, Trigger.API, version)

    def end_shadow(self, served: Served) -> None:
        """Ends what runs beside a tenant's rules, if anything does."""
        self.histories[served.name].versions.pin(_SHADOW)
        self._host.exchange.end_shadow(served)

    def close(self) -> None:
        """Ends the thread when it has done what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # ---- an attempt

    async def _noted(
        self, attempt: Coroutine[Any, Any, Outcome], served: Served, trigger: Trigger, version: int | None
    ) -> Outcome:
        """What comes of an attempt, one after the other, for everybody to see."""
        history = self.histories[served.name]
        async with history.lock:
            outcome = await self._told(attempt, served, trigger, version)
            history.last = outcome
            history.counts[outcome.result] += 1
            report(served.name, outcome)
            return outcome

    async def _reload(
        self, served: Served, history: History, trigger: Trigger, force: bool, version: int | None
    ) -> Outcome:
        return await self._run(served, history, trigger, force, await self._candidate(served, history, version))

    async def _run(self, served: Served, history: History, trigger: Trigger, force: bool, found: Candidate) -> Outcome:
        if found.number is not None and found.number == served.version and served.disabled is None:
            return self._outcome(Result.UNCHANGED, served, trigger, found)
        _check(found.plan, found, trigger, force)
        engine = self._engine_for(found)
        number = await self._kept(history, found)
        try:
            began = await self._cooled(served)
            # Sessions may have begun meanwhile; from here on no event comes.
            _check(plan(Before.of_engine(served.tenant.engine), found.rules), found, trigger, force)
            taken = self._host.exchange.swap(served, engine, number)
        except NotLogged as error:
            raise _NotReloaded(Result.FAILED, str(error), found.diagnostics, found.plan) from error
        pause_ms = (time.perf_counter() - began) * 1000
        history.versions.pin(_RUNNING, number)
        history.versions.pin(_SHADOW)
        return self._outcome(Result.RELOADED, served, trigger, found, taken, pause_ms)

    def _engine_for(self, found: Candidate) -> TenantEngine:
        try:
            return self._host.exchange.engine_for(found.rules)
        except NoClock as error:
            raise _NotReloaded(Result.BAD_RULES, str(error), found.diagnostics) from error

    async def _cast_shadow(self, served: Served, history: History, version: int | None) -> Shadow:
        found = await self._candidate(served, history, version)
        number = await self._kept(history, found)
        try:
            await self._cooled(served)
            shadow = self._host.exchange.cast_shadow(served, found.rules, number)
        except NotLogged as error:
            raise _NotReloaded(Result.FAILED, str(error), found.diagnostics, found.plan) from error
        except (CannotTakeOver, NoClock) as error:
            raise _NotReloaded(Result.REFUSED, str(error), found.diagnostics, found.plan) from error
        history.versions.pin(_SHADOW, number)
        _log.info("shadow begun", extra={"incident": {"tenant": served.name, "version": number}})
        return shadow

    async def _cooled(self, served: Served) -> float:
        """Makes sessions easy to take over while events go on; since when (`perf_counter`) they do not any more.

        Raises NotLogged.
        """
        while True:
            began = time.perf_counter()
            if served.disabled is not None or not self._host.exchange.cool(served):
                return began
            await asyncio.sleep(0)

    async def _kept(self, history: History, found: Candidate) -> int:
        """The number of the version, which is kept by now."""
        if found.number is not None:
            return found.number
        config, now_ms = found.rules.config, self._host.clock_ms()
        try:
            return await self._beside(lambda: history.versions.add(config, now_ms))
        except VersionError as error:
            raise _NotReloaded(Result.FAILED, str(error), found.diagnostics, found.plan) from error

    def _outcome(
        self,
        result: Result,
        served: Served,
        trigger: Trigger,
        found: Candidate,
        taken: TakenOver | None = None,
        pause_ms: float | None = None,
    ) -> Outcome:
        return Outcome(
            result=result,
            trigger=trigger,
            at_ms=self._host.clock_ms(),
            version=served.version,
            wanted=served.version,
            diagnostics=found.diagnostics,
            plan=found.plan,
            sessions=0 if taken is None else taken.sessions,
            dropped_sessions=0 if taken is None else taken.dropped_sessions,
            pause_ms=pause_ms,
        )

    async def _told(
        self, attempt: Awaitable[_T], served: Served, trigger: Trigger, version: int | None
    ) -> _T | Outcome:
        """What an attempt gives, or why it came to nothing."""
        try:
            return await attempt
        except _NotReloaded as error:
            why = error
        except Exception as error:
            # A defect of ours: whoever reloads is told, and the rules that run are none the worse.
            _log.exception("a reload failed", extra={"incident": {"tenant": served.name}})
            why = _NotReloaded(Result.FAILED, f"a defect of Sojourn: {type(error).__name__}: {error}")
        return Outcome(
            result=why.result,
            trigger=trigger,
            at_ms=self._host.clock_ms(),
            version=served.version,
            wanted=version,
            reason=why.reason,
            diagnostics=why.diagnostics,
            plan=why.plan,
        )

    async def _candidate(self, served: Served, history: History, version: int | None) -> Candidate:
        runs = served.version

        def read() -> tuple[TenantRules, tuple[Diagnostic, ...], int | None]:
            if version is not None:
                return history.versions.load(version), (), version
            rules, diagnostics = compiled(history.source)
            is_same = runs is not None and history.versions.has_same(runs, rules.config)
            return rules, diagnostics, runs if is_same else None

        try:
            rules, diagnostics, number = await self._beside(read)
        except InvalidInput as error:
            reason = f"the rules have {counted(error.diagnostics)}"
            raise _NotReloaded(Result.BAD_RULES, reason, error.diagnostics) from error
        except VersionError as error:
            raise _NotReloaded(Result.FAILED, str(error)) from error
        return Candidate(rules, diagnostics, plan(Before.of_engine(served.tenant.engine), rules), number)

    async def _beside(self, do: Callable[[], _T]) -> _T:
        """Does something in the thread, while events go on."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)


def _check(planned: Plan, found: Candidate, trigger: Trigger, force: bool) -> None:
    """Raises _NotReloaded where open sessions would lose more than they may."""
    if planned.refused is not None:
        reason = f"a reload cannot do this: {planned.refused}"
        raise _NotReloaded(Result.REFUSED, reason, found.diagnostics, planned)
    if not force and (planned.loses if trigger is Trigger.API else planned.loses_sessions):
        raise _NotReloaded(Result.REFUSED, "open sessions would lose something", found.diagnostics, planned)


def compiled(source: Path) -> tuple[TenantRules, tuple[Diagnostic, ...]]:
    """The rules of a folder with what lint says of them. Raises InvalidInput where lint fails."""
    config = load_tenant(source)
    linted, checker = lint_config(config)
    if linted.failing:
        raise InvalidInput(linted.diagnostics)
    return checker.compile(), tuple(linted.diagnostics)


def counted(diagnostics: tuple[Diagnostic, ...]) -> str:
    """How many errors and warnings there are, in words."""
    errors = sum(each.severity is Severity.ERROR for each in diagnostics)
    counts = ((errors, "error"), (len(diagnostics) - errors, "warning"))
    return " and ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts if count)


def report(tenant: str, outcome: Outcome) -> None:
    """Logs what came of a reload."""
    incident: dict[str, object] = {
        "tenant": tenant,
        "trigger": outcome.trigger.value,
        "result": outcome.result.value,
        "version": outcome.version,
    }
    if not outcome.is_done:
        incident["reason"] = outcome.reason
        incident["problems"] = [_line(each) for each in outcome.diagnostics[:_MOST_SHOWN]]
        _log.warning("rules not reloaded", extra={"incident": incident})
    elif outcome.result is Result.RELOADED:
        incident["sessions"] = outcome.sessions
        incident["pause_ms"] = round(outcome.pause_ms or 0, 1)
        dropped = [] if outcome.plan is None else outcome.plan.losses()
        if dropped:
            incident["dropped"] = dropped
        _log.info("rules reloaded", extra={"incident": incident})


def _line(diagnostic: Diagnostic) -> str:
    place = diagnostic.source.position(diagnostic.span.start)
    return f"{diagnostic.source.name}:{place.line}:{place.column}: {diagnostic.code.id} {diagnostic.message}"
