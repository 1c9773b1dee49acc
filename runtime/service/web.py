"""A web server in a loop that others own: bound before it runs, without signals or logs of its own, patient to a point.

Uvicorn limits how long a connection may be idle between two requests, but not how long a request's head may trickle
in, nor how large it gets; whoever opens connections and sends a byte now and then would hold them for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from asyncio import TimerHandle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from runtime.config.service import Address, Listener

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # an extra of its own, and a parser in C: 15 % more requests
    HttpToolsProtocol = None  # type: ignore[assignment, misc]

_HEAD_S = 10.0
_MOST_HEAD_BYTES = 64 * 1024
_IDLE_S = 60
_CONNECTIONS = 2000
_BACKLOG = 512


class CannotListen(Exception):
    """An address that is taken, or is not this machine's; or files that do not make TLS. The message says which."""


def bind(listener: Listener) -> socket.socket:
    """A socket that listens. Raises CannotListen."""
    address = listener.address
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, where = found[0]
        # With its protocol named, asyncio sends what there is at once; else a small answer waits 40 ms for company.
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"{address}: {error.strerror or error}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{address}: {error.strerror or error}") from error
    return listening


def _bind_file(path: Path) -> socket.socket:
    """A socket that listens at a file of this user's, in the place of one that is there."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listening.bind(os.fspath(path))
        path.chmod(0o600)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{path}: {error.strerror or error}") from error
    return listening


class WebServer(uvicorn.Server):
    """One application at one address, or at a file that is a socket. `url` has the real port. Raises CannotListen."""

    def __init__(self, app: ASGIApp, listener: Listener | Path, stop_ms: int) -> None:
        if isinstance(listener, Path):
            self.socket = _bind_file(listener)
            self.url = f"unix:{listener}"
            listener = Listener(Address(str(listener), 0))
        else:
            self.socket = bind(listener)
            scheme = "http" if listener.certificate is None else "https"
            self.url = f"{scheme}://{Address(listener.address.host, self.socket.getsockname()[1])}"
        base: type[Any] = H11Protocol if HttpToolsProtocol is None else HttpToolsProtocol
        config = uvicorn.Config(
            app,
            http=_impatient(base),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=max(1, stop_ms // 1000),
            ssl_certfile=listener.certificate,
            ssl_keyfile=listener.key,
        )
        super().__init__(config)
        self._stopping = asyncio.Event()
        try:
            config.load()
        except (ssl.SSLError, OSError) as error:
            self.socket.close()
            raise CannotListen(f"{listener.certificate}: certificate and key make no TLS: {error}") from error

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's."""
        yield

    async def run_until_stopped(self) -> None:
        """Serves until `stop`, then answers what is at work."""
        await self.serve(sockets=[self.socket])

    def stop(self) -> None:
        """Takes no more connections, and closes those that are idle."""
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:
        """As Uvicorn's, which looks ten times a second whether it is to stop; this one is told."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)


def _impatient(base: type[Any]) -> type[Any]:
    """A protocol that closes connections on which a request's head does not come to its end, in time or at all."""

    class Impatient(base):  # type: ignore[misc]
        _head_timer: TimerHandle | None = None
        _head_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._head_timer = self.loop.call_later(_HEAD_S, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._head_bytes = 0
                if self._head_timer is not None:
                    self._head_timer.cancel()
                    self._head_timer = None
                return
            if self.cycle is None or not self.cycle.more_body:  # else the rest of a body that was answered early
                self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self.transport.close()
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(_HEAD_S, self._give_up)

        def connection_lost(self, error: Exception | None) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
            super().connection_lost(error)

        def _give_up(self) -> None:
            self._head_timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return Impatient
