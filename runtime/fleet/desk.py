"""The front's driver: it runs no engine, and hands the events of each batch on to the workers that own their keys.

A batch is cut a slice at a time, and after each slice it is the next tenant's turn. What is cut is given to all workers
that it concerns or to none: a batch for which one of them is not there waits, and whoever sent it may be told to come
again. Whoever has sent one hears of it when all workers have answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from runtime.config import Sync
from runtime.config.service import ServedTenant, ServiceConfig
from runtime.fleet.clocks import Clocks
from runtime.fleet.cutting import Cut, cut
from runtime.fleet.journal import Journal
from runtime.fleet.link import Given, Link, NotKept
from runtime.fleet.messages import Part
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes
from runtime.io import DeadLetter
from runtime.rules import TenantRules
from runtime.service.host import SLICE, wall_ms
from runtime.service.intake import Answer, Batch, Intake, NotTaken
from runtime.service.latency import Latency
from runtime.service.log import NotLogged
from runtime.service.records import Handed, Heard, Position, Share, letter_record, packed
from runtime.service.served import rate_of
from runtime.service.source import Source
from runtime.service.taker import Fed

_LONGEST_WAIT_S = 30.0
"""How long a batch waits for workers that are not there."""
_MOST_SLICES = 4
"""What is cut in one turn, in slices of workers: 5 ms of work."""


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class FrontTenant:
    """A tenant as the front has it; a `Fed`. `journal` is of what comes from sources that go on at a position."""

    routes: Routes
    config: ServedTenant
    intake: Intake
    journal: Journal
    clocks: Clocks = field(default_factory=Clocks)
    received_bytes: int = 0
    responses: dict[int, int] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    sources: list[Source] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who has it cuts a slice: tenants have their turns, however many batches each has."""
    is_open: asyncio.Event = field(default_factory=_set)
    """Cleared while its rules change: what comes waits."""
    unanswered: set[asyncio.Future[Answer]] = field(default_factory=set)
    """Parts that workers have and did not answer yet."""
    told: dict[int, asyncio.Future[Answer]] = field(default_factory=dict)
    """The answer of each worker to what it was told last."""

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self.rules.config.tenant

    @property
    def rules(self) -> TenantRules:
        """Its rules of now."""
        return self.routes.rules

    @property
    def positions(self) -> dict[str, Position]:
        """Where each source goes on, by its name: what it gave before comes to the workers for good."""
        return self.journal.positions

    def go_by(self, rules: TenantRules, ring: Ring) -> None:
        """What comes from here on goes by other rules."""
        self.routes = Routes(rules, ring)
        self.clocks.trust_nobody()
        self.intake.rate = rate_of(rules)


