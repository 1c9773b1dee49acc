"""What a bench found, and the same as plain data: keys are stable and say their unit, so that files can be compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PartFigures:
    """A part of the way of an event, in CPU time. A difference of two medians: one within the noise may be below 0."""

    name: str
    us_per_event: float
    share: float


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """A rule by itself. `calls` of its rule set's function it had a part in, `matches` rows that it gave.

    `us_per_event` is over all events of the run, so that a rule on markers weighs as much as it does.
    """

    rule: str
    where: str
    calls: int
    matches: int
    us_per_event: float


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """The same replay by several processes: how many were asked for, how many there was work for, and why not more."""

    asked: int
    used: int
    seconds: float | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over `runs`, by the wall clock where it does not say CPU.

    `peak_memory_bytes` is that of the process, Python included, None where nobody tells.
    """

    tenant: str
    events: int
    runs: int
    python_version: str
    seconds: float
    fastest_seconds: float
    slowest_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int | None
    parts: tuple[PartFigures, ...]
    rules: tuple[RuleFigures, ...] = ()
    workers: WorkerFigures | None = None

    @property
    def events_per_second(self) -> float:
        """Of the median run."""
        return self.events / self.seconds

    @property
    def events_per_cpu_second(self) -> float:
        """Of the median run; depends far less on what else the machine does."""
        return self.events / self.cpu_seconds


def as_data(figures: Figures) -> dict[str, Any]:
    """The figures as plain data: one flat object, and a list of rules where they were timed."""
    data: dict[str, Any] = {
        "tenant": figures.tenant,
        "events": figures.events,
        "runs": figures.runs,
        "python_version": figures.python_version,
        "events_per_second": round(figures.events_per_second, 1),
        "events_per_cpu_second": round(figures.events_per_cpu_second, 1),
        "seconds": round(figures.seconds, 6),
        "fastest_seconds": round(figures.fastest_seconds, 6),
        "slowest_seconds": round(figures.slowest_seconds, 6),
        "cpu_seconds": round(figures.cpu_seconds, 6),
        "peak_memory_bytes": figures.peak_memory_bytes,
    }
    for part in figures.parts:
        data[f"{part.name}_share"] = round(part.share, 4)
        data[f"{part.name}_us_per_event"] = round(part.us_per_event, 4)
    if figures.workers is not None:
        data["workers"] = figures.workers.used
        if figures.workers.seconds is not None:
            data["workers_seconds"] = round(figures.workers.seconds, 6)
            data["workers_events_per_second"] = round(figures.events / figures.workers.seconds, 1)
    if figures.rules:
        data["rules"] = [asdict(rule) | {"us_per_event": round(rule.us_per_event, 4)} for rule in figures.rules]
    return data
