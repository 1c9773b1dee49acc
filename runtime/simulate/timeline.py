"""Visits, one after the other, become one stream in order of time.

Visits begin in order, but run into each other. Events wait until no visit can begin before them; memory is therefore
bounded by the visits that are under way, not by the length of the stream.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from math import cos, tau
from operator import itemgetter
from random import Random

from runtime.simulate.people import Population
from runtime.simulate.scenario import Event, Scenario

_HOUR_MS = 3_600_000
_BUSIEST_HOUR = 15  # UTC
_DAY_SWING = 0.6  # the night has a quarter of the afternoon's visits
_PACE_LIMIT = 4.0
_SORT_EVERY = 8_192


def arrivals(
    scenario: Scenario, *, events: int, users: int, seed: int, start_ms: int, hours: float
) -> Iterator[tuple[int, list[Event]]]:
    """Visits in order of their start (epoch ms), with `events` events in all, the last visit being cut short.

    They begin over about `hours` hours: the pace follows what is left of both, within limits, so that one giant visit
    neither ends the day early nor leaves a hole in it.
    """
    rng = Random(seed)
    population = Population(users, seed)
    time_field = scenario.time_field
    end_ms = start_ms + hours * _HOUR_MS
    usual_gap_ms = hours * _HOUR_MS * scenario.mean_events / events
    now = float(start_ms)
    left = events
    while left:
        now_ms = int(now)
        person = population.draw(rng, now_ms)
        visit = scenario.visit(rng, person, now_ms)
        del visit[left:]
        population.occupy(person, visit[-1][time_field])
        yield now_ms, visit
        left -= len(visit)
        gap_ms = (end_ms - now) * scenario.mean_events / max(left, 1)
        gap_ms = min(max(gap_ms, usual_gap_ms / _PACE_LIMIT), usual_gap_ms * _PACE_LIMIT)
        now += rng.expovariate(1 / gap_ms) / _daylight(now)


def in_order(visits: Iterable[tuple[int, list[Event]]], time_field: str) -> Iterator[Event]:
    """The events of visits that are sorted by their start, in order of time; events of one time keep their order."""
    time_of = itemgetter(time_field)
    waiting: list[Event] = []
    sort_at = _SORT_EVERY
    for start_ms, visit in visits:
        if len(waiting) >= sort_at:
            waiting.sort(key=time_of)
            ready = bisect_left(waiting, start_ms, key=time_of)
            yield from waiting[:ready]
            del waiting[:ready]
            # Twice what could not go yet, so that long visits do not make it sort the same events again and again.
            sort_at = max(_SORT_EVERY, 2 * len(waiting))
        waiting += visit
    waiting.sort(key=time_of)
    yield from waiting


def _daylight(now_ms: float) -> float:
    """How busy the hour is, 1 on average."""
    hour = now_ms / _HOUR_MS % 24
    return 1 + _DAY_SWING * cos((hour - _BUSIEST_HOUR) / 24 * tau)
