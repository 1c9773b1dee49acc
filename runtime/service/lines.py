"""The intake over plain TCP: lines of JSON of one tenant, for senders that speak nothing else.

Nothing is answered. A sender that is faster than the rules feels it: no more is read until there is room.
"""

from __future__ import annotations

import asyncio
from itertools import count

from runtime.io import Block, LineCutter
from runtime.replay import too_long_letter
from runtime.service.host import Host
from runtime.service.intake import NotTaken
from runtime.service.served import Served

_CHUNK_BYTES = 256 * 1024
_AGAIN_S = 0.5


class LineReceiver:
    """Takes connections for one tenant; use `connected` with `asyncio.start_server`."""

    def __init__(self, host: Host, served: Served) -> None:
        self._host = host
        self._served = served
        self._numbers = count(1)
        self._connections: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._read(reader, f"tcp connection {next(self._numbers)}")
        except (ConnectionError, asyncio.CancelledError):
            # The lines before are taken; a line that was cut off is none.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    def stop(self) -> None:
        """Reads no further."""
        for task in self._connections:
            task.cancel()

    async def _read(self, reader: asyncio.StreamReader, source: str) -> None:
        limit = self._served.rules.config.limits.max_line_bytes

        def on_long_line(line: int, size: int, head: bytes) -> None:
            self._host.refuse(self._served, too_long_letter(self._served.name, source, line, size, head, limit))

        cutter = LineCutter(limit, on_long_line)
        while chunk := await reader.read(_CHUNK_BYTES):
            self._served.received_bytes += len(chunk)
            await self._give(cutter.feed(chunk, 0), source)
        await self._give(cutter.finish(0), source)

    async def _give(self, block: Block | None, source: str) -> None:
        while block is not None:
            try:
                await self._host.offer(
                    self._served, block.data.split(b"\n"), len(block.data), source, first_line=block.first_line
                )
                return
            except NotTaken:
                await asyncio.sleep(_AGAIN_S)
