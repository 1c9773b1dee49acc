"""A bar for files that are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime.cli.stderr import Stderr
from runtime.reading import OnProgress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def file_progress(errors: Stderr, *, shown: bool, has_thread: bool = True) -> Iterator[OnProgress | None]:
    """Draws how much of each file has been read, on a bar that is gone at its end; None where none is shown.

    One without a thread is drawn only when it is told of something.
    """
    if not shown:
        yield None
        return
    # Here, since only a terminal has one.
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=errors.console,
        transient=True,
        auto_refresh=has_thread,
    ) as bar:
        yield _FileProgress(bar)


class _FileProgress:
    """One bar a file."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._name = ""
        self._task: TaskID | None = None

    def __call__(self, name: str, read_bytes: int, total_bytes: int | None) -> None:
        """So much of a file has been read."""
        if self._task is None or name != self._name:
            self._name = name
            self._task = self._bar.add_task(name, total=total_bytes)
        self._bar.update(self._task, completed=read_bytes, refresh=not self._bar.live.auto_refresh)
