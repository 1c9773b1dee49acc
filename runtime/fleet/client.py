"""Questions to a worker's monitoring, over its socket: a connection each, and no wait without an end.

Workers come and go, so no connection is kept between two questions. The protocol is left to h11, which is what the
other side speaks by, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import h11

PATIENCE_S = 2.0
"""How long a worker may take to answer."""
_CHUNK_BYTES = 64 * 1024

Headers = Iterable[tuple[str, str]]


class NoAnswer(Exception):
    """A worker cannot be reached, or broke off."""


class TooLate(NoAnswer):
    """It did not answer in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of an answer; `body` gives the rest as it comes, and raises NoAnswer where it breaks off."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: AsyncIterator[bytes]


async def ask(
    socket: Path,
    target: str,
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    patience_s: float = PATIENCE_S,
) -> tuple[int, bytes]:
    """Status and body of a whole answer. Raises NoAnswer and TooLate."""
    try:
        async with (
            asyncio.timeout(patience_s),
            asked(socket, target, method=method, headers=headers, body=body) as reply,
        ):
            return reply.status, b"".join([chunk async for chunk in reply.body])
    except TimeoutError:
        raise TooLate from None


@asynccontextmanager
async def asked(
    socket: Path,
    target: str,
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    patience_s: float = PATIENCE_S,
) -> AsyncIterator[Reply]:
    """Within: an answer whose head has come in time; its body may have no end. Raises NoAnswer and TooLate."""
    writer: asyncio.StreamWriter | None = None
    try:
        try:
            async with asyncio.timeout(patience_s):
                reader, writer = await asyncio.open_unix_connection(socket)
                line = _Line(reader, h11.Connection(h11.CLIENT))
                # By this name a worker knows that it is asked from this machine.
                given = [("Host", "localhost"), ("Connection", "close"), *headers]
                if body:
                    given += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
                request = h11.Request(method=method, target=target, headers=given)
                for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                    writer.write(line.sent(event))
                await writer.drain()
                head = await line.head()
        except TimeoutError:
            raise TooLate from None
        except OSError as error:
            raise NoAnswer(str(error)) from error
        yield Reply(head.status_code, list(head.headers), line.body())
    finally:
        if writer is not None:
            writer.close()


class _Line:
    """What is said on one connection."""

    def __init__(self, reader: asyncio.StreamReader, connection: h11.Connection) -> None:
        self._reader = reader
        self._connection = connection

    def sent(self, event: h11.Event) -> bytes:
        """An event as bytes to be sent."""
        return self._connection.send(event) or b""

    async def head(self) -> h11.Response:
        """The head of the answer. Raises NoAnswer."""
        event = await self._next()
        while not isinstance(event, h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise NoAnswer("it broke off")
            event = await self._next()
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """Its body, as it comes. Raises NoAnswer."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._connection.next_event()) is h11.NEED_DATA:
                self._connection.receive_data(await self._reader.read(_CHUNK_BYTES))
        except (h11.RemoteProtocolError, OSError) as error:
            raise NoAnswer(f"it broke off: {error}") from error
        return event
