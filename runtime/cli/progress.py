"""A bar for files that are read."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def progress_bar(console: Console, *, shown: bool, has_thread: bool = True) -> Progress:
    """A bar that is gone at its end. One without a thread is drawn only when it is told of something."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not shown,
        auto_refresh=has_thread,
    )


@dataclass
class FileProgress:
    """One bar a file."""

    bar: Progress
    name: str = ""
    task: TaskID | None = None

    def __call__(self, name: str, read_bytes: int, total_bytes: int | None) -> None:
        """So much of a file has been read."""
        if self.task is None or name != self.name:
            self.name = name
            self.task = self.bar.add_task(name, total=total_bytes)
        self.bar.update(self.task, completed=read_bytes, refresh=not self.bar.live.auto_refresh)
