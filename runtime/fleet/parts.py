"""The parts of a state, a folder for each worker: where they are, and that one process at a time has them."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_LOOK_S = 0.05
_SPARE_S = 10.0
"""How long a worker before may take beyond its time to stop, until its part is free."""


class PartTaken(Exception):
    """Another process has a part, and does not end; the message names the folder."""


def part_of(state: Path, worker: int) -> Path:
    """The folder of a worker."""
    return state / "workers" / str(worker)


def locked_part(folder: Path, stop_ms: int) -> int:
    """A worker's folder, made, and locked once the worker before is gone. Raises PartTaken and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    deadline = time.monotonic() + stop_ms / 1000 + _SPARE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if time.monotonic() > deadline:
                os.close(handle)
                raise PartTaken(f"{folder}: another process uses it") from None
            time.sleep(_LOOK_S)
