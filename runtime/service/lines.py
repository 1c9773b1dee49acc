"""Lines of JSON of one tenant that come as a stream, from a TCP connection or stdin, where nobody is answered.

A sender that is faster than the rules feels it: no more is read until there is room.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from itertools import count
from typing import BinaryIO

from runtime.io import Block, DeadLetter, LineCutter
from runtime.letters import too_long_letter
from runtime.service.intake import NotTaken
from runtime.service.taker import Fed, Taker

_log = logging.getLogger("sojourn.service.lines")

_CHUNK_BYTES = 256 * 1024
_AGAIN_S = 0.5


class LineStream:
    """One stream of a tenant's lines; `source` names it in dead letters."""

    def __init__(self, host: Taker, served: Fed, source: str) -> None:
        self._host = host
        self._served = served
        self._source = source
        self._limit = served.rules.config.limits.max_line_bytes
        self._cutter = LineCutter(self._limit, self._on_long_line)
        self._too_long: list[DeadLetter] = []

    async def feed(self, chunk: bytes) -> None:
        """Takes the next bytes; returns when the lines that they complete have been through the rules."""
        self._served.received_bytes += len(chunk)
        await self._give(self._cutter.feed(chunk, 0))

    async def finish(self) -> None:
        """Takes the last line, if nothing ended it."""
        await self._give(self._cutter.finish(0))

    async def _give(self, block: Block | None) -> None:
        if block is None:
            return
        letters, self._too_long = self._too_long, []
        size = sum(map(len, block.lines))
        while True:
            try:
                await self._host.offer(
                    self._served, block.lines, size, self._source, first_line=block.first_line, letters=letters
                )
                return
            except NotTaken:
                await asyncio.sleep(_AGAIN_S)

    def _on_long_line(self, line: int, size: int, head: bytes) -> None:
        self._too_long.append(too_long_letter(self._served.name, self._source, line, size, head, self._limit))


class LineReceiver:
    """Takes TCP connections for one tenant; use `connected` with `asyncio.start_server`."""

    def __init__(self, host: Taker, served: Fed) -> None:
        self._host = host
        self._served = served
        self._numbers = count(1)
        self._connections: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        stream = LineStream(self._host, self._served, f"tcp connection {next(self._numbers)}")
        try:
            while chunk := await reader.read(_CHUNK_BYTES):
                await stream.feed(chunk)
            await stream.finish()
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


def read_stdin(host: Taker, served: Fed, stdin: BinaryIO) -> None:
    """Takes a tenant's lines from stdin until it ends, beside everything else. Within the loop."""
    loop = asyncio.get_running_loop()
    stream = LineStream(host, served, "stdin")

    def read() -> None:
        try:
            # read1 gives what a pipe has now.
            while chunk := stdin.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
                asyncio.run_coroutine_threadsafe(stream.feed(chunk), loop).result()
            asyncio.run_coroutine_threadsafe(stream.finish(), loop).result()
            _log.info("stdin has ended", extra={"incident": {"tenant": served.name}})
        except RuntimeError:
            # The loop is closed: the service has stopped meanwhile.
            return

    # A read of stdin cannot be interrupted, and must not keep the process alive.
    threading.Thread(target=read, name="sojourn-stdin", daemon=True).start()
