"""`sojourn replay --workers`: several processes, where files can be cut for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from runtime.cli.progress import file_progress
from runtime.cli.stderr import Stderr
from runtime.io import FileSink
from runtime.parallel.errors import TooManySessions
from runtime.parallel.replay import ParallelReplay
from runtime.replay import Replayed
from runtime.rules import TenantRules


def replay_by_workers(
    rules: TenantRules,
    workers: int,
    events: Sequence[str],
    out: str | None,
    dead_letters: str | None,
    errors: Stderr,
    is_shown: bool,
    **options: Any,
) -> Replayed | str:
    """What came of a replay by several processes, or why there can be only one. Raises NoClock.

    It also raises what goes wrong with files, and WorkerFailed.
    """
    replay = ParallelReplay(rules, workers, **options)
    cuts = replay.cuts(events)
    if len(cuts.parts) < 2:
        return cuts.why or "there is nothing to cut"
    with ExitStack() as stack:
        letters = None if dead_letters is None else stack.enter_context(FileSink(dead_letters, joins=True))
        sink = None if out is None else stack.enter_context(FileSink(out, joins=True))
        # Without a thread of its own: workers are copies of this process, and a thread may hold what they need.
        on_progress = stack.enter_context(file_progress(errors, shown=is_shown, has_thread=False))
        try:
            return replay.run(cuts, sink, letters, on_progress)
        except TooManySessions:
            for each in (sink, letters):
                if each is not None:
                    each.discard()
            return "there are more sessions than there is memory for (`cache.memory`)"


def why_in_one(*, is_folder: bool, sort: bool, is_saved: bool) -> str | None:
    """Why one process has to do what these options ask for; None when several may."""
    if is_folder:
        return "events of several tenants are told apart as they are read"
    if sort:
        return "--sort puts all events into one order first"
    if is_saved:
        return "a snapshot is of one process"
    return None
