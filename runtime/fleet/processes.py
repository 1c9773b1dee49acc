"""A worker's process: begun, heard, and begun again when it dies.

The first time at once, then after half a second, a second, up to half a minute. One that dies five times within a
minute is down, which the front says; it is tried all the same.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from runtime.fleet.facts import WorkerFacts, WorkerState
from runtime.fleet.link import Link
from runtime.fleet.messages import (
    CannotBegin,
    Ready,
    Spec,
    Stop,
    decode_answer,
    framed_bytes,
    pickled,
    read_frame,
)
from runtime.service.threads import in_thread

_log = logging.getLogger("sojourn.fleet")

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_LOOP_DEATHS = 5
_LOOP_S = 60.0
_EXIT_S = 5.0
"""How long a process may take to end once it has closed its socket."""


class WorkerProcess:
    """One worker. `spec` gives what it is to be, anew for each life, `link` is the way to it.

    `on_ready` is called when it is ready, each time.
    """

    def __init__(self, link: Link, spec: Callable[[], Spec], on_ready: Callable[[Link], None]) -> None:
        self.link = link
        self.pid: int | None = None
        self.restarts = 0
        self.problem: str | None = None
        """Why a process could not begin, until one does."""
        self._spec = spec
        self._on_ready = on_ready
        self._deaths: deque[float] = deque(maxlen=_LOOP_DEATHS)
        self._is_stopping = asyncio.Event()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def number(self) -> int:
        """The worker's number."""
        return self.link.worker

    @property
    def is_down(self) -> bool:
        """True when it has died again and again."""
        now = time.monotonic()
        return len(self._deaths) == _LOOP_DEATHS and now - self._deaths[0] < _LOOP_S + _LONGEST_WAIT_S

    def facts(self) -> WorkerFacts:
        """What monitoring is told of it."""
        state = WorkerState.STARTING
        if self._is_stopping.is_set():
            state = WorkerState.STOPPING
        elif self.link.up.is_set():
            state = WorkerState.READY
        elif self.is_down:
            state = WorkerState.DOWN
        return WorkerFacts(self.number, self._spec().socket, state, self.pid, self.restarts, self.link.waiting_lines)

    async def keep(self) -> None:
        """Has a process at work until it is told to stop."""
        wait_s = 0.0
        while True:
            began_s = time.monotonic()
            code = await self._live()
            if self._is_stopping.is_set():
                return
            now_s = time.monotonic()
            self._deaths.append(now_s)
            incident: dict[str, object] = {"worker": self.number, "exit": code, "problem": self.problem}
            if self.is_down:
                _log.error("a worker dies again and again", extra={"incident": incident})
            else:
                _log.error("a worker has died; it is begun again", extra={"incident": incident})
            wait_s = 0.0 if now_s - began_s > _LOOP_S else wait_s
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopping.wait(), wait_s)
                return
            wait_s = min(max(wait_s * 2, _FIRST_WAIT_S), _LONGEST_WAIT_S)
            self.restarts += 1

    async def _live(self) -> int:
        """One life of the worker; its exit code, or the signal that ended it below 0."""
        ours, theirs = socket.socketpair()
        try:
            process = self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "runtime.fleet.worker", str(self.number), str(theirs.fileno())],
                # What this process finds is found by the worker.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(each or os.getcwd() for each in sys.path)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is the front's.
                process_group=0,
            )
        finally:
            theirs.close()
        self.pid = process.pid
        waiting = asyncio.ensure_future(in_thread(f"sojourn-worker-{self.number}", process.wait))
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            writer.write(framed_bytes(pickled(self._spec())))
            self.link.connected(writer.write)
            if self._is_stopping.is_set():
                self.link.tell(Stop(0.0))
            while (frame := await read_frame(reader)) is not None:
                message = decode_answer(frame)
                match message:
                    case Ready():
                        self.problem = None
                        self.link.ready(message)
                        self._on_ready(self.link)
                        _log.info("a worker is ready", extra={"incident": {"worker": self.number, "pid": self.pid}})
                    case CannotBegin(reason):
                        self.problem = reason
                    case _:
                        self.link.hear(message)
        finally:
            self.link.disconnected()
            writer.close()
            if not (await asyncio.wait([waiting], timeout=_EXIT_S))[0]:
                process.kill()
            code = await waiting
            self.pid = self._process = None
        return code

    def stop(self, seconds: float) -> None:
        """Has it finish in so many seconds; told again, at once."""
        self._is_stopping.set()
        self.link.tell(Stop(seconds))

    def kill(self) -> None:
        """Ends the process now: what it has taken is in its log."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
