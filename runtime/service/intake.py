"""Events of one tenant that have come and wait for their turn: bounded, answered when they are done.

One tenant's flood fills its own queue and no other's; whoever sends too much is told when to come back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime.event import Refused
from runtime.io import DeadLetter

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
    """Lines that came together. `source` and `first_line` name them in dead letters; `size` is in bytes."""

    source: str
    lines: Sequence[bytes]
    size: int
    first_line: int
    answered: asyncio.Future[Answer]
    letters: Sequence[DeadLetter] = ()
    """Of events that came with them and are none."""
    position: str | int | None = None
    """Where its source goes on when these lines are taken; None for a source that has none."""
    partition: int = 0
    """The partition of the stream, each of which has a clock of its own."""
    came_s: float = field(default_factory=time.perf_counter)
    done: int = 0
    """Lines that have had their turn."""
    answer: Answer = field(default_factory=Answer)


class Intake:
    """The queue of one tenant. `arriving` counts bytes of requests that are still being read."""

    def __init__(self, tenant: str, max_waiting: int) -> None:
        self.waiting: deque[Batch] = deque()
        self.waiting_bytes = 0
        self.arriving = 0
        self.is_paused = False
        self.closed: str | None = None
        """Why nothing more is taken, ever; None while it is open."""
        self._tenant = tenant
        self._max_waiting = max_waiting

    def check(self, more: int = 0) -> None:
        """Raises NotTaken when so many bytes more cannot be taken now."""
        if self.closed is not None:
            raise NotTaken(503, self.closed, _LATER_S)
        if self.is_paused:
            raise NotTaken(503, f"tenant `{self._tenant}` is paused", 10)
        held = self.waiting_bytes + self.arriving
        # Whatever its size, one request is taken when there is none before it.
        if held and held + more > self._max_waiting:
            raise NotTaken(429, f"{held:,} bytes of tenant `{self._tenant}` wait for their turn", 1)

    def put(
        self,
        source: str,
        lines: Sequence[bytes],
        size: int,
        first_line: int = 1,
        letters: Sequence[DeadLetter] = (),
        position: str | int | None = None,
        *,
        partition: int = 0,
    ) -> Batch:
        """Queues lines; the batch's future has the answer. Raises NotTaken."""
        self.check(size)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        batch = Batch(source, lines, size, first_line, answered, letters, position, partition)
        self.waiting.append(batch)
        self.waiting_bytes += size
        return batch

    def withdraw(self, batch: Batch) -> bool:
        """Takes a batch out that has not had a turn yet; False when it is too late for that."""
        if batch.done or batch not in self.waiting:
            return False
        self.waiting.remove(batch)
        self.waiting_bytes -= batch.size
        return True

    def give_up(self) -> int:
        """Tells all that wait that it came to nothing; how many there were."""
        count = len(self.waiting)
        while self.waiting:
            batch = self.waiting.popleft()
            self.waiting_bytes -= batch.size
            if not batch.answered.done():
                batch.answered.set_exception(NotTaken(503, self.closed or "it came to nothing", _LATER_S))
        return count

    def finish(self) -> Batch:
        """Takes the first batch out and answers it, unless whoever sent it went away."""
        batch = self.waiting.popleft()
        self.waiting_bytes -= batch.size
        if not batch.answered.done():
            batch.answered.set_result(batch.answer)
        return batch
