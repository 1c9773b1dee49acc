"""How many processes a folder of state is for: sessions are where the number of workers has put them.

`STATE/workers.json` says it, with the rules that all workers run. Without workers there is no such file.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_NAME = "workers.json"


class StateTaken(Exception):
    """The folder of state cannot be used; the message says why."""


class Layout(msgspec.Struct, frozen=True):
    """So many workers; by tenant the number of the version of its rules that all of them run, or are to run."""

    workers: int
    versions: dict[str, int] = {}

    def write(self, state: Path) -> None:
        """Writes it, whole or not at all. Raises OSError."""
        new = state / f".{_NAME}.new"
        with new.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, state / _NAME)

    @staticmethod
    def read(state: Path) -> Layout | None:
        """That of a folder of state; None where it is for one process. Raises StateTaken."""
        try:
            return msgspec.json.decode((state / _NAME).read_bytes(), type=Layout)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise StateTaken(f"{state / _NAME}: it cannot be read: {error}") from error

    @staticmethod
    def remove(state: Path) -> None:
        """The folder of state is for one process. Raises OSError."""
        (state / _NAME).unlink(missing_ok=True)


def layout_of(state: Path, workers: int | None) -> Layout | None:
    """The layout of a folder of state for so many workers, or for none; a new one where there is nothing yet.

    Raises StateTaken when it is for another number.
    """
    found = Layout.read(state)
    if found is not None and found.workers != workers:
        raise StateTaken(f"{state}: its sessions are those of {found.workers} workers: --workers {found.workers}")
    if found is None and workers is not None:
        if is_of_one(state):
            raise StateTaken(f"{state}: its sessions are those of one process, without --workers")
        return Layout(workers)
    return found


def is_of_one(state: Path) -> bool:
    """True when there are sessions of one process."""
    return any((state / "log").glob("*/*"))
