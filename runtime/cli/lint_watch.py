"""`sojourn lint --watch`: linted again whenever a file changes.

What changes is a rule file, a configuration, a `sojourn.toml` or a module of functions, in the folders of the paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from rich.console import Console

from runtime.cli.errors import fail

_SUFFIXES = (".epl", ".yaml", ".yml", ".toml", ".py")
_POLL_MS = 200


def watch(paths: list[Path], lint: Callable[[], bool], console: Console) -> bool:
    """Lints, and lints again after each change, until Ctrl-C. True when the last result was fine.

    `lint` prints its result. The screen is cleared before, on a terminal.
    """
    for path in paths:
        if not path.exists():
            fail(f"{path}: there is no such file or folder")
    fine = True
    try:
        for _ in _changes(paths):
            if console.is_terminal:
                console.clear()
            fine = lint()
            console.print(f"[dim]{datetime.now():%H:%M:%S} watching for changes, Ctrl-C ends[/]")
            console.file.flush()
    except KeyboardInterrupt:
        console.print()
    return fine


def _changes(paths: list[Path]) -> Iterator[None]:
    """One at the beginning, and one for the changes of each moment."""
    try:
        import watchfiles  # an extra: everything else does without
    except ImportError:
        fail("--watch needs watchfiles: pip install 'sojourn[watch]'")
    # Editors replace a file by another, so that it is its folder that is watched.
    folders = {path if path.is_dir() else path.parent for path in paths}
    ticks = watchfiles.watch(
        *folders,
        watch_filter=lambda _, name: name.endswith(_SUFFIXES) and not Path(name).name.startswith("."),
        rust_timeout=_POLL_MS,
        yield_on_timeout=True,  # the first tick comes when the watch is set up, so that nothing is missed
        raise_interrupt=True,
    )
    started = False
    for changes in ticks:
        if changes or not started:
            started = True
            yield
