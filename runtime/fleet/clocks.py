"""How far the events of a tenant have come, whichever workers they went to, and what each worker knows of it.

Where events make the clock, an engine goes by the highest time of all of them (engine.md §6 in the design). A worker
sees its own. An event that is in order brings its time with it, so its worker ends by it what the events of others
would have ended before. One that is behind, or has no time, is judged by the clock of all: before it goes a mark that
says how far they had come, where its worker cannot know that. After its lines, and each second, it is told as well.

Nothing is decided before a slice is given: what `judge` finds counts from `keep` on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from runtime.config import TimeConfig
from runtime.service.records import Heard, Mark

ELSEWHEN = -(1 << 70)
"""In the place of a time: of a line that neither moves a clock nor is judged by it."""
_SECOND_MS = 1000


class _Come(NamedTuple):
    """The highest time of the events of a partition, None before the first, and when the latest came by the wall."""

    highest_ms: int | None
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What is heard with a slice by each worker that has lines of it, by the place among these."""

    partition: int
    come: _Come
    marks: dict[int, list[Mark]]
    wall_ms: int

    def heard(self, worker: int, begin: int, lines: int, is_last: bool) -> Heard:
        """Of so many lines of a worker from one on: those that it gets as one part."""
        end = begin + lines + is_last
        marks = [mark for mark in self.marks.get(worker, ()) if begin <= mark.place < end]
        return Heard(self.wall_ms, [replace(mark, place=mark.place - begin) for mark in marks])


class Clocks:
    """The clocks of one tenant by partition, and what so many workers know of them."""

    def __init__(self) -> None:
        self._come: dict[int, _Come] = {}
        self._known: dict[tuple[int, int], _Come] = {}
        """By worker and partition, once it has had all that was given to it."""

    def learn(self, come: Mapping[int, tuple[int | None, int]]) -> None:
        """Takes what somebody knows of partitions, by their numbers."""
        for partition, told in come.items():
            self._come[partition] = _later(self._come.get(partition), _Come(*told))

    def learn_again(self, heard: Iterable[Heard | None]) -> None:
        """Takes what was told with parts that a process before had given."""
        for each in heard:
            for mark in () if each is None else each.marks:
                self.learn({mark.partition: (mark.highest_ms, mark.heard_ms)})

    def trust_nobody(self) -> None:
        """Workers go by other rules, which may have forgotten what they were told: they are told again."""
        self._known.clear()

    def judge(
        self, time: TimeConfig, partition: int, times: Sequence[int | None], owners: Sequence[int], wall_ms: int
    ) -> Judged:
        """What the owners of lines have to hear, by the times that stage 1 gives these; None for one without a time."""
        before = self._come.get(partition, _Come(None, wall_ms))
        marks = {worker: self._elsewhere(worker, partition) for worker in dict.fromkeys(owners)}
        known = {worker: self._highest_known(worker, partition) for worker in marks}
        counts = dict.fromkeys(marks, 0)
        highest_ms, lateness_ms, latest_ms = before.highest_ms, time.allowed_lateness_ms, wall_ms + time.future_ms
        for time_ms, worker in zip(times, owners, strict=True):
            place = counts[worker]
            counts[worker] = place + 1
            if time_ms == ELSEWHEN:
                continue
            if time_ms is not None and time_ms > latest_ms:
                # An engine asks whether an event is too far ahead when it would move the clock, or wait for its turn.
                moves = lateness_ms or highest_ms is None or time_ms > highest_ms
                time_ms = wall_ms if moves else None
            if time_ms is not None and (highest_ms is None or time_ms >= highest_ms - lateness_ms):
                highest_ms = time_ms if highest_ms is None else max(highest_ms, time_ms)
                knows_ms = known[worker]
                known[worker] = time_ms if knows_ms is None else max(knows_ms, time_ms)
                continue
            if known[worker] != highest_ms:
                marks[worker].append(Mark(place, partition, highest_ms, wall_ms))
                known[worker] = highest_ms
        come = _Come(highest_ms, max(before.heard_ms, wall_ms))
        for worker, count in counts.items():
            marks[worker].append(Mark(count, partition, *come))
        return Judged(partition, come, marks, wall_ms)

    def _elsewhere(self, worker: int, partition: int) -> list[Mark]:
        """What a worker does not know of other partitions: sessions of its keys may have begun there."""
        return [
            Mark(0, number, *come)
            for number, come in self._come.items()
            if number != partition and self._highest_known(worker, number) != come.highest_ms
        ]

    def _highest_known(self, worker: int, partition: int) -> int | None:
        known = self._known.get((worker, partition))
        return None if known is None else known.highest_ms

    def keep(self, judged: Judged) -> None:
        """A slice was given."""
        self._come[judged.partition] = judged.come
        for worker, marks in judged.marks.items():
            self._note(worker, marks)

    def untold(self, workers: Collection[int], partition: int, lateness_ms: int) -> dict[int, Heard]:
        """What is to be told at once: that the clock of a partition is in another second, in which sessions may end.

        From here on it is known to these workers.
        """
        come = self._come.get(partition)
        if come is None:
            return {}
        second = _second(come, lateness_ms)
        found = [each for each in workers if _second(self._known.get((each, partition)), lateness_ms) != second]
        return {worker: self._told(worker, [partition]) for worker in found}

    def all_untold(self, workers: Collection[int]) -> dict[int, Heard]:
        """What workers do not know yet of any partition, and know from here on."""
        found = {
            worker: [number for number, come in self._come.items() if self._known.get((worker, number)) != come]
            for worker in workers
        }
        return {worker: self._told(worker, numbers) for worker, numbers in found.items() if numbers}

    def _told(self, worker: int, partitions: Iterable[int]) -> Heard:
        marks = [Mark(0, number, *self._come[number]) for number in partitions]
        self._note(worker, marks)
        return Heard(max(mark.heard_ms for mark in marks), marks)

    def _note(self, worker: int, marks: Iterable[Mark]) -> None:
        for mark in marks:
            self._known[worker, mark.partition] = _Come(mark.highest_ms, mark.heard_ms)


def _later(one: _Come | None, other: _Come) -> _Come:
    """What both know together."""
    if one is None:
        return other
    times = [each.highest_ms for each in (one, other) if each.highest_ms is not None]
    return _Come(max(times, default=None), max(one.heard_ms, other.heard_ms))


def _second(come: _Come | None, lateness_ms: int) -> int | None:
    return None if come is None or come.highest_ms is None else (come.highest_ms - lateness_ms) // _SECOND_MS
