"""The clocks of an engine: partitions, ticks, and who ends when time goes on (engine.md §6 in the design)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from runtime.cache import NEVER_MS, NOWHERE_MS, SLOT_MS, Cache, TimeWheel
from runtime.config import TenantConfig, TimeDomain, TimePolicy
from runtime.counters import EngineCounters
from runtime.ender import EnderProfile, SecondHand
from runtime.kinds import Surroundings
from runtime.profile import Profile
from runtime.reorder import NEVER_SEEN_MS, Refuse, Reorder, Taken
from runtime.row import Line
from runtime.session import MainSession

_MOST_ATTEMPTS = 1000


class Clock(Enum):
    """Where `now` comes from."""

    DRIVER = "driver"  # `process` is told
    EVENT_TIME = "event time"  # the highest event time so far
    FIELD = "field"  # the highest value so far of a field of the events


@dataclass(slots=True)
class Partition:
    """A part of the stream with a clock of its own; sessions belong to the one that they began in."""

    wheel: TimeWheel
    reorder: Reorder | None
    now_ms: int = 0
    is_fresh: bool = True
    """Its clock has not been set: any time is later."""
    heard_ms: int = 0
    """When its latest event came, by the wall clock."""
    last: tuple[int, int] = (0, 0)
    """The clock of its latest event of a session, and how many came at that very millisecond."""


class Timeline(ABC):
    """What an engine knows of time. Whoever drives it says what time it is."""

    profiles: Sequence[Profile]

    def __init__(self, config: TenantConfig, clock: Clock) -> None:
        self.counters = EngineCounters()
        self.cache = Cache(config.cache, len(config.profiles))
        self.cache.make_room = self._make_room_for
        self.cache.evict = self._evict
        self.enabled = True
        """For the ender's policy: ticks end nothing while this is False."""
        self._config = config
        self._clock = clock
        self._judges_late = clock is Clock.EVENT_TIME and config.time.domain is TimeDomain.EVENT
        self._judges = config.time.policy is not TimePolicy.GAP
        self._partitions: dict[int, Partition] = {}
        self._no_room_ms = NOWHERE_MS
        """When nobody took the end of any session that was to make room."""
        self._around: Surroundings
        self._at_work = self._made(0)

    @abstractmethod
    def event_time_ms(self, line: Line) -> int | None:
        """The time of an event, None when it has none."""

    @abstractmethod
    def _process_in_order(self, at_work: Partition, reorder: Reorder, turns: Iterable[Taken]) -> None:
        """Takes the events whose turn it is."""

    def _partition(self, number: int) -> Partition:
        """The partition of a number, made when it is heard of first; from here on it is the one at work."""
        self._at_work = self._partitions.get(number) or self._made(number)
        self._around.wheel = self._at_work.wheel
        return self._at_work

    def _made(self, number: int) -> Partition:
        time = self._config.time
        reorder = None
        if self._judges_late and time.allowed_lateness_ms:
            reorder = Reorder(time.allowed_lateness_ms, time.most_waiting, self.event_time_ms)
        wheel = self.cache.add_wheel(self._new_wheel)
        made = self._partitions[number] = Partition(wheel, reorder)
        return made

    def _new_wheel(self, cache: Cache, number: int) -> TimeWheel:
        if self._judges:
            return SecondHand(cache, number, ticks=self._clock is not Clock.DRIVER)
        return TimeWheel(cache, number)

    @property
    def now_ms(self) -> int:
        """The clock of the partition at work."""
        return self._at_work.now_ms

    def now_of(self, session: MainSession) -> int:
        """The clock of the partition that a live session began in."""
        number = self.cache.wheel_of(session)
        return next(each.now_ms for each in self._partitions.values() if each.wheel.number == number)

    @property
    def last(self) -> tuple[int, int]:
        """The clock of the latest event of a session in the partition at work, and its turn in that ms."""
        return self._at_work.last

    @property
    def has_begun(self) -> bool:
        """True when the clock of the partition at work has been set."""
        return not self._at_work.is_fresh

    @property
    def live_sessions(self) -> int:
        """Sessions that have begun and not ended, over all profiles."""
        return sum(profile.counters.active for profile in self.profiles)

    @property
    def is_at_rest(self) -> bool:
        """True when time changes nothing: no session is live, and no event waits for its turn."""
        return not self.live_sessions and not any(each.reorder for each in self._partitions.values())

    # ---- time goes on

    def advance(self, now_ms: int) -> None:
        """Moves time on to `now_ms`: every whole second up to it at which something is due is a tick, in order.

        Under the ender's policy, with `Clock.DRIVER`, this is one tick, at `now_ms` itself.
        """
        if self._judges and self._clock is Clock.DRIVER:
            self._at_work.now_ms = max(self._at_work.now_ms, now_ms)
            self._judge(now_ms)
        else:
            self._tick(self._at_work, now_ms)

    def _tick(self, at_work: Partition, now_ms: int, judged: str = "gap") -> None:
        if self._judges:
            self._judge_until(at_work, now_ms)
            return
        wheel = at_work.wheel
        if wheel.next_tick_ms <= now_ms and judged == "gap" and len(self.profiles) == 1:
            (profile,) = self.profiles
            if profile.ends_plainly:
                profile.end_due(wheel, now_ms)
        while wheel.next_tick_ms <= now_ms:
            tick_ms = wheel.next_tick_ms
            for session in wheel.take(tick_ms):
                self.profiles[session.number].on_tick(session, tick_ms, wheel, judged)
            self.cache.settle()
        if judged == "gap" and (now_ms > at_work.now_ms or at_work.is_fresh):
            at_work.now_ms, at_work.is_fresh = now_ms, False

    def close_idle(self, wall_ms: int) -> None:
        """Judges the sessions of partitions that have been quiet for `time.idle_close` by the wall clock.

        Their own clocks stay where they are: when events come again, they come at their own time.
        """
        for number, partition in list(self._partitions.items()):
            if self._judges_late and wall_ms - partition.heard_ms >= self._config.time.idle_close_ms:
                self._partition(number)
                self._flush(partition)
                self._tick(partition, wall_ms, "idle_partition")

    # ---- events that go to other engines

    def hear(self, partition: int, highest_ms: int | None, heard_ms: int) -> None:
        """The events of a partition have come to this time elsewhere, the latest at `heard_ms` by the wall clock.

        Its clock is what it would be if they had come here, and what is due by that ends. None: they have no time yet.
        """
        at_work = self._partition(partition)
        at_work.heard_ms = max(at_work.heard_ms, heard_ms)
        if highest_ms is None:
            return
        if at_work.reorder is not None:
            self._process_in_order(at_work, at_work.reorder, at_work.reorder.hear(highest_ms))
            highest_ms = at_work.reorder.watermark_ms
        if highest_ms > at_work.now_ms or at_work.is_fresh:
            self._tick(at_work, highest_ms)

    def come_to(self) -> dict[int, tuple[int | None, int]]:
        """By partition what `hear` would tell another engine; of nothing where events do not make the clock."""
        found: dict[int, tuple[int | None, int]] = {}
        for number, each in self._partitions.items() if self._judges_late else ():
            times = [] if each.is_fresh else [each.now_ms]
            if each.reorder is not None and each.reorder.highest_ms > NEVER_SEEN_MS:
                times.append(each.reorder.highest_ms)
            if times or each.heard_ms:
                found[number] = max(times, default=None), each.heard_ms
        return found

    def drain(self) -> None:
        """Lets time run on until every session has ended, or nobody takes the ends of those that are left."""
        for number, partition in list(self._partitions.items()):
            self._partition(number)
            self._flush(partition)
            stuck = 0
            while stuck < _MOST_ATTEMPTS and (tick_ms := self._drained_ms(partition)) < NEVER_MS:
                refused, live = self.counters.ends_refused, self.live_sessions
                self.advance(tick_ms)
                is_stuck = self.counters.ends_refused > refused and self.live_sessions == live
                stuck = stuck + 1 if is_stuck else 0

    def _drained_ms(self, partition: Partition) -> int:
        """By when what lives now has ended, if nothing keeps it; under the ender's policy when the first may."""
        if not self._judges:
            return partition.wheel.last_tick_ms
        if not (self.enabled and self.live_sessions):
            return NEVER_MS
        return max(_next_second(self._next_judged_ms(partition.now_ms)), _next_second(partition.now_ms + 1))

    def _flush(self, partition: Partition) -> None:
        if partition.reorder is not None:
            self._process_in_order(partition, partition.reorder, partition.reorder.flush())
            if partition.reorder.watermark_ms > NEVER_SEEN_MS:
                self._tick(partition, partition.reorder.watermark_ms)

    # ---- snapshots

    def clocks_state(self) -> dict[str, Any]:
        """The clocks, in the order in which their partitions were heard of: that of their wheels."""
        partitions = [
            {
                "number": number,
                "now_ms": each.now_ms,
                "is_fresh": each.is_fresh,
                "heard_ms": each.heard_ms,
                "last": each.last,
                "next_tick_ms": each.wheel.next_tick_ms,
                "reorder": None if each.reorder is None else each.reorder.state(),
            }
            for number, each in self._partitions.items()
        ]
        at_work = next(number for number, each in self._partitions.items() if each is self._at_work)
        return {
            "enabled": self.enabled,
            "no_room_ms": self._no_room_ms,
            "at_work": at_work,
            "partitions": partitions,
        }

    def clocks_go_on_from(self, state: Mapping[str, Any], refuse: Refuse) -> list[tuple[int, list[Taken]]]:
        """Takes what `clocks_state` gave; the events that wait in partitions which make nothing wait any more."""
        left = []
        self.enabled, self._no_room_ms = state["enabled"], state["no_room_ms"]
        for each in state["partitions"]:
            partition = self._partitions.get(each["number"]) or self._made(each["number"])
            partition.now_ms, partition.is_fresh = each["now_ms"], each["is_fresh"]
            partition.heard_ms, partition.last = each["heard_ms"], tuple(each["last"])
            if self._judges:
                partition.wheel.next_tick_ms = each["next_tick_ms"]
            if each["reorder"] is None:
                continue
            if partition.reorder is not None:
                partition.reorder.go_on_from(each["reorder"], refuse)
            elif waiting := each["reorder"]["waiting"]:
                events = [Taken(number, line, refuse, latest, wall) for _, number, line, latest, wall in waiting]
                left.append((each["number"], events))
        self._partition(state["at_work"])
        return left

    def clocks_go_on_as(self, other: Timeline) -> list[tuple[int, list[Taken]]]:
        """Takes the clocks of another engine, and what waits there; the events that need not wait here."""
        self.clocks_go_on_from(other.clocks_state(), lambda refused: None)
        left = []
        for number, theirs in other._partitions.items():
            ours = self._partitions[number].reorder
            if theirs.reorder is not None and ours is not None:
                ours.go_on_as(theirs.reorder)
            elif theirs.reorder is not None:
                left.append((number, theirs.reorder.lines()))
        return left

    # ---- room

    def _make_room(self, now_ms: int) -> None:
        """Ends the session due first while there are as many as there may be; the next where nobody takes an end."""
        passed_over: set[int] = set()
        while self.live_sessions >= self._config.limits.sessions:
            if not self._end_first(now_ms, passed_over):
                return

    def _make_room_for(self, session: MainSession) -> bool:
        """Ends the session due first, for another; False when no end is taken.

        After that a second passes before all are asked again: there may be millions of them, and events go on.
        """
        now_ms, refused = self._at_work.now_ms, self.counters.ends_refused
        if 0 <= now_ms - self._no_room_ms < SLOT_MS:
            return False
        if self._end_first(now_ms, {id(session)}):
            return True
        if self.counters.ends_refused > refused:
            self._no_room_ms = now_ms
        return False

    def _evict(self, session: MainSession) -> None:
        """Ends a session for which there can be no room."""
        wheel = self._at_work.wheel
        self.profiles[session.number].end_or_try_again(session, "evicted", self._at_work.now_ms, wheel)

    def _end_first(self, now_ms: int, passed_over: set[int]) -> bool:
        """Ends the session that is due first and whose end is taken; those where it is not are passed over."""
        while True:
            found = [(wheel.first(self._due_ms, passed_over), wheel) for wheel in self.cache.wheels]
            victims = [(session.due_ms, place) for place, (session, _) in enumerate(found) if session is not None]
            if not victims:
                return False
            session, wheel = found[min(victims)[1]]
            assert session is not None
            if self.profiles[session.number].end_or_try_again(session, "evicted", now_ms, wheel):
                return True
            passed_over.add(id(session))

    def _due_ms(self, session: MainSession) -> int:
        return self.profiles[session.number].due_ms(session)

    # ---- the ender's policy

    def _enders(self) -> list[EnderProfile]:
        return [profile for profile in self.profiles if isinstance(profile, EnderProfile)]

    def _judge(self, now_ms: int) -> None:
        """A tick under the ender's policy."""
        for profile in self._enders() if self.enabled else ():
            profile.judge(now_ms)

    def _next_judged_ms(self, now_ms: int) -> int:
        return min((each.next_judged_ms(now_ms) for each in self._enders()), default=NEVER_MS)

    def _judge_until(self, at_work: Partition, now_ms: int) -> None:
        """The whole seconds up to `now_ms` at which something may be due, in order."""
        wheel = at_work.wheel
        while wheel.next_tick_ms < NEVER_MS:
            # Nothing but time changes on the way, so the seconds in between would end nothing.
            tick_ms = max(_next_second(self._next_judged_ms(wheel.next_tick_ms)), wheel.next_tick_ms)
            if tick_ms > now_ms:
                wheel.next_tick_ms = _next_second(now_ms + 1)
                break
            self._judge(tick_ms)
            wheel.next_tick_ms = tick_ms + SLOT_MS
        at_work.now_ms = max(at_work.now_ms, now_ms)

    def assign(self, partitions: Iterable[int]) -> None:
        """Under the ender's policy: sessions of other partitions than these are dropped, for their new owner to end."""
        for profile in self._enders():
            profile.assign(frozenset(partitions))


def _next_second(time_ms: int) -> int:
    """The first whole second that is not before a time."""
    return -(-time_ms // SLOT_MS) * SLOT_MS
