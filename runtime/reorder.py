"""Events that may come out of order wait for their turn, as long as `time.allowed_lateness` says.

What is released is in the order of time, so a stream that is shuffled within the allowed lateness gives what the
sorted one gives. The watermark is the highest time seen less the lateness; an event behind it is late and goes through
at once, for the engine to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple

from runtime.event import BAD_LINE, Refused
from runtime.row import Line, raw_line

Refuse = Callable[[Refused], None]


NEVER_SEEN_MS = -(1 << 70)
"""The watermark before the first event: no event has such a time."""


class Taken(NamedTuple):
    """A line with its number in its source, who takes it if it is refused, and the latest time that it may have.

    A later one counts as `wall_ms`, the wall clock of when it came.
    """

    number: int
    line: Line
    refuse: Refuse
    latest_ms: int
    wall_ms: int


class Reorder:
    """The waiting events of one partition. `time_ms_of` tells the time of a line, None for one that has none."""

    def __init__(self, lateness_ms: int, most_waiting: int, time_ms_of: Callable[[Line], int | None]) -> None:
        self.floor_ms = NEVER_SEEN_MS
        """The clock of the line that was handed out last: its own time, or the watermark that it is behind."""
        self.watermark_ms = NEVER_SEEN_MS
        self.highest_ms = NEVER_SEEN_MS
        """The highest time seen, here or elsewhere."""
        self._lateness_ms = lateness_ms
        self._most_waiting = most_waiting
        self._time_ms_of = time_ms_of
        self._serial = count()
        self._waiting: list[tuple[int, int, Taken]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, lines: Iterable[Taken]) -> Iterator[Taken]:
        """The lines whose turn it is now that these have come."""
        for taken in lines:
            try:
                time_ms = self._time_ms_of(taken.line)
            except BAD_LINE:
                time_ms = None
            if time_ms is None:
                # It has no time, so it comes when all up to the watermark has.
                self.floor_ms = max(self.floor_ms, self.watermark_ms)
                yield taken
                continue
            if time_ms > taken.latest_ms:
                time_ms = taken.wall_ms
            if time_ms < self.watermark_ms:
                self.floor_ms = self.watermark_ms
                yield taken
                continue
            heappush(self._waiting, (time_ms, next(self._serial), taken))
            self.highest_ms = max(self.highest_ms, time_ms)
            self.watermark_ms = max(self.watermark_ms, time_ms - self._lateness_ms)
            while self._waiting and (
                self._waiting[0][0] <= self.watermark_ms or len(self._waiting) > self._most_waiting
            ):
                yield self._release()

    def hear(self, highest_ms: int) -> Iterator[Taken]:
        """The lines whose turn it is now that lines up to this time have come elsewhere."""
        self.highest_ms = max(self.highest_ms, highest_ms)
        self.watermark_ms = max(self.watermark_ms, highest_ms - self._lateness_ms)
        while self._waiting and self._waiting[0][0] <= self.watermark_ms:
            yield self._release()

    def flush(self) -> Iterator[Taken]:
        """All that still wait, in order."""
        while self._waiting:
            yield self._release()
        # Also where the highest time was that of a line elsewhere, which has its turn now, too.
        self.watermark_ms = max(self.watermark_ms, self.highest_ms)

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps: those that wait, in order, without those who would take them if refused."""
        lines = [
            [time_ms, taken.number, raw_line(taken.line), taken.latest_ms, taken.wall_ms]
            for time_ms, _, taken in sorted(self._waiting, key=itemgetter(0, 1))
        ]
        return {
            "floor_ms": self.floor_ms,
            "watermark_ms": self.watermark_ms,
            "highest_ms": self.highest_ms,
            "waiting": lines,
        }

    def go_on_from(self, state: Mapping[str, Any], refuse: Refuse) -> None:
        """Takes what `state` gave; `refuse` takes those that are refused."""
        self.floor_ms, self.watermark_ms = state["floor_ms"], state["watermark_ms"]
        self.highest_ms = state.get("highest_ms", NEVER_SEEN_MS)  # snapshots of before have none
        for time_ms, number, line, latest_ms, wall_ms in state["waiting"]:
            heappush(self._waiting, (time_ms, next(self._serial), Taken(number, line, refuse, latest_ms, wall_ms)))

    def lines(self) -> list[Taken]:
        """All that wait, in order; they wait on."""
        return [taken for _, _, taken in sorted(self._waiting, key=itemgetter(0, 1))]

    def go_on_as(self, other: Reorder) -> None:
        """Has the lines waiting that wait in another, with those who take them if they are refused."""
        self.floor_ms, self.watermark_ms, self.highest_ms = other.floor_ms, other.watermark_ms, other.highest_ms
        self._waiting = list(other._waiting)
        self._serial = count(len(self._waiting) and max(serial for _, serial, _ in self._waiting) + 1)

    def _release(self) -> Taken:
        time_ms, _, taken = heappop(self._waiting)
        self.floor_ms = time_ms
        # Let go before its time when too many wait: nothing may come in behind it any more.
        self.watermark_ms = max(self.watermark_ms, time_ms)
        return taken
