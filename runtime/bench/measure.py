"""A bench of one tenant: interleaved runs, medians, and the memory that a first run needed."""

from __future__ import annotations

import gc
import logging
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter, process_time

from runtime.bench.figures import Figures, PartFigures, RuleFigures
from runtime.bench.memory import peak_bytes
from runtime.bench.parts import PARTS, Job, NoEvents, prefixes
from runtime.bench.rules import RuleTimes
from runtime.bench.several import Several

OnStep = Callable[[], None]
"""Called after each of `Bench.steps`."""


class Bench:
    """Measures a job. Machines drift, so each run times every part once, and what counts is the median over runs.

    Speed is by the wall clock. Parts are differences, in which whatever else the machine does would drown, so they are
    by CPU time.
    """

    def __init__(self, job: Job, *, runs: int = 5, profile_rules: bool = False, workers: int = 1) -> None:
        self._job = job
        self._several = Several(job, workers) if workers > 1 else None
        self._runs = runs
        self._rule_times = RuleTimes(job) if profile_rules else None

    @property
    def steps(self) -> int:
        """How many times the events, or some of them, are gone through."""
        times = len(PARTS) + (self._several is not None)
        return 1 + self._runs * times + (0 if self._rule_times is None else self._rule_times.steps)

    def run(self, on_step: OnStep = lambda: None) -> Figures:
        """Measures. Raises NoClock, NoEvents, SourceError and SinkError.

        What rules log is logged in the first run, which counts for memory alone.
        """
        events = self._job.replay()().events
        if not events:
            raise NoEvents("there are no events that could be measured by")
        memory_bytes = peak_bytes()
        on_step()
        with _quiet():
            wall, cpu = self._time_parts(on_step)
            rules: tuple[RuleFigures, ...] = ()
            if self._rule_times is not None:
                rules = self._rule_times.run(events, on_step)
        return Figures(
            tenant=self._job.rules.config.tenant,
            events=events,
            runs=self._runs,
            python_version=platform.python_version(),
            seconds=median(wall),
            fastest_seconds=min(wall),
            slowest_seconds=max(wall),
            cpu_seconds=median(cpu[PARTS[-1]]),
            peak_memory_bytes=memory_bytes,
            parts=_parts(cpu, events),
            rules=rules,
            workers=None if self._several is None else self._several.figures(),
        )

    def _time_parts(self, on_step: OnStep) -> tuple[list[float], dict[str, list[float]]]:
        """Wall seconds of whole replays, and CPU seconds of each prefix; the last of these is the whole."""
        wall: list[float] = []
        cpu: dict[str, list[float]] = {part: [] for part in PARTS}
        for _ in range(self._runs):
            for part, run in prefixes(self._job).items():
                gc.collect()
                began, began_cpu = perf_counter(), process_time()
                run()
                cpu[part].append(process_time() - began_cpu)
                if part == PARTS[-1]:
                    wall.append(perf_counter() - began)
                on_step()
            if self._several is not None:
                self._several.run()
                on_step()
        return wall, cpu


def _parts(seconds: dict[str, list[float]], events: int) -> tuple[PartFigures, ...]:
    whole = median(seconds[PARTS[-1]])
    before = 0.0
    found = []
    for part in PARTS:
        until = median(seconds[part])
        found.append(PartFigures(part, (until - before) / events * 1e6, (until - before) / whole))
        before = until
    return tuple(found)


@contextmanager
def _quiet() -> Iterator[None]:
    """What has been logged once need not be logged by every run."""
    log = logging.getLogger("sojourn")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)
