"""A worker's way of taking parts: in the order of their numbers, each once, whatever happens in between.

The number of a part is in the log in one record with its events, so after a crash the log knows what was taken. A part
that finds the disk full is queued again behind nothing that came later: the last number stands for all before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from runtime.fleet.messages import Answered, Part, ToFront, Unsynced
from runtime.service.host import Host
from runtime.service.intake import Answer, Batch
from runtime.service.records import letter_of_record, packed, unpacked

FRONT = "the process in front"
"""The name by which a tenant's positions have the number of the last part."""
_AGAIN_S = 0.25


class Taking:
    """Hands parts to a host; `send` says to the front what became of them. Within the loop."""

    def __init__(self, host: Host, send: Callable[[ToFront], None]) -> None:
        self._host = host
        self._send = send
        self._again: dict[str, list[Part]] = {}
        """Parts that were turned away, and those that came after them."""

    def taken(self) -> dict[str, int]:
        """By tenant the number of the last part that was taken."""
        return {name: int(served.positions.get(FRONT, 0)) for name, served in self._host.tenants.items()}

    def take(self, part: Part) -> None:
        """Queues a part."""
        if part.tenant in self._again:
            self._again[part.tenant].append(part)
        else:
            self._queue(part)

    def _queue(self, part: Part) -> None:
        source = unpacked(part.source)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        batch = Batch(
            source=source,
            lines=part.lines,
            size=sum(map(len, part.lines)),
            first_line=part.first_line,
            letters=[letter_of_record(each, part.tenant, source) for each in part.letters],
            position=part.number,
            partition=part.partition,
            answered=answered,
            numbers=part.numbers,
            counted_by=FRONT,
            heard=part.heard,
        )
        answered.add_done_callback(partial(self._done, part))
        self._host.queue(self._host.tenants[part.tenant], batch)

    def _done(self, part: Part, answered: asyncio.Future[Answer]) -> None:
        problem = answered.exception()
        if problem is None:
            answer = answered.result()
            letters = [(each.line, each.code, packed(each.reason)) for each in answer.letters]
            self._send(Answered(part.tenant, part.number, answer.accepted, answer.refused, letters))
        elif self.taken()[part.tenant] >= part.number:
            self._send(Unsynced(part.tenant, part.number, str(problem)))
        elif self._host.tenants[part.tenant].intake.closed is None:
            # All that waited were turned away at once, and are told in their order.
            if part.tenant not in self._again:
                self._again[part.tenant] = []
                asyncio.get_running_loop().call_later(_AGAIN_S, self._queue_again, part.tenant)
            self._again[part.tenant].append(part)

    def _queue_again(self, tenant: str) -> None:
        for part in self._again.pop(tenant):
            self._queue(part)
