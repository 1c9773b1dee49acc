"""How long batches take from their arrival to their answer, as a histogram and as quantiles of the last ones."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RECENT = 1000


class Latency:
    """Seconds, counted by bounds: place n of `counts` is up to `BOUNDS_S[n]`, the last one beyond all."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def note(self, seconds: float) -> None:
        """Counts one batch."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds
        self._recent.append(seconds)

    def quantile_s(self, share: float) -> float | None:
        """The time that this share of the last thousand batches stayed within; None before the first."""
        if not self._recent:
            return None
        ordered = sorted(self._recent)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