class Desk:
    """Takes events of tenants for the workers of some links. A `Taker`; within the loop."""

    def __init__(
        self,
        config: ServiceConfig,
        tenants: Iterable[FrontTenant],
        links: Sequence[Link],
        ring: Ring,
        clock_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self.config = config
        self.clock_ms = clock_ms
        self.tenants: Mapping[str, FrontTenant] = {each.name: each for each in tenants}
        self.links = links
        self.ring = ring
        self._closing = asyncio.Event()
        self.is_over = asyncio.Event()
        """Set when nobody waits any more for answers of workers."""

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
        """Has lines of a tenant taken, and says what became of them. Raises NotTaken: then none of them was taken.

        It does so when there is no room, or a worker that is needed is not there for long. With a `position` there are
        at most `SLICE` lines.
        """
        assert position is None or len(lines) <= SLICE, "lines and their position are one record"
        tenant = self.tenants[served.name]
        batch = tenant.intake.put(source, lines, size, first_line, letters, position, partition)
        try:
            given = await self._hand_on(tenant, batch)
            answer = Answer()
            for each in given:
                # Whoever waits may be cancelled; the part goes its way.
                answer.add(await asyncio.shield(each.answered))
        except NotKept:
            if position is None:
                raise
            # It is in the journal as well, and its source must not give it again.
            return Answer()
        finally:
            tenant.intake.withdraw(batch)
        answer.letters.sort(key=lambda letter: letter.line)
        tenant.latency.note(time.perf_counter() - batch.came_s)
        return answer

    async def _hand_on(self, tenant: FrontTenant, batch: Batch) -> list[Given]:
        """Gives a batch to the workers that own it; their parts. Raises NotTaken, before any of them has one."""
        given: list[Given] = []
        deadline = time.monotonic() + _LONGEST_WAIT_S
        at_once = SLICE * min(len(self.links), _MOST_SLICES)
        for begin in range(0, max(len(batch.lines), 1), at_once):
            is_whole = False
            while not is_whole:
                async with tenant.turn:
                    await tenant.is_open.wait()
                    piece = self._cut(tenant, batch, begin, begin + at_once)
                    links = (self.links[each.worker] for each in piece.shares)
                    missing = [link for link in links if not link.up.is_set()]
                    if not missing:
                        given += self._give(tenant, batch, piece)
                        is_whole = True
                    # Requests are read and answered between any two slices.
                    await asyncio.sleep(0)
                if missing:
                    await self._wait_for(missing[0], None if given else deadline)
        if batch.position is not None and self.config.durability.sync is Sync.EACH_BATCH:
            try:
                await tenant.journal.sync()
            finally:
                for each in given:
                    each.is_due()
        return given

    async def _wait_for(self, link: Link, deadline_s: float | None) -> None:
        """Waits for a worker. Raises NotTaken at the deadline, and when the service stops before."""
        if deadline_s is None:
            await link.up.wait()
            return
        up, closing = asyncio.ensure_future(link.up.wait()), asyncio.ensure_future(self._closing.wait())
        seconds = max(deadline_s - time.monotonic(), 0.0)
        await asyncio.wait((up, closing), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        closing.cancel()
        if not link.up.is_set():
            raise NotTaken(503, f"worker {link.worker}, which some of the events are for, is not there", 5)

    def _cut(self, tenant: FrontTenant, batch: Batch, begin: int, end: int) -> Cut:
        """What each worker gets of a slice."""
        return cut(
            tenant.routes,
            self.ring,
            tenant.clocks,
            batch.lines[begin:end],
            [letter_record(each) for each in batch.letters] if end >= len(batch.lines) else [],
            first_line=batch.first_line + begin,
            partition=batch.partition,
            wall_ms=self.clock_ms(),
        )

    def _give(self, tenant: FrontTenant, batch: Batch, piece: Cut) -> list[Given]:
        """Numbers parts and gives them to their workers. Raises NotTaken; then nothing was given."""
        source = packed(batch.source)
        shares = [replace(each, number=self.links[each.worker].next_number(tenant.name)) for each in piece.shares]
        is_due, file = True, None
        if batch.position is not None:
            handed = Handed(source, batch.position, batch.partition, shares)
            try:
                file = tenant.journal.write(handed)
            except NotLogged as error:
                raise NotTaken(503, f"tenant `{tenant.name}` takes nothing: {error}", 5) from error
            is_due = self.config.durability.sync is not Sync.EACH_BATCH
        given = self._given(tenant, source, batch.partition, shares, is_due=is_due, file=file)
        if piece.judged is not None:
            tenant.clocks.keep(piece.judged)
            lateness_ms = tenant.rules.config.time.allowed_lateness_ms
            self._tell(tenant, tenant.clocks.untold(self._listening(tenant), batch.partition, lateness_ms))
        return given

    def _given(
        self, tenant: FrontTenant, source: bytes, partition: int, shares: list[Share], *, is_due: bool, file: int | None
    ) -> list[Given]:
        given = []
        for each in shares:
            part = Part(
                tenant.name,
                each.number,
                source,
                each.first_line,
                each.lines,
                each.numbers,
                each.letters,
                partition,
                each.heard,
            )
            given.append(self.links[each.worker].give(part, is_due=is_due))
        for one in given:
            tenant.unanswered.add(one.answered)
            one.answered.add_done_callback(tenant.unanswered.discard)
        if file is not None:
            tenant.journal.note((one.answered for one in given), file)
        return given

    def give_again(self) -> None:
        """Gives what sources gave to a process before, of which nobody knows whether workers have it; before `offer`.

        With the numbers that it had: a worker that has a part knows it by its number.
        """
        for tenant in self.tenants.values():
            for file, handed in tenant.journal.unfinished():
                tenant.clocks.learn_again(share.heard for share in handed.shares)
                self._given(tenant, handed.source, handed.partition, handed.shares, is_due=True, file=file)

    # ---- how far events have come

    def learn(self, link: Link) -> None:
        """Takes what a worker knows that has become ready: nobody else may know it any more."""
        for name, come in link.clocks.items():
            self.tenants[name].clocks.learn(come)

    def tell(self) -> None:
        """Tells all workers how far events have come, those that do not know it: to be called each second.

        Partitions that are quiet are judged by when they were heard, and events that wait have their turn.
        """
        for tenant in self.tenants.values():
            if tenant.routes.has_clock and tenant.is_open.is_set():
                self._tell(tenant, tenant.clocks.all_untold(self._listening(tenant)))

    def _tell(self, tenant: FrontTenant, heard: Mapping[int, Heard]) -> None:
        """Gives parts without lines. They are not in the journal: whoever comes back is told again.

        Nobody waits for them, other rules neither.
        """
        for worker, each in heard.items():
            link = self.links[worker]
            part = Part(tenant.name, link.next_number(tenant.name), b"", 1, [], None, [], 0, each)
            tenant.told[worker] = answered = link.give(part).answered
            answered.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _listening(self, tenant: FrontTenant) -> list[int]:
        """The workers that are there and have taken what they were told: to others it would only pile up."""
        return [
            link.worker
            for link in self.links
            if link.up.is_set() and (link.worker not in tenant.told or tenant.told[link.worker].done())
        ]

    def close_intake(self, reason: str) -> None:
        """Takes nothing more; what waits is still done."""
        for tenant in self.tenants.values():
            tenant.intake.closed = reason
        self._closing.set()

    async def drain(self, seconds: float) -> None:
        """Waits until all that was taken is answered, no longer than this."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(each.intake.waiting for each in self.tenants.values()):
            await asyncio.sleep(0.01)
        self.is_over.set()
