"""A way out that sends lines in batches, one after the other, each until it has been taken."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from runtime.rules import TenantRules
from runtime.service.backlog import Backlog
from runtime.service.trouble import Trouble

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class NotSent(Exception):
    """A batch was not taken; the message says why. The first `taken` of its lines were."""

    def __init__(self, problem: str, taken: int = 0) -> None:
        super().__init__(problem)
        self.taken = taken


class BatchDelivery(ABC):
    """A `Delivery`; `wake` is called when one that was stuck is free again. It sends from a task of the running loop.

    What was not taken is sent again after 0.5 s, then 1 s, up to 30 s. Lines that are not wanted are passed over.
    """

    def __init__(
        self,
        trouble: Trouble,
        name: str,
        batch: int,
        max_waiting: int,
        wake: Callable[[], None],
        is_wanted: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.name = name
        self.health = trouble.health
        self.backlog = Backlog(is_wanted)
        self.batch = batch
        self.is_draining = False
        self.news = asyncio.Event()
        """Lines have come, or the last ones are to go."""
        self._trouble = trouble
        self._max_waiting = max_waiting
        self._wake = wake
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def send(self, lines: Sequence[bytes]) -> None:
        """Sends lines, the first that wait. Raises NotSent."""

    async def due(self) -> None:
        """Returns when a batch is to be sent."""
        while not self.backlog.lines:
            self.news.clear()
            await self.news.wait()

    @property
    def is_ready(self) -> bool:
        """False while nothing is taken, or less than comes."""
        return self.health.problem is None and self.backlog.size < self._max_waiting

    @property
    def waiting_bytes(self) -> int:
        """What was not taken yet."""
        return self.backlog.size

    @property
    def taken(self) -> int:
        """The number of the first line that was not taken."""
        return self.backlog.taken

    def resume(self, taken: int) -> int:
        """The number of the first line that it wants."""
        self.backlog.next_number = taken
        return taken

    def waiting_lines(self) -> list[bytes]:
        """What was not taken yet."""
        return self.backlog.waiting()

    def go_by(self, rules: TenantRules) -> None:  # noqa: B027 - a default
        """Nothing: a line is a line."""

    def write(self, lines: list[bytes]) -> None:
        """Queues lines."""
        self.backlog.add(lines)
        self.health.lines += len(lines)
        self.news.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_all())

    def tick(self) -> None:  # noqa: B027 - not for others to add to
        """Nothing: the task waits by itself."""

    async def drain(self, seconds: float) -> None:
        """Waits until everything was taken, no longer than this."""
        self.is_draining = True
        self.news.set()
        deadline = asyncio.get_running_loop().time() + seconds
        while self.backlog.lines and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Sends no more."""
        if self._task is not None:
            self._task.cancel()

    async def _send_all(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            await self.due()
            lines = self.backlog.first(self.batch)
            was_ready = self.is_ready
            try:
                await self.send(lines)
            except NotSent as error:
                self.backlog.drop(error.taken)
                self._trouble.failed(str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            else:
                self.backlog.drop(len(lines))
                self._trouble.went_well()
                wait_s = FIRST_WAIT_S
                if not was_ready and self.is_ready:
                    self._wake()
