"""Taps over HTTP: a line of JSON an event, for as long as the reader stays."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.protocol.operations import SAMPLE
from runtime.service.host import Host
from runtime.service.served import Served
from runtime.service.watching import Tap, Watching

TAPPED = "application/x-ndjson"
"""What taps send."""
_PATIENCE_S = 1.0
"""How long it takes to see that a tenant has another engine."""


class Lookouts:
    """Who looks at which tenant of a host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._by_name: dict[str, Watching] = {}

    def of(self, served: Served) -> Watching:
        """Those who look at this one."""
        found = self._by_name.get(served.name)
        if found is None:
            name = served.name
            # By name, since the tenant may have another engine by and by.
            found = self._by_name[name] = Watching(lambda: self._host.tenants[name].tenant.engine)
        return found

    def close(self) -> None:
        """Nobody does any more."""
        for watching in self._by_name.values():
            watching.close()


def tap_of(query: Mapping[str, str]) -> tuple[Tap, int]:
    """What a request wants of a tap, and how many events, 0 for no end. Raises HTTPException (400)."""
    sample, limit = query.get("sample", "1/1"), query.get("limit", "0")
    if re.fullmatch(SAMPLE, sample) is None:
        raise HTTPException(400, "`sample` is one in so many, such as `1/100`")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 16):
        raise HTTPException(400, "`limit` is a whole number, 0 or more")
    return Tap(query.get("type"), query.get("key"), int(sample.partition("/")[2])), int(limit)


def tap_response(request: Request, served: Served, lookouts: Lookouts) -> Response:
    """The events of a tenant as a request wants them. Raises HTTPException (400, 429)."""
    tap, limit = tap_of(request.query_params)
    if request.method == "HEAD":
        return Response(media_type=TAPPED)
    watching = lookouts.of(served)
    if watching.is_full:
        raise too_many()
    return _TapResponse(tap, watching, limit)


def too_many() -> HTTPException:
    """What is said to one tap more than there may be."""
    return HTTPException(429, "as many as may are tapping this tenant already", {"Retry-After": "60"})


def counts(line: bytes) -> bool:
    """Whether a line of a tap is an event, and not how many were missed."""
    return not line.startswith(b'{"missed"')


class _TapResponse(Response):
    """Lines as they come, until the reader goes, the limit is reached, or the service stops."""

    media_type = TAPPED

    def __init__(self, tap: Tap, watching: Watching, limit: int) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._tap = tap
        self._watching = watching
        self._left = limit or None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them."""
        with self._watching.tap(self._tap):
            gone = asyncio.create_task(gone_from(receive))
            try:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                while not gone.done() and self._left != 0 and not self._tap.is_over:
                    await self._tap.wait(_PATIENCE_S)
                    self._watching.keep_up()
                    for line in self._lines():
                        # Whoever reads slowly is waited for here, and only here.
                        await send({"type": "http.response.body", "body": line + b"\n", "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone

    def _lines(self) -> Iterator[bytes]:
        for line in self._tap.take():
            if self._left == 0:
                return
            if self._left is not None and counts(line):
                self._left -= 1
            yield line


async def gone_from(receive: Receive) -> None:
    """Returns when whoever has asked is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
