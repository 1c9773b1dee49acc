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
from runtime.service.records import Handed, LetterRecord, Position, Share, letter_record, packed
from runtime.service.served import rate_of
from runtime.service.source import Source
from runtime.service.taker import Fed

_LONGEST_WAIT_S = 30.0
"""How long a batch waits for workers that are not there."""
_LONGEST_ANSWER_S = 40.0
"""How long a request waits for all workers to answer."""
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
                    shares = self._cut(tenant, batch, begin, begin + at_once)
                    missing = [self.links[each.worker] for each in shares if not self.links[each.worker].up.is_set()]
                    if not missing:
                        given += self._give(tenant, batch, shares)
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

    def _cut(self, tenant: FrontTenant, batch: Batch, begin: int, end: int) -> list[Share]:
        """What each worker gets of a slice; the numbers of parts are still to come."""
        lines, first_line = batch.lines[begin:end], batch.first_line + begin
        letters = [letter_record(each) for each in batch.letters] if end >= len(batch.lines) else []
        owners = tenant.routes.owners(lines)
        if isinstance(owners, int):
            pieces = range(0, max(len(lines), bool(letters)), SLICE)
            return [
                Share(owners, 0, first_line + at, list(lines[at : at + SLICE]), None, [] if at else letters)
                for at in pieces
            ]
        cuts: dict[int, tuple[list[bytes], list[int], list[LetterRecord]]] = {}
        for number, (line, owner) in enumerate(zip(lines, owners, strict=True), first_line):
            cut = cuts.get(owner)
            if cut is None:
                cut = cuts[owner] = [], [], []
            cut[0].append(line)
            cut[1].append(number)
        for letter in letters:
            cuts.setdefault(self.ring.owner(letter.raw), ([], [], []))[2].append(letter)
        return [
            Share(owner, 0, first_line, own[at : at + SLICE], numbers[at : at + SLICE], [] if at else refused)
            for owner, (own, numbers, refused) in cuts.items()
            for at in range(0, max(len(own), 1), SLICE)
        ]

    def _give(self, tenant: FrontTenant, batch: Batch, shares: list[Share]) -> list[Given]:
        """Numbers parts and gives them to their workers. Raises NotTaken; then nothing was given."""
        source = packed(batch.source)
        shares = [replace(each, number=self.links[each.worker].next_number(tenant.name)) for each in shares]
        is_due, file = True, None
        if batch.position is not None:
            handed = Handed(source, batch.position, batch.partition, shares)
            try:
                file = tenant.journal.write(handed)
            except NotLogged as error:
                raise NotTaken(503, f"tenant `{tenant.name}` takes nothing: {error}", 5) from error
            is_due = self.config.durability.sync is not Sync.EACH_BATCH
        return self._given(tenant, source, batch.partition, shares, is_due=is_due, file=file)

    def _given(
        self, tenant: FrontTenant, source: bytes, partition: int, shares: list[Share], *, is_due: bool, file: int | None
    ) -> list[Given]:
        given = []
        for each in shares:
            part = Part(
                tenant.name, each.number, source, each.first_line, each.lines, each.numbers, each.letters, partition
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
                self._given(tenant, handed.source, handed.partition, handed.shares, is_due=True, file=file)

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


class Requests:
    """A desk for those who wait for an answer, and not for ever. A `Taker`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.config, self.clock_ms, self.tenants = desk.config, desk.clock_ms, desk.tenants

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
        """As the desk's; raises NotTaken with 504 when it takes too long, or the service ends before.

        Then nobody knows what becomes of it.
        """
        offered = self._desk.offer(
            served,
            lines,
            size,
            source,
            first_line=first_line,
            letters=letters,
            position=position,
            partition=partition,
        )
        task, over = asyncio.create_task(offered), asyncio.create_task(self._desk.is_over.wait())
        try:
            await asyncio.wait([task, over], timeout=_LONGEST_ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if not task.done():
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise NotTaken(504, f"events of tenant `{served.name}` wait still; they will be taken if all goes well")
        return task.result()
