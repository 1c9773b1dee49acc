"""Time from left to right, in proportion, but for long stretches in which nothing happens.

Events that are seconds apart and a session that is due in half an hour do not fit on one scale: the events would be on
the same pixels. So a stretch that is much longer than all the rest is drawn short, and marked as broken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_BROKEN_WIDTH = 14.0
"""In percent of the axis, for each of them: room for the words that say how long it is."""
_MUCH = (1.5, 8.0, 8.0)
"""One stretch is broken when it is so many times as long as all others, two or three when each is: several breaks are
harder to read than one, so they have to be worth more."""
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_STEPS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(count * _SECOND for count in (1, 2, 5, 10, 15, 30)),
    *(count * _MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR for count in (1, 2, 3, 6, 12)),
    _DAY,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one time to the next at which something happens, with its place on the axis in percent."""

    start_ms: int
    end_ms: int
    left: float
    width: float
    is_broken: bool

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis, in percent, and how long after the beginning it is."""

    place: float
    since_ms: int


class TimeAxis:
    """The axis for some times, the first at 0 and the last at 100 percent."""

    def __init__(self, times_ms: Iterable[int]) -> None:
        stops = sorted(set(times_ms))
        lengths = [end - start for start, end in pairwise(stops)]
        broken = _broken(lengths)
        whole_ms = sum(length for place, length in enumerate(lengths) if place not in broken)
        room = 100 - _BROKEN_WIDTH * len(broken)
        self.stretches: list[Stretch] = []
        left = 0.0
        for place, (start, end) in enumerate(pairwise(stops)):
            width = _BROKEN_WIDTH if place in broken else room * (end - start) / whole_ms
            self.stretches.append(Stretch(start, end, left, width, place in broken))
            left += width
        self._starts = [stretch.start_ms for stretch in self.stretches]

    @property
    def breaks(self) -> list[Stretch]:
        """The stretches that are drawn short."""
        return [stretch for stretch in self.stretches if stretch.is_broken]

    def at(self, time_ms: int) -> float:
        """The place of a time in percent; what is outside is at the end that is nearer."""
        if not self.stretches:
            return 0.0
        stretch = self.stretches[max(bisect_right(self._starts, time_ms) - 1, 0)]
        share = (min(max(time_ms, stretch.start_ms), stretch.end_ms) - stretch.start_ms) / stretch.length_ms
        return round(stretch.left + share * stretch.width, 2)

    def ticks(self, apart: float) -> list[Tick]:
        """Round times since the beginning, at least so many percent apart, where the axis is not broken."""
        whole = [stretch for stretch in self.stretches if not stretch.is_broken]
        if not whole:
            return []
        ms_per_percent = sum(stretch.length_ms for stretch in whole) / sum(stretch.width for stretch in whole)
        least_ms = apart * ms_per_percent
        step_ms = next((step for step in _STEPS_MS if step >= least_ms), -(-round(least_ms) // _DAY) * _DAY)
        start_ms = self.stretches[0].start_ms
        ticks: list[Tick] = []
        for stretch in whole:
            first = -(-(stretch.start_ms - start_ms) // step_ms) * step_ms
            for since_ms in range(first, stretch.end_ms - start_ms + 1, step_ms):
                place = self.at(start_ms + since_ms)
                if not ticks or place - ticks[-1].place >= apart:
                    ticks.append(Tick(place, since_ms))
        return ticks


def _broken(lengths: Sequence[int]) -> set[int]:
    """Which stretches to break: as many of the longest as are each much longer than all that remains."""
    longest = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    for count in range(min(len(_MUCH), len(lengths) - 1), 0, -1):
        remaining_ms = sum(lengths[place] for place in longest[count:])
        if lengths[longest[count - 1]] > _MUCH[count - 1] * remaining_ms:
            return set(longest[:count])
    return set()


def groups(places: Iterable[float], apart: float) -> list[list[int]]:
    """Numbers of places that would lie on top of each other, together: the middles of groups are so far apart."""
    found: list[tuple[float, list[int]]] = []
    for number, place in sorted(enumerate(places), key=lambda each: each[1]):
        group = (place, [number])
        while found and group[0] - found[-1][0] < apart:
            middle, numbers = found.pop()
            both = numbers + group[1]
            group = ((middle * len(numbers) + group[0] * len(group[1])) / len(both), both)
        found.append(group)
    return [numbers for _, numbers in found]
