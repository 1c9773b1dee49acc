"""The pages of one worker, seen through the front: to look at, and no more.

What is done to a tenant is done by the front to all workers: none is paused, and none has other rules, by itself.
"""

from __future__ import annotations

import asyncio
from string import punctuation
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from runtime.fleet.asking import Workers, can_be_asked
from runtime.fleet.client import Headers, NoAnswer, Reply, asked
from runtime.fleet.facts import WorkerFacts
from runtime.service.pages import worker_path
from runtime.service.taps import gone_from

_PASSED_ON = ("accept", "if-none-match", "if-modified-since", "range")
_OF_A_CONNECTION = (b"connection", b"keep-alive", b"transfer-encoding", b"server", b"date")


def proxy_route(workers: Workers) -> Route:
    """What is below the path of a worker."""

    async def pages(request: Request) -> Response:
        worker = workers.named(request.path_params["number"])
        if not can_be_asked(worker):
            raise _silent(worker)
        return _Proxied(request, worker, workers.headers)

    return Route("/workers/{number:int}/{path:path}", pages, methods=["GET"])


class _Proxied(Response):
    """What a worker answers, as it comes. Raises HTTPException (404, 503) before that."""

    def __init__(self, request: Request, worker: WorkerFacts, headers: Headers) -> None:
        super().__init__()
        self._worker = worker
        self._root = worker_path(worker.number)
        path = _in_ascii(request.scope["raw_path"])
        if not path.startswith(f"{self._root}/"):
            raise HTTPException(404, f"there is no worker {path.split('/')[2]}")
        query = _in_ascii(request.scope["query_string"])
        self._target = path.removeprefix(self._root) + (f"?{query}" if query else "")
        self._method = request.method
        passed_on = [(name, request.headers[name]) for name in _PASSED_ON if name in request.headers]
        self._asked_with = [*headers, *passed_on]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Asks, and sends what comes."""
        try:
            async with asked(self._worker.socket, self._target, method=self._method, headers=self._asked_with) as reply:
                await send({"type": "http.response.start", "status": reply.status, "headers": self._given(reply)})
                sent, gone = asyncio.create_task(_sent(reply, send)), asyncio.create_task(gone_from(receive))
                try:
                    await asyncio.wait((sent, gone), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (sent, gone):
                        task.cancel()
                    await asyncio.gather(sent, gone, return_exceptions=True)
        except NoAnswer:
            raise _silent(self._worker) from None

    def _given(self, reply: Reply) -> list[tuple[bytes, bytes]]:
        """The headers of the answer; where they lead elsewhere, it is below the worker's path."""
        found = []
        for name, text in reply.headers:
            if name == b"location":
                text = f"{self._root}{urlsplit(text.decode('latin-1')).path}".encode("latin-1")
            if name not in _OF_A_CONNECTION:
                found.append((name, text))
        return found


async def _sent(reply: Reply, send: Send) -> None:
    async for chunk in reply.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _in_ascii(raw: bytes) -> str:
    """A part of an address as it came, but for bytes that have no place in one."""
    return quote(raw, safe=punctuation)


def _silent(worker: WorkerFacts) -> HTTPException:
    return HTTPException(503, f"worker {worker.number} does not answer", {"Retry-After": "1"})
