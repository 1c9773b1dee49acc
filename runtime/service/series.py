"""The last minutes of a tenant, a sample a second: what charts are drawn from."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SAMPLES = 300
"""Five minutes."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters of a tenant at one moment."""

    events: int
    created: int
    ended: int
    refused: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One second: events, sessions that began and ended and dead letters in it; live sessions at its end."""

    events: int
    created: int
    ended: int
    refused: int
    live: int


class Series:
    """Samples, oldest first."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._before: Totals | None = None

    def take(self, totals: Totals) -> None:
        """Adds the second that has passed since the last call; the first call only notes where it begins."""
        before, self._before = self._before, totals
        if before is not None:
            self.samples.append(
                Sample(
                    events=totals.events - before.events,
                    created=totals.created - before.created,
                    ended=totals.ended - before.ended,
                    refused=totals.refused - before.refused,
                    live=totals.created - totals.ended,
                )
            )

    def per_second(self, field: str, seconds: int = 10) -> float:
        """The mean of a field over the last seconds."""
        latest = list(self.samples)[-seconds:]
        return sum(getattr(sample, field) for sample in latest) / len(latest) if latest else 0.0
