"""The front's end of the way to one worker: what was given to it and is not answered, from one life to the next.

Parts of a tenant are sent in the order of their numbers. A worker that comes back says which it has; what it has not is
sent again, and what it has counts as answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from runtime.event import Refused
from runtime.fleet.messages import (
    Answered,
    Clocks,
    Order,
    Part,
    Ready,
    Reply,
    Stop,
    ToWorker,
    Unsynced,
    framed,
    pickled,
    unpickled,
)
from runtime.service.intake import Answer, NotTaken
from runtime.service.records import unpacked


class NotDone(Exception):
    """A worker did not do what it was to do, or ended before it had answered."""


class NotKept(NotTaken):
    """Events were taken, and may not outlive a power cut."""


class Given:
    """A part that was given to a worker."""

    __slots__ = ("_link", "answered", "has_to_wait", "part")

    def __init__(self, link: Link, part: Part, has_to_wait: bool) -> None:
        self._link = link
        self.part = part
        self.has_to_wait = has_to_wait
        """Until it need not, neither it nor a later one of its tenant is sent."""
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def is_due(self) -> None:
        """Lets it be sent."""
        if self.has_to_wait:
            self.has_to_wait = False
            self._link.send_due(self.part.tenant)


class Link:
    """The way to one worker."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self.up = asyncio.Event()
        """Set while the worker takes events."""
        self.waiting_lines = 0
        """Lines that are not answered yet."""
        self.paused: list[str] = []
        """The tenants that were paused when the worker became ready."""
        self.clocks: dict[str, Clocks] = {}
        """How far the events of tenants had come in the worker when it became ready."""
        self._write: Callable[[bytes], object] | None = None
        self._numbers: dict[str, int] = {}
        self._unsent: dict[str, deque[Given]] = {}
        self._sent: dict[str, dict[int, Given]] = {}
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._call_numbers = count(1)

    # ---- parts

    def next_number(self, tenant: str) -> int:
        """A number for a part, greater than all before."""
        number = self._numbers[tenant] = self._numbers.get(tenant, 0) + 1
        return number

    def give(self, part: Part, *, is_due: bool = True) -> Given:
        """Gives a part, with a number greater than those of all before it."""
        given = Given(self, part, not is_due)
        self._numbers[part.tenant] = max(self._numbers.get(part.tenant, 0), part.number)
        self._unsent.setdefault(part.tenant, deque()).append(given)
        self.waiting_lines += len(part.lines)
        self.send_due(part.tenant)
        return given

    def send_due(self, tenant: str) -> None:
        """Sends the parts of a tenant up to the first that has to wait."""
        if self._write is None or not self.up.is_set():
            return
        unsent, sent = self._unsent.get(tenant, deque()), self._sent.setdefault(tenant, {})
        while unsent and not unsent[0].has_to_wait:
            given = unsent.popleft()
            sent[given.part.number] = given
            self._write(framed(given.part))

    # ---- the worker's lives

    def connected(self, write: Callable[[bytes], object]) -> None:
        """There is a process, which is not ready yet."""
        self._write = write

    def ready(self, told: Ready) -> None:
        """The worker takes events: it gets those that it has not taken."""
        for tenant, taken in told.taken.items():
            self._numbers[tenant] = max(self._numbers.get(tenant, 0), taken)
            unsent = self._unsent.get(tenant, deque())
            while unsent and unsent[0].part.number <= taken:
                part = unsent[0].part
                # What became of each was told to nobody, and is known from what left.
                accepted = sum(1 for line in part.lines if line and not line.isspace())
                self._answer(unsent.popleft(), Answer(accepted))
        self.paused, self.clocks = told.paused, told.clocks
        self.up.set()
        for tenant in self._unsent:
            self.send_due(tenant)

    def disconnected(self) -> None:
        """The process is gone."""
        self._write = None
        self.up.clear()
        for tenant, sent in self._sent.items():
            self._unsent.setdefault(tenant, deque()).extendleft(reversed(sent.values()))
            sent.clear()
        for call in self._calls.values():
            if not call.done():
                call.set_exception(NotDone(f"worker {self.worker} ended"))
        self._calls.clear()

    def hear(self, message: Answered | Unsynced | Reply) -> None:
        """What the worker says."""
        match message:
            case Answered(tenant, number, accepted, refused, letters):
                answer = Answer(accepted, refused)
                answer.letters = [Refused(line, code, unpacked(reason), b"") for line, code, reason in letters]
                self._answer(self._sent[tenant].pop(number), answer)
            case Unsynced(tenant, number, reason):
                self._answer(self._sent[tenant].pop(number), NotKept(503, reason, 5))
            case Reply(call, given, None):
                self._calls.pop(call).set_result(unpickled(given))
            case Reply(call, _, problem):
                self._calls.pop(call).set_exception(NotDone(f"worker {self.worker}: {problem}"))

    def _answer(self, given: Given, answer: Answer | NotTaken) -> None:
        self.waiting_lines -= len(given.part.lines)
        if given.answered.done():
            return
        if isinstance(answer, Answer):
            given.answered.set_result(answer)
        else:
            given.answered.set_exception(answer)

    # ---- orders

    async def ask(self, what: str, *given: object) -> Any:
        """Has the worker do something; what came of it. Raises NotDone."""
        if self._write is None or not self.up.is_set():
            raise NotDone(f"worker {self.worker} is not there")
        number = next(self._call_numbers)
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        self.tell(Order(number, what, pickled(given)))
        return await future

    def tell(self, message: ToWorker | Stop) -> None:
        """Sends something that is not answered; to nobody where there is no process."""
        if self._write is not None:
            self._write(framed(message))
