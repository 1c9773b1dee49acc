"""Other parts of a state in the place of those that there are: all at once, whatever the process dies of.

What is to be is written below `STATE/moving`. When all of it is on the disk, one rename makes `STATE/moved` of that,
and from then on it is what there is: whoever comes next puts each piece in its place and removes what was there. Before
it nothing has happened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runtime.disk import sync
from runtime.service.layout import Layout

_MAKING, _MADE = "moving", "moved"
_TARGET = "target.json"
_LOG, _FRONT, _WORKERS = "log", "front", "workers"
_OF_A_WORKER = ("lock", "monitor.sock")


class Target(msgspec.Struct, frozen=True):
    """What a state is to be for: so many workers, None for one process; by tenant the version of its rules."""

    workers: int | None
    versions: dict[str, int] = {}

    def places(self) -> list[str]:
        """The folders that there are to be, below that of the state."""
        if self.workers is None:
            return [_LOG]
        return [_FRONT, *(f"{_WORKERS}/{number}/{_LOG}" for number in range(self.workers))]


def begin(state: Path, target: Target) -> Path:
    """An empty folder with all places, for what is to be. Raises OSError."""
    abandon(state)
    making = state / _MAKING
    for place in target.places():
        (making / place).mkdir(parents=True)
    return making


def abandon(state: Path) -> None:
    """Removes what is below the folder of `begin`: it came to nothing."""
    shutil.rmtree(state / _MAKING, ignore_errors=True)


def commit(state: Path, target: Target) -> None:
    """What is below the folder of `begin` is what there is, from here on. Raises OSError; then nothing has happened."""
    making = state / _MAKING
    (making / _TARGET).write_bytes(msgspec.json.encode(target))
    for folder, _, files in os.walk(making):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    os.rename(making, state / _MADE)
    sync(state)


def finish(state: Path) -> None:
    """Does what is left to be done of a switch, whoever began it. Raises OSError; then it is to be done again."""
    abandon(state)
    made = state / _MADE
    try:
        target = msgspec.json.decode((made / _TARGET).read_bytes(), type=Target)
    except FileNotFoundError:
        shutil.rmtree(made, ignore_errors=True)
        return
    places = target.places()
    for place in places:
        # Where it is not there any more, it is in its place.
        if (made / place).exists():
            _remove(state / place)
            (state / place).parent.mkdir(parents=True, exist_ok=True)
            os.rename(made / place, state / place)
            sync((state / place).parent)
    for place in _found(state):
        if place not in places:
            _remove(state / place)
    for worker in _workers(state):
        if target.workers is None or int(worker.name) >= target.workers:
            _clear(worker)
    if target.workers is None:
        Layout.remove(state)
    else:
        Layout(target.workers, target.versions).write(state)
        sync(state / _WORKERS)
    sync(state)
    (made / _TARGET).unlink()
    shutil.rmtree(made)


def _found(state: Path) -> Iterator[str]:
    """The places that are there."""
    yield from (name for name in (_LOG, _FRONT) if (state / name).exists())
    yield from (f"{_WORKERS}/{each.name}/{_LOG}" for each in _workers(state) if (each / _LOG).exists())


def _workers(state: Path) -> list[Path]:
    folder = state / _WORKERS
    return [each for each in folder.iterdir() if each.name.isdecimal()] if folder.exists() else []


def _clear(worker: Path) -> None:
    """Removes all of a worker that there is no longer but what has left it: that is somebody else's by now."""
    _remove(worker / "versions")
    for name in _OF_A_WORKER:
        (worker / name).unlink(missing_ok=True)
    if not any(worker.iterdir()):
        worker.rmdir()


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
