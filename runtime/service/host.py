"""The driver: one loop that owns the engines of all tenants, says what time it is, and gives each its turn.

Everything that touches an engine happens in the loop's thread, so nothing is locked. A batch goes through the rules a
slice at a time, and after each slice it is the next tenant's turn: a flood of one is felt by its own senders. A tenant
whose lines nobody takes has no turn, so its queue fills and its senders are told to wait; the others go on.

Whatever is done to an engine is in the tenant's log before, so that it can be done again (`runtime.service.recovery`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from runtime.config import Sync
from runtime.config.service import ServiceConfig
from runtime.io import DeadLetter
from runtime.rules import TenantRules
from runtime.service.exchange import Exchange
from runtime.service.intake import Answer, Batch, Intake, NotTaken
from runtime.service.log import NotLogged
from runtime.service.operations import Operations
from runtime.service.outlet import Outlet
from runtime.service.records import End, Heard, Lines, Paused, Position, Taken, Tick, letter_record, packed
from runtime.service.recovery import recover
from runtime.service.served import Served, clock_of, deliveries_of, letters_of, log_of, rate_of
from runtime.service.snapshots import Snapshots
from runtime.service.spans import span
from runtime.service.syncing import Syncing
from runtime.service.taker import Fed
from runtime.service.versions import Versions
from runtime.tenants import Disabled, TenantEngine, Tenants

_log = logging.getLogger("sojourn.service")

SLICE = 500
"""Lines of one turn, and the most of one record: about 7 ms of work. Whoever waits behind ten floods waits 70 ms."""
_SHARED_SLICE = 200
"""The same where there is more than one tenant: others wait 2 ms. Slices of 100 would cost a tenth more an event."""
_SPENT_SLICE = 100
"""The same for one of several that has had its events of this second: what it costs more is its own."""
_ROUNDS = 4
"""How often the loop comes round between two slices. A request comes to its place in the queue in two rounds, and its
answer to the socket in three; with one between two slices it would wait for as many slices as these."""
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
        self.recovered = asyncio.Event()
        """Set when all tenants are as they were: from then on events have their turns."""
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
                intake=Intake(each.config.tenant, config.ingest.max_waiting, rate_of(each)),
                log=log_of(each.config.tenant, state),
                versions=Versions(state, each.config.tenant, config.versions_kept),
            )
            for each in compiled
        }
        self._operations = Operations(self._tenants)
        self.exchange = Exchange(self._operations, clock_ms, self._work.set)
        self._syncing = Syncing()
        self.snapshots = Snapshots(self.tenants, config.durability, self._syncing)

    # ---- events

    def accept(
        self,
        served: Served,
        lines: Sequence[bytes],
        source: str,
        first_line: int,
        *,
        letters: Sequence[DeadLetter] = (),
        position: Position | None = None,
        partition: int = 0,
        numbers: list[int] | None = None,
        counted_by: str | None = None,
        heard: Heard | None = None,
    ) -> Answer:
        """Takes lines of a tenant, and letters of events among them: the one way in, whatever brought them.

        When it returns, each event is in a session, has passed through, waits for late ones before it, or is a dead
        letter, what left because of it was handed to the deliveries, and the log makes all of it come again. Only then
        is anybody told that it was taken. Raises NotLogged; then nothing was taken.
        """
        record = Lines(
            **served.when(self.clock_ms()),
            source=packed(source),
            first_line=first_line,
            lines=list(lines),
            letters=[letter_record(letter) for letter in letters],
            partition=partition,
            position=position,
            disabled=None if served.disabled is None else packed(served.disabled.reason),
            numbers=numbers,
            counted_by=counted_by,
            heard=heard,
        )
        served.keep(record)
        limit_ms = served.rules.config.limits.rule_time_ms
        answer = self._operations.take(served, record, limit_ms, served.note_stopped)
        if served.shadow is not None and served.disabled is None:
            served.shadow.process(lines, record.at_ms, first_line, partition, heard)
        return answer

    def refuse(self, served: Served, letter: DeadLetter) -> None:
        """Takes an event that did not get as far as the engine. Raises NotLogged."""
        self.accept(served, (), letter.source, letter.line, letters=(letter,))

    async def offer(
        self,
        served: Fed,
        lines: Sequence[bytes],
        size: int,
        source: str,
        *,
        first_line: int = 1,
        letters: Sequence[DeadLetter] = (),
        position: Position | None = None,
        partition: int = 0,
    ) -> Answer:
        """Queues lines of a tenant, and says what became of them. Raises NotTaken when there is no room.

        Also when they have had no turn for long: then none of them was taken, and none will be. `letters` are of events
        that came with them and are none. With a `position`, which is where the source goes on, there are at most
        `SLICE` lines: they and it are taken as one. Each `partition` of a tenant's events has a clock of its own.
        """
        assert position is None or len(lines) <= SLICE, "lines and their position are one record"
        batch = served.intake.put(source, lines, size, first_line, letters, position, partition)
        self._work.set()
        while not batch.answered.done():
            await asyncio.wait([batch.answered], timeout=_LONGEST_WAIT_S)
            if not batch.answered.done() and served.intake.withdraw(batch):
                raise NotTaken(503, f"tenant `{served.name}` is stuck: nobody takes what leaves it", 10)
        return batch.answered.result()

    def queue(self, served: Served, batch: Batch) -> None:
        """Queues a batch that somebody else has let in; its future has the answer."""
        served.intake.append(batch)
        self._work.set()

    async def run(self) -> None:
        """Brings tenants back, then gives them their turns, and moves time on each second, until it is cancelled.

        Raises StateDamaged.
        """
        await self.recover()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turns())
            tasks.create_task(self._ticks())
            tasks.create_task(self._syncing.answer_batches())
            tasks.create_task(self._syncing.sync_each_second(self.tenants.values()))
            tasks.create_task(self.snapshots.run())

    async def recover(self) -> None:
        """Brings tenants back, as they were when the process before ended. Raises StateDamaged."""
        for served in self.tenants.values():
            await recover(served, self._operations)
        self.recovered.set()

    async def _turns(self) -> None:
        while True:
            is_idle = True
            for served in self.tenants.values():
                if served.intake.waiting and served.can_take:
                    is_idle = False
                    try:
                        self._turn(served, served.intake.waiting[0])
                    except NotLogged as error:
                        served.intake.turn_away(f"tenant `{served.name}` takes nothing: {error}")
                    # Requests are read and answered between any two slices.
                    for _ in range(_ROUNDS):
                        await asyncio.sleep(0)
            if is_idle:
                self._work.clear()
                await self._work.wait()

    def _turn(self, served: Served, batch: Batch) -> None:
        lines = batch.lines[batch.done : batch.done + self._slice(served, batch)]
        is_last = batch.done + len(lines) >= len(batch.lines)
        with span("slice", batch.traced, tenant=served.name, lines=len(lines)):
            answer = self.accept(
                served,
                lines,
                batch.source,
                batch.first_line + batch.done,
                letters=batch.letters if is_last else (),
                position=batch.position,
                partition=batch.partition,
                numbers=batch.numbers,
                counted_by=batch.counted_by,
                heard=batch.heard,
            )
        batch.answer.add(answer)
        batch.done += len(lines)
        if not is_last:
            return
        served.intake.take_out()
        if self.config.durability.sync is Sync.EACH_BATCH:
            self._syncing.answer(served, batch)
        else:
            batch.reply()
            served.latency.note(time.perf_counter() - batch.came_s)

    def _slice(self, served: Served, batch: Batch) -> int:
        """How many lines a turn has."""
        if len(self.tenants) == 1 or batch.position is not None:
            return SLICE
        return _SPENT_SLICE if served.intake.is_spent else _SHARED_SLICE

    # ---- time

    async def _ticks(self) -> None:
        while True:
            with span("tick"):
                self.tick()
            # A little late: a timer that fires early would make two ticks of one second.
            await asyncio.sleep(_TICK_S - time.time() % _TICK_S + _LATE_S)

    def tick(self) -> None:
        """A second has passed: sessions that are due end, what could not be delivered is tried again."""
        for served in self.tenants.values():
            # Where the disk was full, a note tells whether it still is.
            taken = served.outlet.sequence.taken_by_others
            with suppress(NotLogged):
                if taken != served.noted or served.log.problem is not None:
                    served.keep(Taken(taken))
                    served.noted = taken
                tick = Tick(**served.when(self.clock_ms()), is_ready=served.is_ready)
                if served.disabled is None and not served.tenant.engine.is_at_rest:
                    self._move(served, tick)
                if served.shadow is not None:
                    served.shadow.tick(tick.at_ms)
            for delivery in served.deliveries:
                delivery.tick()
            served.series.take(served.totals())
        self.beat_s = time.monotonic()
        self._work.set()

    def _move(self, served: Served, record: Tick | End) -> bool | None:
        served.keep(record)
        limit_ms = served.rules.config.limits.rule_time_ms
        return self._operations.move(served, record, limit_ms, served.note_stopped)

    # ---- what an operator does

    def pause(self, served: Served) -> None:
        """Takes no more events of a tenant; those that wait go on, and so does time."""
        self._set_paused(served, True)

    def resume(self, served: Served) -> None:
        """Takes events of a tenant again."""
        self._set_paused(served, False)

    def _set_paused(self, served: Served, is_paused: bool) -> None:
        if served.intake.is_paused is not is_paused:
            served.intake.is_paused = is_paused
            with suppress(NotLogged):
                served.keep(Paused(is_paused))
            done = "tenant paused" if is_paused else "tenant resumed"
            _log.info(done, extra={"incident": {"tenant": served.name}})

    def end_session(self, served: Served, profile: str, key: str) -> bool | None:
        """Ends a session, as `Engine.end_session` does. Raises NotLogged."""
        record = End(**served.when(self.clock_ms()), is_ready=served.is_ready, profile=packed(profile), key=packed(key))
        ended = self._move(served, record)
        if served.shadow is not None:
            served.shadow.end_session(profile, key, record.at_ms)
        if ended is not None:
            _log.info("session ended on demand", extra={"incident": {"tenant": served.name, "profile": profile}})
        return ended

    # ---- the end

    def close_intake(self, reason: str) -> None:
        """Takes nothing more; what waits is still done."""
        for served in self.tenants.values():
            served.intake.closed = reason

    async def drain(self, seconds: float) -> None:
        """Does what waits, and delivers what left; whoever has had no turn by then is told to come again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(served.intake.waiting for served in self.tenants.values()):
            await asyncio.sleep(0.01)
        self.give_up()
        while time.monotonic() < deadline and not self._syncing.is_idle:
            await asyncio.sleep(0.01)
        deliveries = [delivery for served in self.tenants.values() for delivery in served.deliveries]
        await asyncio.gather(*(each.drain(max(deadline - time.monotonic(), 0.0)) for each in deliveries))

    def give_up(self) -> None:
        """Tells all whose events wait to come again."""
        for served in self.tenants.values():
            served.intake.give_up()

    @property
    def undelivered(self) -> int:
        """Ways out on which something waits still."""
        return sum(each.waiting_bytes > 0 for served in self.tenants.values() for each in served.deliveries)

    def close(self) -> None:
        """Lets go of files and connections."""
        for served in self.tenants.values():
            for delivery in served.deliveries:
                delivery.close()
            served.log.close()


def _report_disabled(disabled: Disabled) -> None:
    _log.error(
        "tenant switched off",
        exc_info=disabled.error,
        extra={"incident": {"tenant": disabled.tenant, "live_sessions": disabled.live_sessions}},
    )
