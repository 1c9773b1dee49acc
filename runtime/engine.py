"""The engine of one tenant: events and time in, markers and decorated events out.

A plain object that reads no clock and no socket; whoever drives it says what time it is (architecture.md, decision 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from epl.compiler import Compiled, Handler
from epl.layout import slot_name
from epl.types import LONG, Type
from runtime.cache import NEVER_MS, MemoryTable, TimeWheel
from runtime.config import Late, TimeDomain, UnknownEvents
from runtime.counters import EngineCounters
from runtime.days import DayEnds
from runtime.effects import Effects
from runtime.event import BAD_LINE, EventDecoder, Refused, fits
from runtime.kinds import Surroundings
from runtime.output import Output
from runtime.profile import Profile
from runtime.reorder import Refuse, Reorder, Taken
from runtime.rules import TenantRules


class Clock(Enum):
    """Where `now` comes from."""

    DRIVER = "driver"  # `process` is told
    EVENT_TIME = "event time"  # the highest event time so far
    FIELD = "field"  # the highest value so far of a field of the events


@dataclass(slots=True)
class _Partition:
    """A part of the stream with a clock of its own; sessions belong to the one that they began in."""

    wheel: TimeWheel
    reorder: Reorder | None
    now_ms: int = 0
    heard_ms: int = 0
    """When its latest event came, by the wall clock."""
    last: tuple[int, int] = (0, 0)
    """The clock of its latest event of a session, and how many came at that very millisecond."""


class Engine:
    """Sessionizes the events of one tenant.

    `now_field` names the field that holds the clock, for `Clock.FIELD`; `time_field` the field that holds an event's
    own time where stage 1 gives no `_timestamp_`. Both are long, epoch ms.
    """

    effects_class: type[Effects] = Effects
    profile_class: type[Profile] = Profile

    def __init__(
        self,
        rules: TenantRules,
        output: Output,
        *,
        clock: Clock = Clock.DRIVER,
        now_field: str | None = None,
        time_field: str | None = None,
    ) -> None:
        config = rules.config
        self.rules = rules
        self.counters = EngineCounters()
        self._time = config.time
        self._judges_late = clock is Clock.EVENT_TIME and config.time.domain is TimeDomain.EVENT
        self._partitions: dict[int, _Partition] = {}
        self._clock = clock
        self._now_slot = None if now_field is None else slot_name(now_field)
        self._time_slot = None if time_field is None else slot_name(time_field)
        self._output = output
        self._effects = self.effects_class(self.counters, config.limits.max_idle_ms, len(rules.profiles))
        self._rate = (config.limits.rate, 0, 0)  # the limit, the second at work, and its events so far
        extra = [name for name in (now_field, time_field) if name is not None]
        self._fields = _decoded_fields(rules, extra)
        self.decoder = EventDecoder(self._fields, rules.config.type_field)
        self._decoded = {
            self.decoder.classes[name]: {
                field: (slot_name(field), type_)
                for field, type_ in fields.items()
                if field != rules.config.type_field  # to rules a constant of the class
            }
            for name, fields in self._fields.items()
        }
        self._around = Surroundings(
            tenant=config.tenant,
            effects=self._effects,
            wheel=TimeWheel(),
            output=output,
            overlay=self._overlay,
            counters=self.counters,
            days=DayEnds(config.time.zone),
            max_idle_ms=config.limits.max_idle_ms,
            max_events=config.limits.max_events,
            max_state_bytes=config.limits.max_state_bytes,
            type_field=config.type_field,
            handlers=self._handlers,
            make_room=self._make_room if config.limits.sessions else None,
        )
        self._at_work = self._partition(0)
        self.profiles = [
            self.profile_class(each, number, MemoryTable(), self._around) for number, each in enumerate(rules.profiles)
        ]
        self._numbered = tuple(enumerate(self.profiles))
        self._stage_1 = self._handlers(rules.controller)

    def _handlers(self, compiled: Compiled) -> dict[type[Any], Handler]:
        classes = self.decoder.classes
        return {classes[name]: handler for name, handler in compiled.handlers.items() if name in classes}

    def _overlay(self, event: Any, decorations: Mapping[str, Any]) -> None:
        """Rules read a decoration where it stands in place of a field; one of another type reads as null."""
        fields = self._decoded[type(event)]
        for name in fields.keys() & decorations.keys():
            slot, type_ = fields[name]
            value = decorations[name]
            setattr(event, slot, value if fits(value, type_) else None)

    def _partition(self, number: int) -> _Partition:
        """The partition of a number, made when it is heard of first; from here on it is the one at work."""
        found = self._partitions.get(number)
        if found is None:
            time = self._time
            reorder = None
            if self._judges_late and time.allowed_lateness_ms:
                reorder = Reorder(time.allowed_lateness_ms, time.most_waiting, self.event_time_ms)
            found = self._partitions[number] = _Partition(TimeWheel(), reorder)
        self._at_work = found
        self._around.wheel = found.wheel
        return found

    # ---- events

    def process(
        self,
        lines: Sequence[bytes],
        now_ms: int | None = None,
        *,
        partition: int = 0,
        wall_ms: int | None = None,
        first_line: int = 1,
        refuse: Refuse = lambda refused: None,
    ) -> None:
        """Takes a batch of events as lines of JSON. Lines that are no event go to `refuse`; blank ones are passed over.

        `now_ms` is the clock, for `Clock.DRIVER`; one that steps back is taken to stand still. `wall_ms` is the wall
        clock: an event is not taken to be much later than it. `first_line` numbers the lines for `refuse`.
        """
        at_work = self._partition(partition)
        if wall_ms is not None:
            at_work.heard_ms = wall_ms
        if now_ms is not None:
            if now_ms < at_work.now_ms:
                self.counters.clock_steps_back += 1
            else:
                self.advance(now_ms)
        clock_ms = wall_ms or 0
        latest_ms = NEVER_MS if wall_ms is None or not self._judges_late else wall_ms + self._time.future_ms
        reorder = at_work.reorder
        if reorder is None:
            self._process(at_work, enumerate(lines, first_line), refuse, latest_ms, clock_ms)
        else:
            taken = ((number, line, refuse) for number, line in enumerate(lines, first_line))
            turns = reorder.take(taken, latest_ms, clock_ms)
            self._process_in_order(at_work, reorder, turns, latest_ms, clock_ms)
            self._tick(at_work, reorder.watermark_ms)

    def _process_in_order(
        self, at_work: _Partition, reorder: Reorder, turns: Iterable[Taken], latest_ms: int, wall_ms: int
    ) -> None:
        for number, line, refuse in turns:
            if reorder.floor_ms > at_work.now_ms:
                self._tick(at_work, reorder.floor_ms)
            self._process(at_work, ((number, line),), refuse, latest_ms, wall_ms)

    def _process(
        self,
        at_work: _Partition,
        lines: Iterable[tuple[int, bytes]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        """The way of each event (engine.md §2); `latest_ms` is the latest time that one may have."""
        now = at_work.now_ms
        now_slot = self._now_slot
        by_event_time = self._clock is Clock.EVENT_TIME
        judges_late = self._judges_late
        wheel, effects, stage_1 = at_work.wheel, self._effects, self._stage_1
        routes, rows = effects.routes, effects.rows
        decode = self.decoder.decode
        send = self._output.event if self._output.wants_events else None
        profiles = self._numbered
        several = len(profiles) > 1
        limited = self._rate[0] > 0
        ok = bypassed = passive = behind = 0
        last, turn = at_work.last
        for number, line in lines:
            try:
                event = decode(line)
            except BAD_LINE as error:
                self._not_decoded(line, error, number, refuse, now)
                continue
            if now_slot is not None:
                given = getattr(event, now_slot)
                if given is not None and given > now:
                    now = given
            if now >= wheel.next_tick_ms:
                self._tick(at_work, now)
            if limited and self._is_too_many(now):
                refuse(self._refused(number, "throttled", line))
                continue
            handler = stage_1.get(event.__class__)
            decorations = None
            if handler is not None:
                decorations = handler(event, None, None, now, effects)
                if rows:
                    decorations = effects.further_passes(None, None, now, decorations)
                if decorations:
                    self._overlay(event, decorations)
            if by_event_time:
                # Before any profile: all see the event at one time.
                for place, route in enumerate(routes):
                    if route is not None:
                        event_ms = self._own_time_ms(event) if route[1] is None else route[1]
                        if event_ms is not None and event_ms > now:
                            if event_ms > latest_ms:
                                self.counters.future += 1
                                event_ms = wall_ms
                                routes[place] = (route[0], event_ms, route[2], route[3])
                            now = max(now, event_ms)
                if now >= wheel.next_tick_ms:
                    self._tick(at_work, now)
            outcome = None
            late = None
            for place, profile in profiles:
                route = routes[place]
                if route is None:
                    continue
                routes[place] = None
                key, event_ms, duration_ms, is_passive = route
                if event_ms is None:
                    event_ms = self._own_time_ms(event)
                    if event_ms is None:
                        event_ms = now
                if by_event_time and event_ms < now:
                    behind += 1
                    if judges_late and not is_passive and not profile.holds(key, event_ms, now):
                        late = self._time.late
                        self.counters.late[late] += 1
                        if late is Late.DROP or late is Late.DEAD_LETTER:
                            continue
                if now == last:
                    turn += 1
                else:
                    last = now
                    turn = 0
                if late is Late.NEW:
                    added: Any = profile.process_late(event, key, event_ms, duration_ms, now)
                    late = None
                else:
                    added = profile.process(event, key, event_ms, duration_ms, is_passive, now, turn)
                if added is False:
                    continue
                outcome = is_passive
                if added and not profile.shadow:
                    if decorations:
                        decorations.update(added)
                    else:
                        decorations = added
                    if several:
                        self._overlay(event, added)
            if late is not None and outcome is None:
                # No profile took it.
                if late is Late.DEAD_LETTER:
                    refuse(self._refused(number, "late", line))
                continue
            if send is not None:
                send(line, decorations, now)
            if outcome is None:
                bypassed += 1
            else:
                if outcome:
                    passive += 1
                else:
                    ok += 1
                for _, profile in profiles:
                    if profile.ending:
                        profile.after_event(now)
        at_work.now_ms = now
        at_work.last = (last, turn)
        self.counters.behind_clock += behind
        outcomes = self.counters.outcomes
        for name, count in (("ok", ok), ("bypassed", bypassed), ("passive", passive)):
            if count:
                outcomes[name] += count

    def _not_decoded(self, line: bytes, error: Exception, number: int, refuse: Refuse, now_ms: int) -> None:
        """A line that gave no event: refused, passed on when only its type is unknown, passed over when blank."""
        refused = self.decoder.explain(line, error, number)
        if refused is not None:
            refuse(refused)
        elif line.strip():
            self.counters.outcomes["unknown_type"] += 1
            if self.rules.config.unknown_events is UnknownEvents.DEAD_LETTER:
                refuse(self._refused(number, "unknown_type", line))
            elif self._output.wants_events:
                self._output.event(line, None, now_ms)

    @staticmethod
    def _refused(number: int, code: str, line: bytes) -> Refused:
        return Refused(number, code, _REASONS[code], line)

    def _is_too_many(self, now_ms: int) -> bool:
        """True when the second at work has had as many events as it may."""
        limit, second, count = self._rate
        if now_ms // 1000 != second:
            second, count = now_ms // 1000, 0
        self._rate = (limit, second, count + 1)
        if count < limit:
            return False
        self.counters.outcomes["throttled"] += 1
        return True

    def event_time_ms(self, line: bytes) -> int | None:
        """The time of an event by which a replay sorts: the clock's field, or what stage 1 gives; None without one.

        Counts nothing. Raises one of BAD_LINE.
        """
        event = self.decoder.decode(line)
        if self._now_slot is not None:
            return getattr(event, self._now_slot)  # type: ignore[no-any-return]
        handler = self._stage_1.get(event.__class__)
        if handler is None:
            return None
        matches = self.rules.controller.matches
        before = matches[:]
        effects = Effects(EngineCounters(), self.rules.config.limits.max_idle_ms, len(self.profiles))
        handler(event, None, None, self.now_ms, effects)
        matches[:] = before
        for route in effects.routes:
            if route is not None:
                return self._own_time_ms(event) if route[1] is None else route[1]
        return None

    def _own_time_ms(self, event: Any) -> int | None:
        """The time of an event to which stage 1 gives no `_timestamp_`."""
        return None if self._time_slot is None else getattr(event, self._time_slot)

    # ---- time

    @property
    def now_ms(self) -> int:
        """The clock of the partition at work."""
        return self._at_work.now_ms

    def advance(self, now_ms: int) -> None:
        """Moves time on to `now_ms`: every whole second up to it at which something is due is a tick, in order."""
        self._tick(self._at_work, now_ms)

    def _tick(self, at_work: _Partition, now_ms: int, judged: str = "gap") -> None:
        wheel = at_work.wheel
        while wheel.next_tick_ms <= now_ms:
            tick_ms = wheel.next_tick_ms
            for session in wheel.take(tick_ms):
                self.profiles[session.number].on_tick(session, tick_ms, wheel, judged)
        if judged == "gap" and now_ms > at_work.now_ms:
            at_work.now_ms = now_ms

    def close_idle(self, wall_ms: int) -> None:
        """Judges the sessions of partitions that have been quiet for `time.idle_close` by the wall clock.

        Their own clocks stay where they are: when events come again, they come at their own time.
        """
        for number, partition in list(self._partitions.items()):
            if self._judges_late and wall_ms - partition.heard_ms >= self._time.idle_close_ms:
                self._partition(number)
                self._flush(partition)
                self._tick(partition, wall_ms, "idle_partition")

    def drain(self) -> None:
        """Lets time run on until every session has ended, or nobody takes the ends of those that are left."""
        for number, partition in list(self._partitions.items()):
            self._partition(number)
            self._flush(partition)
            stuck = 0
            while partition.wheel.next_tick_ms < NEVER_MS and stuck < _MOST_ATTEMPTS:
                refused = self.counters.ends_refused
                live = self.live_sessions
                self._tick(partition, partition.wheel.next_tick_ms)
                is_stuck = self.counters.ends_refused > refused and self.live_sessions == live
                stuck = stuck + 1 if is_stuck else 0

    def shut_down(self) -> int:
        """Ends every session where it stands, reason `shutdown`; how many would not end, since nobody took it."""
        for number, partition in list(self._partitions.items()):
            self._partition(number)
            self._flush(partition)
            for session in list(partition.wheel):
                if session.due_ms < 0:
                    continue  # it stands in the wheel twice
                self.profiles[session.number].end(session, "shutdown", partition.now_ms)
        return self.live_sessions

    def _flush(self, partition: _Partition) -> None:
        if partition.reorder is not None:
            self._process_in_order(partition, partition.reorder, partition.reorder.flush(), NEVER_MS, 0)

    def _make_room(self, now_ms: int) -> None:
        """Ends the session due first while there are as many as there may be."""
        while self.live_sessions >= self.rules.config.limits.sessions:
            wheels = (partition.wheel for partition in self._partitions.values())
            found = (wheel.first(lambda session: self.profiles[session.number].due_ms(session)) for wheel in wheels)
            victim = min((each for each in found if each is not None), key=lambda each: each.due_ms, default=None)
            if victim is None or not self.profiles[victim.number].end(victim, "evicted", now_ms):
                return

    @property
    def live_sessions(self) -> int:
        """Sessions that have begun and not ended, over all profiles."""
        return sum(len(profile.table) for profile in self.profiles)


_MOST_ATTEMPTS = 1000
_REASONS = {
    "late": "it is behind the watermark, and its session has ended",
    "throttled": "the tenant has had as many events in this second as `limits.rate` allows",
    "unknown_type": "no event type of this name is declared",
}


def _decoded_fields(rules: TenantRules, extra: Sequence[str]) -> dict[str, dict[str, Type]]:
    """The fields to decode of each event type from outside: what any rule set reads, and the clock's."""
    found: dict[str, dict[str, Type]] = {name: {} for name in rules.event_types}
    for compiled in rules.programs():
        for name, fields in compiled.fields.items():
            if name in found:
                found[name].update(fields)
    for name, fields in found.items():
        declared = rules.event_types[name].fields
        for field in extra:
            fields[field] = declared.get(field, LONG)
    return found
