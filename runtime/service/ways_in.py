"""All by which events come but requests: lines over TCP, files that grow, brokers, stdin; begun and ended as one."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from runtime.config.service import Listener
from runtime.service.connect import connected_sources
from runtime.service.follow import Follower
from runtime.service.lines import LineReceiver, read_stdin
from runtime.service.source import Source
from runtime.service.taker import Taker
from runtime.service.web import bind


class WaysIn:
    """Those of a service. Binds and connects at once; nothing is taken before `begin`.

    Raises CannotListen and CannotConnect. `stdin` is a stream of lines, with the tenant whose they are.
    """

    def __init__(self, taker: Taker, stdin: tuple[str, BinaryIO] | None) -> None:
        self._taker = taker
        self._stdin = stdin
        self._receivers = [
            (LineReceiver(taker, taker.tenants[each.tenant]), bind(Listener(each.address)))
            for each in taker.config.ingest.lines
        ]
        self.line_ports = [socket.getsockname()[1] for _, socket in self._receivers]
        """Those of plain lines."""
        self._sources: list[Follower | Source] = []
        for served in taker.tenants.values():
            served.sources += connected_sources(taker, served)
            self._sources += [Follower(taker, served, file) for file in served.config.follow]
            self._sources += served.sources
        self._servers: list[asyncio.Server] = []

    async def begin(self) -> list[asyncio.Task[None]]:
        """Takes events; what runs until it is stopped."""
        self._servers = [
            await asyncio.start_server(receiver.connected, sock=socket) for receiver, socket in self._receivers
        ]
        if self._stdin is not None:
            tenant, stream = self._stdin
            read_stdin(self._taker, self._taker.tenants[tenant], stream)
        return [asyncio.create_task(source.run()) for source in self._sources]

    def stop(self) -> None:
        """Takes no more. What was taken is acknowledged in what `begin` gave."""
        for source in self._sources:
            source.stop()
        for server in self._servers:
            server.close()
        for receiver, _ in self._receivers:
            receiver.stop()
