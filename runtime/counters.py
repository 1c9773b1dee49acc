"""What happened, counted (engine.md §10 in the design): by tenant and profile, for reports and metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import add
from typing import Any

SHORT_MS = 30 * 60 * 1000
"""Up to this duration a session of several events counts as short, as in the reference."""

# Dead letters of what is no event of a declared type.
_INVALID = ("bad_json", "bad_type", "too_long")
# Reasons of ends since nothing came.
_QUIET = ("gap", "idle_partition")
_PLACES = 64


def by_outcome(outcomes: Mapping[str, int], refused: Mapping[str, int]) -> Counter[str]:
    """Each event once, by what became of it: its outcome, or the code of its dead letter.

    What could not be read as an event is `invalid`.
    """
    found = Counter(outcomes)
    for code, count in refused.items():
        found["invalid" if code in _INVALID else code] += count
    return found


@dataclass(slots=True)
class SessionCounters:
    """Sessions of one profile, or sub-sessions of one kind. Durations in ms."""

    created: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """Ended sessions by reason."""
    events: int = 0
    """Events of ended sessions."""
    short: int = 0
    total_duration_ms: int = 0
    max_duration_ms: int = 0
    max_events: int = 0
    long: int = 0
    """Cut by max_active while their events went on within the gap, which is what the reference counts as long."""
    total_lag_ms: int = 0
    """From the first event's own time to its arrival, over all that began; 0 for one ahead of the clock."""
    max_lag_ms: int = 0
    total_expiry_delay_ms: int = 0
    """From the expiry to the end, over all that ended since nothing came; attempts that were refused lie in between."""
    max_expiry_delay_ms: int = 0
    max_interval_ms: int = 0
    """The longest pause between two events of one session, by arrival; the ender's, since its latest newer batch."""
    durations: list[int] = field(default_factory=lambda: [0] * _PLACES)
    """Ended sessions by the bits of their duration in seconds: place 0 is under 1 s, n under 2^n s."""
    lengths: list[int] = field(default_factory=lambda: [0] * _PLACES)
    """Ended sessions by the bits of their number of events: place n is 2^(n-1) to 2^n - 1."""
    lags: list[int] = field(default_factory=lambda: [0] * _PLACES)
    """Sessions that began, by the bits of their lag in seconds, as `durations`; the last place is for all above."""

    @property
    def single_event(self) -> int:
        """Ended sessions of one event: the place of 1 in `lengths` is for 1 only."""
        return self.lengths[1]

    @property
    def active(self) -> int:
        """Begun and not ended."""
        return self.created - self.ended.total()

    def count_begin(self, lag_ms: int) -> None:
        """Counts a session that begins, with what lies between its first event's own time and its arrival."""
        self.created += 1
        if lag_ms > 0:
            self.count_lag(lag_ms)
        else:
            self.lags[0] += 1

    def count_lag(self, lag_ms: int) -> None:
        """Counts what lies between a first event's own time and its later arrival."""
        self.total_lag_ms += lag_ms
        if lag_ms > self.max_lag_ms:
            self.max_lag_ms = lag_ms
        # An event may claim any time.
        self.lags[min((lag_ms // 1000).bit_length(), _PLACES - 1)] += 1

    def count_begins(self, number: int, lagged: int) -> None:
        """Counts sessions that begin; the lag of so many has been counted, the others have none."""
        self.created += number
        self.lags[0] += number - lagged

    def count_end(self, reason: str, duration_ms: int, events: int, expiry_delay_ms: int = 0) -> None:
        """Counts a session that has ended; `expiry_delay_ms` counts where it ended since nothing came."""
        self.ended[reason] += 1
        self.events += events
        self.total_duration_ms += duration_ms
        if events > 1 and duration_ms <= SHORT_MS:
            self.short += 1
        if duration_ms > self.max_duration_ms:
            self.max_duration_ms = duration_ms
        if events > self.max_events:
            self.max_events = events
        if expiry_delay_ms > 0 and reason in _QUIET:
            self.total_expiry_delay_ms += expiry_delay_ms
            if expiry_delay_ms > self.max_expiry_delay_ms:
                self.max_expiry_delay_ms = expiry_delay_ms
        self.durations[(duration_ms // 1000).bit_length()] += 1
        self.lengths[events.bit_length()] += 1

    def count_quiet_ends(self, ends: Sequence[tuple[int, int, int]]) -> None:
        """As `count_end` does for each, of sessions that ended by their gap: durations, events and expiry delays."""
        durations, events, delays = zip(*ends, strict=True)
        self.ended["gap"] += len(ends)
        self.events += sum(events)
        self.total_duration_ms += sum(durations)
        self.short += sum(1 for duration_ms, count, _ in ends if count > 1 and duration_ms <= SHORT_MS)
        self.max_duration_ms = max(self.max_duration_ms, *durations)
        self.max_events = max(self.max_events, *events)
        self.total_expiry_delay_ms += sum(delays)
        self.max_expiry_delay_ms = max(self.max_expiry_delay_ms, *delays)
        for duration_ms in durations:
            self.durations[(duration_ms // 1000).bit_length()] += 1
        for place, number in Counter(map(int.bit_length, events)).items():
            self.lengths[place] += number


@dataclass(slots=True)
class EngineCounters:
    """Events of one tenant, and what rules reported."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Events that were not refused, by outcome: ok, bypassed, passive, unknown_type, late (dropped)."""
    markers: int = 0
    rule_errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and kind of error."""
    debug: Counter[str] = field(default_factory=Counter)
    """The counters of @DebugSession."""
    ignored_durations: int = 0
    """Rows of @UpdateDuration above the maximum."""
    behind_clock: int = 0
    """Events, by profile, whose own time is before the clock, where the clock is event time."""
    refused: Counter[str] = field(default_factory=Counter)
    """Events that became dead letters, by code."""
    late: Counter[str] = field(default_factory=Counter)
    """Events, by profile, behind the watermark and outside their session, by what became of them."""
    future: int = 0
    """Events whose time was set to the wall clock, being too far ahead of it."""
    ends_refused: int = 0
    """Times that an end marker was not taken and has to be sent again."""
    revived: int = 0
    """Sessions and sub-sessions that an event brought back while their end marker waited to be taken."""
    clock_steps_back: int = 0
    """Batches whose clock was behind the one before."""

    @property
    def events(self) -> Counter[str]:
        """All events by what became of them, each once: ok, bypassed, passive, late, invalid, throttled and more."""
        return by_outcome(self.outcomes, self.refused)


def add_counters(counters: SessionCounters | EngineCounters, more: SessionCounters | EngineCounters) -> None:
    """Adds what another engine has counted of other events; of what is the longest or the most, the larger stays."""
    for each in fields(counters):
        ours, theirs = getattr(counters, each.name), getattr(more, each.name)
        if isinstance(ours, Counter):
            ours.update(theirs)
        elif isinstance(ours, list):
            ours[:] = map(add, ours, theirs)
        else:
            setattr(counters, each.name, max(ours, theirs) if each.name.startswith("max_") else ours + theirs)


def counters_state(counters: SessionCounters | EngineCounters) -> dict[str, Any]:
    """Counters as plain values, to go on from."""
    state = {each.name: getattr(counters, each.name) for each in fields(counters)}
    return {name: list(value.items()) if isinstance(value, Counter) else value for name, value in state.items()}


def go_on_from(counters: SessionCounters | EngineCounters, state: Mapping[str, Any]) -> None:
    """Sets counters to what they were; those that there were not yet stay as they are."""
    for each in fields(counters):
        value = state.get(each.name)
        if value is None:
            continue
        if isinstance(getattr(counters, each.name), Counter):
            value = Counter({tuple(key) if isinstance(key, list) else key: count for key, count in value})
        setattr(counters, each.name, value)
