"""Processes for the parts of a replay: started, fed with what is handed over, listened to, and ended.

They are forked when the rules have been compiled, so that no worker has to begin anew. A worker that fails or dies
ends the others.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from runtime.io import SinkError, SourceError
from runtime.parallel.cuts import Part
from runtime.parallel.errors import TooManySessions, WorkerFailed
from runtime.parallel.handover import Handover
from runtime.parallel.work import Done, Job, Work
from runtime.watchdog import Watchdog

_READ, _HANDED, _LOG, _DONE = "read", "handed", "log", "done"
_SOURCE, _SINK, _NO_ROOM, _DEFECT = "source", "sink", "no room", "defect"
_STOPS = (signal.SIGINT, signal.SIGTERM)
_REPORT_BYTES = 1 << 20
"""How much is read between two reports."""

CAN_FORK = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
"""Where a process can be copied; on macOS the system's own libraries do not bear it."""


class _InWorker(Exception):
    """Where a worker came across a defect, as its own traceback tells it."""


@dataclass(slots=True)
class _Worker:
    """A process that runs, and the line to it."""

    number: int
    process: BaseProcess
    line: Connection
    done: Done | None = None


class Pool:
    """Runs a job's parts, so many at a time, the first ones first. A context manager: at its end no process runs.

    `on_done` gets what came of each part, in the order of parts, `on_read` how many bytes have been read.
    """

    def __init__(
        self,
        job: Job,
        parts: Sequence[Part],
        workers: int,
        on_done: Callable[[Done], None],
        on_read: Callable[[int], None],
    ) -> None:
        self._job = job
        self._parts = parts
        self._workers = workers
        self._on_done = on_done
        self._on_read = on_read
        self._running: dict[Connection, _Worker] = {}
        self._finished: dict[int, Done] = {}
        self._handed: dict[int, Path] = {}
        """What has been handed to parts that wait for it or have not begun."""
        self._incidents: list[Any] = []
        """What has been told that is told once."""
        self._started = self._told = 0

    def run(self) -> None:
        """Returns when all parts are done. Raises SourceError, SinkError, TooManySessions and WorkerFailed.

        Whatever is first.
        """
        # What is here already is not looked at by the workers' collectors, and so stays common memory.
        gc.freeze()
        before = _on_termination(lambda number, frame: sys.exit(128 + number))
        try:
            while self._told < len(self._parts):
                while self._started < len(self._parts) and len(self._running) < self._workers:
                    self._start()
                for line in wait(list(self._running)):
                    assert isinstance(line, Connection)
                    self._hear(self._running[line])
        finally:
            for worker in self._running.values():
                worker.process.terminate()
            for worker in self._running.values():
                worker.process.join()
                worker.line.close()
            _on_termination(before)
            gc.unfreeze()

    def _start(self) -> None:
        number, self._started = self._started, self._started + 1
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=self._work, args=(number, theirs, [ours, *self._running]), daemon=True
        )
        # Whoever is told to stop between being copied and being known would stop nobody.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            process.start()
            self._running[ours] = _Worker(number, process, ours)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        theirs.close()
        self._pass_on(number)

    def _hear(self, worker: _Worker) -> None:
        """One message of a worker, or that its line is closed."""
        try:
            what, given = worker.line.recv()
        except (EOFError, ConnectionError):
            self._ended(worker)
            return
        match what:
            case "read":
                self._on_read(given)
            case "handed":
                self._handed[worker.number + 1] = given
                self._pass_on(worker.number + 1)
            case "log":
                self._log(given)
            case "done":
                worker.done = given
            case "source":
                raise SourceError(*given)
            case "sink":
                raise SinkError(*given)
            case "no room":
                raise TooManySessions
            case _:
                said, trace = given
                raise RuntimeError(f"{self._called(worker)}: {said}") from _InWorker(trace)

    def _log(self, record: logging.LogRecord) -> None:
        """What a worker logs; that a rule fails is told once, as one process would."""
        incident = getattr(record, "incident", None)
        if incident in self._incidents:
            return
        if incident is not None:
            self._incidents.append(incident)
        logging.getLogger(record.name).handle(record)

    def _pass_on(self, number: int) -> None:
        """Tells a worker that runs where to find what it has to go on from."""
        for worker in self._running.values():
            if worker.number == number and number in self._handed:
                worker.line.send(self._handed.pop(number))

    def _ended(self, worker: _Worker) -> None:
        worker.process.join()
        if worker.done is None:
            code = worker.process.exitcode or 0
            why = f"signal {signal.Signals(-code).name} ended it" if code < 0 else f"it ended with code {code}"
            if code == -signal.SIGKILL:
                why += ", as the system does when memory is short"
            raise WorkerFailed(f"{self._called(worker)} is gone: {why}; nothing of the others is kept")
        del self._running[worker.line]
        worker.line.close()
        self._finished[worker.number] = worker.done
        while self._told in self._finished:
            self._on_done(self._finished.pop(self._told))
            self._told += 1

    def _called(self, worker: _Worker) -> str:
        return f"the worker of part {worker.number + 1} of {len(self._parts)}"

    # ---- in the worker's process

    def _work(self, number: int, line: Connection, others: Sequence[Connection]) -> None:
        # Whoever stops the command stops its first process, which ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        for other in others:
            other.close()  # else nobody would see that the first process is gone
        logging.getLogger().handlers[:] = [_LineHandler(line)]
        try:
            line.send(self._worked(number, line))
        except (EOFError, ConnectionError):
            sys.exit(1)  # the first process is gone

    def _worked(self, number: int, line: Connection) -> tuple[str, Any]:
        unreported = 0

        def on_read(count: int) -> None:
            nonlocal unreported
            unreported += count
            if unreported >= _REPORT_BYTES:
                line.send((_READ, unreported))
                unreported = 0

        def hand_over(handover: Handover) -> None:
            path = self._job.folder / f"{number:06}.sessions"
            handover.write(path)
            line.send((_HANDED, path))

        try:
            is_last = number == len(self._parts) - 1
            with Watchdog(self._job.rules.config.limits.rule_time_ms):
                work = Work(self._job, self._parts[number], number, is_last=is_last, on_read=on_read)
                done = work.run(lambda: Handover.read(line.recv()), hand_over)
        except SourceError as error:
            return _SOURCE, (error.name, error.message)
        except SinkError as error:
            return _SINK, (error.name, error.message)
        except TooManySessions:
            return _NO_ROOM, None
        except (EOFError, ConnectionError):
            raise
        except OSError as error:
            return _SINK, (str(self._job.folder), f"it cannot be written: {error.strerror or error}")
        except Exception as error:
            return _DEFECT, (f"{type(error).__name__}: {error}", f"\n{traceback.format_exc()}")
        line.send((_READ, unreported))
        return _DONE, done


class _LineHandler(logging.Handler):
    """Sends what is logged to the first process, which shows it."""

    def __init__(self, line: Connection) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Sends one record, its text made here."""
        sent = copy(record)
        sent.msg, sent.args, sent.exc_info, sent.exc_text = self.format(record), None, None, None
        self._line.send((_LOG, sent))


def _on_termination(handler: Any) -> Any:
    """Sets what happens when the system wants the process to end, and gives what was to happen before.

    Only a main thread can; elsewhere it is for whoever has one to see to.
    """
    if threading.current_thread() is threading.main_thread():
        return signal.signal(signal.SIGTERM, handler)
    return None
