"""The driver: one loop that owns the engines of all tenants, says what time it is, and gives each its turn.

Everything that touches an engine happens in the loop's thread, so nothing is locked. A batch goes through the rules a
slice at a time, and after each slice it is the next tenant's turn: a flood of one is felt by its own senders. A tenant
whose lines nobody takes has no turn, so its queue fills and its senders are told to wait; the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime.config import ServiceConfig
from runtime.event import Refused
from runtime.io import DeadLetter
from runtime.rules import TenantRules
from runtime.service.intake import Answer, Batch, Intake, NotTaken
from runtime.service.outlet import Outlet
from runtime.service.served import Served, clock_of, deliveries_of, letters_of
from runtime.tenants import Disabled, TenantEngine, Tenants
from runtime.watchdog import Watchdog

_log = logging.getLogger("sojourn.service")

SLICE = 500
"""Lines of one turn: about 7 ms of work. Whoever waits behind ten floods waits 70 ms."""
_TICK_S = 1.0
_LATE_S = 0.005
_LONGEST_WAIT_S = 30.0
"""How long a batch waits for its first turn."""


def wall_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Host:
    """The tenants that one process serves. Raises TenantTwice, NoClock and CannotConnect.

    `clock_ms` says what time it is, `engine` what the engines are made of. `state` is the folder for what outlives the
    process. `run` needs a loop; everything else is called from within it.
    """

    def __init__(
        self,
        rules: Iterable[TenantRules],
        config: ServiceConfig,
        state: Path,
        *,
        clock_ms: Callable[[], int] = wall_ms,
        engine: type[TenantEngine] = TenantEngine,
    ) -> None:
        self.config = config
        self.clock_ms = clock_ms
        self.started_ms = clock_ms()
        self.beat_s = time.monotonic()
        """When the loop last came round."""
        self._work = asyncio.Event()
        compiled = list(rules)
        outlets = {}
        for each in compiled:
            name = each.config.tenant
            served = config.tenant(name)
            outlets[name] = Outlet(
                deliveries_of(each, served, state, self._work.set), wants_events=not served.markers_only
            )
        self._tenants = Tenants(
            compiled,
            lambda rules: outlets[rules.config.tenant],
            options=clock_of,
            engine=engine,
            on_disabled=_report_disabled,
        )
        self.tenants = {
            each.config.tenant: Served(
                rules=each,
                config=config.tenant(each.config.tenant),
                tenant=self._tenants.by_name[each.config.tenant],
                outlet=outlets[each.config.tenant],
                letters=letters_of(each.config.tenant, state),
                intake=Intake(each.config.tenant, config.ingest.max_waiting),
            )
            for each in compiled
        }

    # ---- events

    def accept(
        self, served: Served, lines: Sequence[bytes], source: str, first_line: int, partition: int = 0
    ) -> Answer:
        """Takes lines of a tenant: the one way in, whatever brought them.

        When it returns, each event is in a session, has passed through, waits for late ones before it, or is a dead
        letter, and what left because of it was handed to the deliveries. Only then is anybody told that it was taken.
        """
        answer = Answer()
        now_ms = self.clock_ms()

        def refuse(refused: Refused) -> None:
            answer.note(refused)
            served.letters.refuse(refused, source, now_ms)

        by_wall_clock = served.follows_wall_clock
        with Watchdog(served.rules.config.limits.rule_time_ms):
            self._tenants.process(
                served.name,
                lines,
                now_ms if by_wall_clock else None,
                partition=partition,
                wall_ms=now_ms,
                first_line=first_line,
                refuse=refuse,
            )
        answer.accepted = sum(1 for line in lines if line and not line.isspace()) - answer.refused
        served.outlet.flush()
        return answer

    def refuse(self, served: Served, letter: DeadLetter) -> None:
        """Takes an event that did not get as far as the engine."""
        served.letters.write(letter, self.clock_ms())

    async def offer(
        self,
        served: Served,
        lines: Sequence[bytes],
        size: int,
        source: str,
        *,
        first_line: int = 1,
        letters: Sequence[DeadLetter] = (),
        position: str | int | None = None,
        partition: int = 0,
    ) -> Answer:
        """Queues lines of a tenant, and says what became of them. Raises NotTaken when there is no room.

        Also when they have had no turn for long: then none of them was taken, and none will be. `letters` are of events
        that came with them and are none. With a `position`, which is where the source goes on, there are at most
        `SLICE` lines: they and it are taken as one.
        """
        batch = served.intake.put(source, lines, size, first_line, letters, position, partition=partition)
        self._work.set()
        while not batch.answered.done():
            await asyncio.wait([batch.answered], timeout=_LONGEST_WAIT_S)
            if not batch.answered.done() and served.intake.withdraw(batch):
                raise NotTaken(503, f"tenant `{served.name}` is stuck: nobody takes what leaves it", 10)
        return batch.answered.result()

    async def run(self) -> None:
        """Gives tenants their turns, and moves time on each second, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turns())
            tasks.create_task(self._ticks())

    async def _turns(self) -> None:
        while True:
            is_idle = True
            for served in self.tenants.values():
                if served.intake.waiting and (served.is_ready or served.disabled is not None):
                    is_idle = False
                    self._turn(served, served.intake.waiting[0])
                    # Requests are read and answered between any two slices.
                    await asyncio.sleep(0)
            if is_idle:
                self._work.clear()
                await self._work.wait()

    def _turn(self, served: Served, batch: Batch) -> None:
        lines = batch.lines[batch.done : batch.done + SLICE]
        first_line = batch.first_line + batch.done
        batch.answer.add(self.accept(served, lines, batch.source, first_line, batch.partition))
        batch.done += len(lines)
        if batch.done >= len(batch.lines):
            for letter in batch.letters:
                self.refuse(served, letter)
            if batch.position is not None:
                served.positions[batch.source] = batch.position
            served.intake.finish()
            served.latency.note(time.perf_counter() - batch.came_s)

    # ---- time

    async def _ticks(self) -> None:
        while True:
            self.tick()
            # A little late: a timer that fires early would make two ticks of one second.
            await asyncio.sleep(_TICK_S - time.time() % _TICK_S + _LATE_S)

    def tick(self) -> None:
        """A second has passed: sessions that are due end, what could not be delivered is tried again."""
        now_ms = self.clock_ms()
        for name, served in self.tenants.items():
            if served.follows_wall_clock:
                with Watchdog(served.rules.config.limits.rule_time_ms):
                    self._tenants.advance(now_ms, name)
        self._tenants.close_idle(now_ms)
        for served in self.tenants.values():
            served.outlet.flush()
            for delivery in served.deliveries:
                delivery.tick()
            served.series.take(served.totals())
        self.beat_s = time.monotonic()
        self._work.set()

    # ---- what an operator does

    def pause(self, served: Served) -> None:
        """Takes no more events of a tenant; those that wait go on, and so does time."""
        if not served.intake.is_paused:
            served.intake.is_paused = True
            _log.info("tenant paused", extra={"incident": {"tenant": served.name}})

    def resume(self, served: Served) -> None:
        """Takes events of a tenant again."""
        if served.intake.is_paused:
            served.intake.is_paused = False
            _log.info("tenant resumed", extra={"incident": {"tenant": served.name}})

    def end_session(self, served: Served, profile: str, key: str) -> bool | None:
        """Ends a session, as `Engine.end_session` does."""
        if served.follows_wall_clock:
            self._tenants.advance(self.clock_ms(), served.name)
        ended = served.tenant.engine.end_session(profile, key)
        served.outlet.flush()
        if ended is not None:
            _log.info("session ended on demand", extra={"incident": {"tenant": served.name, "profile": profile}})
        return ended

    # ---- the end

    def close_intake(self, reason: str) -> None:
        """Takes nothing more; what waits is still done."""
        for served in self.tenants.values():
            served.intake.closed = reason

    async def drain(self, seconds: float) -> int:
        """Does what waits, ends all sessions where they stand, delivers what left; how much would not go, in all.

        Sessions whose end nobody takes, batches that had no turn, and lines that were not delivered count.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(served.intake.waiting for served in self.tenants.values()):
            await asyncio.sleep(0.01)
        left = sum(self._tenants.shut_down().values())
        for served in self.tenants.values():
            left += served.intake.give_up()
            served.outlet.flush()
        deliveries = [delivery for served in self.tenants.values() for delivery in served.deliveries]
        await asyncio.gather(*(each.drain(max(deadline - time.monotonic(), 0.0)) for each in deliveries))
        return left + sum(each.waiting_bytes > 0 for each in deliveries)

    def close(self) -> None:
        """Lets go of files and connections."""
        for served in self.tenants.values():
            for delivery in served.deliveries:
                delivery.close()


def _report_disabled(disabled: Disabled) -> None:
    _log.error(
        "tenant switched off",
        exc_info=disabled.error,
        extra={"incident": {"tenant": disabled.tenant, "live_sessions": disabled.live_sessions}},
    )
