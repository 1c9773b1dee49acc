"""How long people wait between two things they do.

Pauses of people are close to lognormal: mostly short, now and then very long. Drawing one from a table of quantiles
costs half of computing it (0.34 µs against 0.66), and every event needs one.
"""

from __future__ import annotations

from math import exp, log
from random import Random
from statistics import NormalDist

_QUANTILES = 2_048


class Waits:
    """A lognormal distribution of waits; `sigma` is that of the logarithm."""

    __slots__ = ("_table",)

    def __init__(self, median_ms: float, sigma: float) -> None:
        normal = NormalDist(log(median_ms), sigma)
        self._table = [int(exp(normal.inv_cdf((step + 0.5) / _QUANTILES))) for step in range(_QUANTILES)]

    def draw(self, rng: Random) -> int:
        """One wait in ms, at least 1."""
        # The fraction that chooses the entry also blurs it, so that waits are not 2,048 round numbers.
        place = rng.random() * _QUANTILES
        step = int(place)
        return int(self._table[step] * (0.95 + 0.1 * (place - step))) + 1
