"""Snapshots of tenants while their events go on: a forked process has everything as it was, and writes it down.

The service stands still for the fork alone. When a snapshot is whole and on the disk, the logs before it are removed.
One that fails is tried again; until then the logs grow.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.cache.strange import pack_any, unpack_any
from runtime.config.service import DurabilityConfig
from runtime.frames import new_file
from runtime.io import DeadLetter
from runtime.service.files import RotatingFile
from runtime.service.letters import Received
from runtime.service.log import snapshot_file
from runtime.service.outlet import Ended
from runtime.service.served import Served
from runtime.service.syncing import Syncing
from runtime.snapshot import write

_log = logging.getLogger("sojourn.service")

_LOOK_S = 0.25
_REAP_S = 0.02
_MOST_TOLD = 4000
"""Bytes: a pipe takes so many without anybody reading."""


class Snapshots:
    """Writes snapshots of tenants whose logs have grown."""

    def __init__(self, tenants: Mapping[str, Served], config: DurabilityConfig, syncing: Syncing) -> None:
        self._tenants = tenants
        self._config = config
        self._syncing = syncing
        self.last_fork_s = 0.0
        """How long the service stood still for the last one."""

    async def run(self) -> None:
        """Writes them when it is time, until it is cancelled."""
        last_s = time.monotonic()
        while True:
            await asyncio.sleep(min(_LOOK_S, self._config.snapshot_every_ms / 1000))
            is_time = time.monotonic() - last_s >= self._config.snapshot_every_ms / 1000
            largest = max((each.log.uncovered_bytes for each in self._tenants.values()), default=0)
            if is_time or largest >= self._config.snapshot_size:
                await self.take()
                last_s = time.monotonic()

    async def take(self) -> bool:
        """Writes one of each tenant whose log has grown; False when it came to nothing."""
        # What a log has by now is on the disk then, so that it does not take long when the next file is begun.
        await self._syncing.sync(self._tenants.values())
        changed = [
            served for served in self._tenants.values() if served.log.uncovered_bytes and served.disabled is None
        ]
        begun = [served for served in changed if _rotated(served)]
        if not begun:
            return not changed
        files = [each for served in begun for each in served.deliveries if isinstance(each, RotatingFile)]
        finished = [each.finished for each in files]
        began_s = time.perf_counter()
        try:
            child, told = _forked(begun, [handle for each in files for handle in each.handles()])
        except OSError as error:
            _failed(error.strerror or str(error))
            return False
        self.last_fork_s = time.perf_counter() - began_s
        try:
            code = await _ended(child)
            if code != 0:
                _failed(os.read(told, _MOST_TOLD).decode(errors="replace") or f"its process ended with {code}")
                return False
        finally:
            os.close(told)
        for each, count in zip(files, finished, strict=True):
            each.forget_finished(count)
        needless = [path for served in begun for path in served.log.covered()]
        for served in begun:
            served.keep_versions()
        await asyncio.to_thread(_remove, needless)
        return True


async def _ended(child: int) -> int:
    """Waits for a process; its exit code. It does not outlive who waits."""
    try:
        while True:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            await asyncio.sleep(_REAP_S)
    except asyncio.CancelledError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def state_of(served: Served) -> dict[str, Any]:
    """What a snapshot keeps beside the engine: what left, and how far those are who take it; where sources go on."""
    return {
        "line": served.outlet.sequence.number,
        "letter": served.letters.sequence.number,
        "letter_counts": served.letters.counts,
        "positions": served.positions,
        "is_paused": served.intake.is_paused,
        "taken": served.outlet.sequence.taken,
        "waiting": served.outlet.sequence.waiting(),
        "letters_taken": served.letters.sequence.taken,
        "letters_waiting": served.letters.sequence.waiting(),
        "ends": list(served.outlet.recent),
        "letters": [[each.at_ms, *_letter_state(each.letter)] for each in served.letters.recent],
    }


def go_on_from(served: Served, state: Mapping[str, Any]) -> None:
    """Takes what `state_of` gave, all but what deliveries have: that is for `Numbered.resume`."""
    served.outlet.sequence.number = state["line"]
    served.letters.go_on_from(state["letter"], state["letter_counts"])
    served.positions.update(state["positions"])
    served.intake.is_paused = state["is_paused"]
    served.outlet.recent.extend(Ended(at_ms, fields) for at_ms, fields in state["ends"])
    served.letters.recent.extend(
        Received(at_ms, DeadLetter(reason, code, served.name, source, line, raw, raw_bytes))
        for at_ms, reason, code, source, line, raw, raw_bytes in state["letters"]
    )


def _letter_state(letter: DeadLetter) -> tuple[Any, ...]:
    return letter.reason, letter.code, letter.source, letter.line, letter.raw, letter.raw_bytes


def _rotated(served: Served) -> bool:
    try:
        served.log.rotate()
    except OSError as error:
        _failed(error.strerror or str(error))
        return False
    return True


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _failed(problem: str) -> None:
    _log.error("no snapshot was written; the log keeps all", extra={"incident": {"problem": problem}})


def _forked(tenants: Iterable[Served], to_sync: Sequence[int]) -> tuple[int, int]:
    """The process that writes snapshots, and a pipe on which it says what went wrong. Raises OSError."""
    told, tell = os.pipe()
    # A signal to both is not for the child, which would pass it on by the loop's own pipe.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    try:
        with warnings.catch_warnings():
            # Threads may hold locks; what runs in the child needs none of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _write_and_exit(tenants, to_sync, tell)
    except OSError:
        os.close(told)
        raise
    finally:
        os.close(tell)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return child, told


def _write_and_exit(tenants: Iterable[Served], to_sync: Sequence[int], tell: int) -> None:
    """In the child: never returns."""
    code = 1
    try:
        gc.disable()
        os.umask(0o027)  # it holds what events held, as the log does
        signal.set_wakeup_fd(-1)
        _let_go((*to_sync, tell))
        for handle in to_sync:
            os.fsync(handle)
        for served in tenants:
            with new_file(snapshot_file(served.log.folder, served.log.number)) as writer:
                write(served.tenant.engine, writer, pack_any(state_of(served)))
        code = 0
    except OSError as error:
        os.write(tell, (error.strerror or str(error)).encode())
    except BaseException as error:
        # A defect: whatever it is, it must not get as far as the parent's code. Its text may hold what events held.
        places = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)]
        os.write(tell, " ".join((type(error).__name__, *places)).encode()[-_MOST_TOLD:])
    finally:
        os._exit(code)


def _let_go(but: Iterable[int]) -> None:
    """Closes all that is the parent's: sockets and locks would stay taken when it dies."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    kept = 2
    for handle in (*sorted(but), os.sysconf("SC_OPEN_MAX")):
        os.closerange(kept + 1, handle)
        kept = handle


def read_state(data: bytes) -> Mapping[str, Any]:
    """What `state_of` gave, as a snapshot has it."""
    state: Mapping[str, Any] = unpack_any(data)
    return state
