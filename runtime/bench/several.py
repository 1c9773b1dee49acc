"""The replay of a bench by several processes, beside the one that it is compared with."""

from __future__ import annotations

import os
from contextlib import ExitStack
from statistics import median
from time import perf_counter

from runtime.bench.figures import WorkerFigures
from runtime.bench.parts import Job
from runtime.io import FileSink
from runtime.parallel.replay import ParallelReplay


class Several:
    """Replays a job by up to `workers` processes; where it cannot be cut for them, it does not, and says why.

    Raises NoClock and SourceError.
    """

    def __init__(self, job: Job, workers: int) -> None:
        self._job = job
        self._workers = workers
        self._cuts = self._replay().cuts(job.sources)
        self._seconds: list[float] = []

    def run(self) -> None:
        """One replay. Raises SourceError, SinkError and WorkerFailed."""
        if len(self._cuts.parts) < 2:
            return
        began = perf_counter()
        with ExitStack() as stack:
            out = stack.enter_context(FileSink(self._job.out or os.devnull, joins=True))
            self._replay().run(self._cuts, out, None)
        self._seconds.append(perf_counter() - began)

    def _replay(self) -> ParallelReplay:
        job = self._job
        return ParallelReplay(
            job.rules,
            self._workers,
            markers_only=job.markers_only,
            now_field=job.now_field,
            time_field=job.time_field,
        )

    def figures(self) -> WorkerFigures:
        """What the replays took."""
        parts = len(self._cuts.parts)
        seconds = median(self._seconds) if self._seconds else None
        why = self._cuts.why or (None if parts > 1 else "there is nothing to cut")
        return WorkerFigures(self._workers, max(min(self._workers, parts), 1), seconds, why)
