"""Events of one tenant that have come and wait for their turn: bounded, answered when they are done.

One tenant's flood fills its own queue and no other's; whoever sends too much is told when to come back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.event import Refused
from runtime.io import DeadLetter
from runtime.service.records import Heard, Position
from runtime.service.spans import here

if TYPE_CHECKING:
    from opentelemetry.context import Context

_LATER_S = 5

MOST_SHOWN = 100
"""Refused events that an answer names; it counts all of them."""


class NotTaken(Exception):
    """A request of which no event was taken: an HTTP status, the reason in words, and when to come back."""

    def __init__(self, status: int, reason: str, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Answer:
    """What became of the events of a batch: `refused` counts dead letters, `letters` names the first of them."""

    accepted: int = 0
    refused: int = 0
    letters: list[Refused] = field(default_factory=list)

    def note(self, refused: Refused) -> None:
        """Counts a dead letter."""
        self.refused += 1
        if len(self.letters) < MOST_SHOWN:
            self.letters.append(refused)

    def add(self, other: Answer) -> None:
        """Counts what became of further events."""
        self.accepted += other.accepted
        self.refused += other.refused
        self.letters += other.letters[: MOST_SHOWN - len(self.letters)]


@dataclass(slots=True, eq=False)
class Batch:
    """Lines that came together. `source` and `first_line` name them in dead letters; `size` is in bytes.

    `letters` are of events among them that do not get as far as the engine; `position` is where the source goes on;
    `partition` is the part of the stream whose clock they go by. `numbers`, `counted_by` and `heard` are as
    `records.Lines` has them.
    """

    source: str
    lines: Sequence[bytes]
    size: int
    first_line: int
    letters: Sequence[DeadLetter]
    position: Position | None
    partition: int
    answered: asyncio.Future[Answer]
    numbers: list[int] | None = None
    counted_by: str | None = None
    heard: Heard | None = None
    came_s: float = field(default_factory=time.perf_counter)
    done: int = 0
    """Lines that have had their turn."""
    answer: Answer = field(default_factory=Answer)
    traced: Context | None = field(default_factory=here)
    """What it is part of, for the spans of its slices."""

    def reply(self) -> None:
        """Says what became of it, unless whoever sent it went away."""
        if not self.answered.done():
            self.answered.set_result(self.answer)

    def fail(self, reason: str) -> None:
        """Says that it has to be sent again."""
        if not self.answered.done():
            self.answered.set_exception(NotTaken(503, reason, _LATER_S))


class Intake:
    """The queue of one tenant. `arriving` counts bytes of requests that are still being read.

    `rate`: events that it may have a second, 0 for any number. Whoever sends more is told to wait before anything of it
    is read, so that a flood costs the others little; a batch that comes with some of the second left is taken whole.
    """

    def __init__(self, tenant: str, max_waiting: int, rate: int = 0) -> None:
        self.waiting: deque[Batch] = deque()
        self.waiting_bytes = 0
        self.arriving = 0
        self.is_paused = False
        self.closed: str | None = None
        """Why nothing more is taken, ever; None while it is open."""
        self.blocked: str | None = None
        """Why nothing can be taken now; None while it can."""
        self._tenant = tenant
        self._max_waiting = max_waiting
        self.rate = rate
        self._left = float(rate)
        self._last_count = 0
        self._counted_s = time.monotonic()

    def check(self, more: int = 0) -> None:
        """Raises NotTaken when so many bytes more cannot be taken now."""
        if self.closed is not None:
            raise NotTaken(503, self.closed, _LATER_S)
        if self.is_paused:
            raise NotTaken(503, f"tenant `{self._tenant}` is paused", 10)
        if self.blocked is not None:
            raise NotTaken(503, f"tenant `{self._tenant}` takes nothing: {self.blocked}", _LATER_S)
        if self.is_spent:
            raise NotTaken(429, f"tenant `{self._tenant}` has had its {self.rate:,} events of this second", 1)
        held = self.waiting_bytes + self.arriving
        # Whatever its size, one request is taken when there is none before it.
        if held and held + more > self._max_waiting:
            raise NotTaken(429, f"{held:,} bytes of tenant `{self._tenant}` wait for their turn", 1)

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Within, a request is being read: it counts as many events as the last one had, and then what it has."""
        expected = self._last_count
        self._left = self._left_now() - expected
        try:
            yield
        finally:
            self._left += expected

    def put(
        self,
        source: str,
        lines: Sequence[bytes],
        size: int,
        first_line: int = 1,
        letters: Sequence[DeadLetter] = (),
        position: Position | None = None,
        partition: int = 0,
    ) -> Batch:
        """Queues lines; the batch's future has the answer. Raises NotTaken."""
        self.check(size)
        answered = asyncio.get_running_loop().create_future()
        batch = Batch(source, lines, size, first_line, letters, position, partition, answered)
        self.append(batch)
        if self.rate:
            self._left = self._left_now() - len(lines)
            self._last_count = len(lines)
        return batch

    def append(self, batch: Batch) -> None:
        """Queues what somebody else has let in."""
        self.waiting.append(batch)
        self.waiting_bytes += batch.size

    @property
    def is_spent(self) -> bool:
        """True when the tenant has had its events of this second."""
        return self.rate > 0 and self._left_now() <= 0

    def _left_now(self) -> float:
        """How many events the tenant may still send; below 0 what a large batch took beforehand."""
        now_s = time.monotonic()
        self._left = min(self._left + (now_s - self._counted_s) * self.rate, self.rate)
        self._counted_s = now_s
        return self._left

    def withdraw(self, batch: Batch) -> bool:
        """Takes a batch out that has not had a turn yet; False when it is too late for that."""
        if batch.done or batch not in self.waiting:
            return False
        self.waiting.remove(batch)
        self.waiting_bytes -= batch.size
        return True

    def turn_away(self, reason: str) -> None:
        """Tells those that have had no turn yet to come again."""
        for batch in list(self.waiting):
            if self.withdraw(batch):
                batch.fail(reason)

    def give_up(self) -> int:
        """Tells all that wait that it came to nothing; how many there were."""
        count = len(self.waiting)
        while self.waiting:
            batch = self.waiting.popleft()
            self.waiting_bytes -= batch.size
            batch.fail(self.closed or "it came to nothing")
        return count

    def take_out(self) -> Batch:
        """Takes the first batch out: all of it has had its turn."""
        batch = self.waiting.popleft()
        self.waiting_bytes -= batch.size
        return batch
