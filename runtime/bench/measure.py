"""A bench of one tenant: interleaved runs, medians, and the memory that a first run needed."""

from __future__ import annotations

import gc
import logging
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from runtime.bench.figures import Figures, PartFigures, RuleFigures
from runtime.bench.parts import PARTS, Job, NoEvents, prefixes
from runtime.bench.rules import RuleTimes

OnStep = Callable[[], None]
"""Called after each of `Bench.steps`."""


class Bench:
    """Measures a job. Machines drift, so each run times every part once, and what counts is the median over runs."""

    def __init__(self, job: Job, *, runs: int = 5, profile_rules: bool = False) -> None:
        self._job = job
        self._runs = runs
        self._rule_times = RuleTimes(job) if profile_rules else None

    @property
    def steps(self) -> int:
        """How many times the events, or some of them, are gone through."""
        return 1 + self._runs * len(PARTS) + (0 if self._rule_times is None else self._rule_times.steps)

    def run(self, on_step: OnStep = lambda: None) -> Figures:
        """Measures. Raises NoClock, NoEvents, SourceError and SinkError.

        What rules log is logged in the first run, which counts for memory alone.
        """
        events = self._job.replay().events
        if not events:
            raise NoEvents("there are no events that could be measured by")
        memory_bytes = _peak_memory_bytes()
        on_step()
        with _quiet():
            seconds = self._time_parts(on_step)
            rules: tuple[RuleFigures, ...] = ()
            if self._rule_times is not None:
                rules = self._rule_times.run(events, on_step)
        whole = seconds["write"]
        return Figures(
            tenant=self._job.rules.config.tenant,
            events=events,
            runs=self._runs,
            python_version=platform.python_version(),
            seconds=median(whole),
            fastest_seconds=min(whole),
            slowest_seconds=max(whole),
            peak_memory_bytes=memory_bytes,
            parts=_parts(seconds, events),
            rules=rules,
        )

    def _time_parts(self, on_step: OnStep) -> dict[str, list[float]]:
        seconds: dict[str, list[float]] = {part: [] for part in PARTS}
        for _ in range(self._runs):
            for part, run in prefixes(self._job).items():
                gc.collect()
                began = perf_counter()
                run()
                seconds[part].append(perf_counter() - began)
                on_step()
        return seconds


def _parts(seconds: dict[str, list[float]], events: int) -> tuple[PartFigures, ...]:
    whole = median(seconds["write"])
    before = 0.0
    found = []
    for part in PARTS:
        until = median(seconds[part])
        found.append(PartFigures(part, (until - before) / events * 1e6, (until - before) / whole))
        before = until
    return tuple(found)


def _peak_memory_bytes() -> int | None:
    """The most memory that this process has had so far, None on systems that do not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


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
