"""The desk as those see it who wait for an answer, and not for ever: requests over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from runtime.fleet.desk import Desk
from runtime.io import DeadLetter
from runtime.service.intake import Answer, NotTaken
from runtime.service.records import Position
from runtime.service.taker import Fed

_LONGEST_ANSWER_S = 40.0
"""How long a request waits for all workers to answer."""


class Requests:
    """A desk that answers in time. A `Taker`."""

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
