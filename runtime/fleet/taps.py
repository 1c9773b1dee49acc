"""A tap on all workers at once: their lines as they come, for as long as the reader stays.

A worker that dies is listened to again when it is back; what it did meanwhile nobody saw.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.fleet.asking import Workers, can_be_asked, target_of
from runtime.fleet.client import NoAnswer, asked
from runtime.protocol.operations import TAP
from runtime.service.api import Phase
from runtime.service.taps import TAPPED, counts, gone_from, tap_of, too_many
from runtime.service.watching import MOST_TAPS

_AGAIN_S = 1.0
"""How long until a worker that could not be listened to is tried again, and a stop is noticed."""
_LINES = 64
"""Lines that wait for a slow reader; then workers wait, and count what they leave out."""


class FleetTaps:
    """Those who tap the tenants of a fleet."""

    def __init__(self, workers: Workers, phase: Callable[[], Phase]) -> None:
        self.workers = workers
        self.phase = phase
        self.count = Counter[str]()

    def response(self, request: Request) -> Response:
        """The events of a tenant as a request wants them. Raises HTTPException (400, 404, 429)."""
        tenant = request.path_params["tenant"]
        self.workers.check(tenant)
        _, limit = tap_of(request.query_params)
        if request.method == "HEAD":
            return Response(media_type=TAPPED)
        if self.count[tenant] >= MOST_TAPS:
            raise too_many()
        # Each may send as many as it has: that they are enough is seen here.
        query = {name: text for name, text in request.query_params.items() if name != "limit"}
        return _MergedTap(self, tenant, target_of(TAP, tenant, query), limit)


class _MergedTap(Response):
    """Lines of all workers, until the reader goes, the limit is reached, or the service stops."""

    media_type = TAPPED

    def __init__(self, taps: FleetTaps, tenant: str, target: str, limit: int) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._taps = taps
        self._tenant = tenant
        self._target = target
        self._left = limit or None
        self._lines = asyncio.Queue[bytes](_LINES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them."""
        self._taps.count[self._tenant] += 1
        numbers = [worker.number for worker in self._taps.workers.facts()]
        heard = [asyncio.Event() for _ in numbers]
        tasks = [asyncio.create_task(self._listen(*each)) for each in zip(numbers, heard, strict=True)]
        gone = asyncio.create_task(gone_from(receive))
        try:
            # Who has an answer is given what happens from then on.
            await asyncio.gather(*(each.wait() for each in heard))
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while not gone.done() and self._left != 0 and self._taps.phase() is not Phase.STOPPING:
                with suppress(TimeoutError):
                    line = await asyncio.wait_for(self._lines.get(), _AGAIN_S)
                    if self._left is not None and counts(line):
                        self._left -= 1
                    await send({"type": "http.response.body", "body": line + b"\n", "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._taps.count[self._tenant] -= 1
            for task in (gone, *tasks):
                task.cancel()
            await asyncio.gather(gone, *tasks, return_exceptions=True)

    async def _listen(self, number: int, heard: asyncio.Event) -> None:
        """Queues what a worker says. `heard` is set once it is listened to, or cannot be."""
        workers = self._taps.workers
        while True:
            worker = workers.named(number)
            if can_be_asked(worker):
                with suppress(NoAnswer):
                    async with asked(worker.socket, self._target, headers=workers.headers) as reply:
                        heard.set()
                        if reply.status == 200:
                            async for line in _lines(reply.body):
                                await self._lines.put(line)
            heard.set()
            await asyncio.sleep(_AGAIN_S)


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in body:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
