"""The engine of one tenant: events and time in, markers and decorated events out.

A plain object that reads no clock and no socket; whoever drives it says what time it is (architecture.md, decision 6).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from epl.compiler import Compiled, Handler
from epl.errors import RuleError
from epl.layout import slot_name
from epl.types import LONG, Type
from runtime.cache import NEVER_MS, MemoryTable
from runtime.config import Late, UnknownEvents
from runtime.counters import EngineCounters
from runtime.days import DayEnds
from runtime.effects import AskingEffects, Effects
from runtime.ender import EnderProfile
from runtime.event import BAD_LINE, EventDecoder, Refused, fits
from runtime.io.letter_codes import REASONS
from runtime.kinds import Surroundings
from runtime.output import Output
from runtime.profile import Profile
from runtime.reorder import NEVER_SEEN_MS, Refuse, Reorder, Taken
from runtime.rules import TenantRules
from runtime.timeline import Clock, Partition, Timeline

__all__ = ["Clock", "Engine"]

_log = logging.getLogger("sojourn.engine")


class Engine(Timeline):
    """Sessionizes the events of one tenant.

    `now_field` names the field that holds the clock, for `Clock.FIELD`; `time_field` the field that holds an event's
    own time where stage 1 gives no `_timestamp_`. Both are long, epoch ms.
    """

    effects_class: type[Effects] = Effects

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
        super().__init__(config, clock)
        self.rules = rules
        self._now_slot = None if now_field is None else slot_name(now_field)
        self._time_slot = None if time_field is None else slot_name(time_field)
        self._output = output
        self._effects = self.effects_class(self.counters, config.limits.max_idle_ms, len(rules.profiles))
        self._asking = AskingEffects(EngineCounters(), config.limits.max_idle_ms, len(rules.profiles))
        self._second, self._in_second = 0, 0  # the second at work, and how many events it has had
        extra = [name for name in (now_field, time_field, config.time.user_time) if name is not None]
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
            wheel=self._at_work.wheel,
            output=output,
            overlay=self._overlay,
            counters=self.counters,
            days=DayEnds(config.time.zone),
            time=config.time,
            user_slot=None if config.time.user_time is None else slot_name(config.time.user_time),
            max_idle_ms=config.limits.max_idle_ms,
            max_events=config.limits.max_events,
            max_state_bytes=config.limits.max_state_bytes,
            type_field=config.type_field,
            handlers=self._handlers,
            make_room=self._make_room if config.limits.sessions else None,
        )
        profile_class = self._profile_class()
        self.profiles = [
            profile_class(each, number, MemoryTable(), self._around) for number, each in enumerate(rules.profiles)
        ]
        self._numbered = tuple(enumerate(self.profiles))
        self._stage_1 = self._handlers(rules.controller)

    def _profile_class(self) -> type[Profile]:
        """What profiles are made of."""
        return EnderProfile if self._judges else Profile

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
        if wall_ms is not None and lines:
            at_work.heard_ms = wall_ms
        if now_ms is not None:
            if now_ms < at_work.now_ms and not at_work.is_fresh:
                self.counters.clock_steps_back += 1
            elif self._judges:
                at_work.now_ms = now_ms  # ticks are the driver's to give
            else:
                self.advance(now_ms)
            at_work.is_fresh = False
        clock_ms = wall_ms or 0
        latest_ms = NEVER_MS if wall_ms is None or not self._judges_late else wall_ms + self._config.time.future_ms
        reorder = at_work.reorder
        if reorder is None:
            self._process(at_work, enumerate(lines, first_line), refuse, latest_ms, clock_ms)
        else:
            given = (Taken(number, line, refuse, latest_ms, clock_ms) for number, line in enumerate(lines, first_line))
            self._process_in_order(at_work, reorder, reorder.take(given))
            if reorder.watermark_ms > NEVER_SEEN_MS:
                self._tick(at_work, reorder.watermark_ms)

    def _process_in_order(self, at_work: Partition, reorder: Reorder, turns: Iterable[Taken]) -> None:
        for number, line, refuse, latest_ms, wall_ms in turns:
            if reorder.floor_ms > at_work.now_ms or (at_work.is_fresh and reorder.floor_ms > NEVER_SEEN_MS):
                self._tick(at_work, reorder.floor_ms)
            self._process(at_work, ((number, line),), refuse, latest_ms, wall_ms)

    def _process(
        self,
        at_work: Partition,
        lines: Iterable[tuple[int, bytes]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        """The way of each event (engine.md §2); `latest_ms` is the latest time that one may have.

        What escapes from one event in spite of all is its own dead letter: the others go on.
        """
        rest = iter(lines)
        while True:
            try:
                while at_work.is_fresh and self._clock is not Clock.DRIVER:
                    first = next(rest, None)
                    if first is None:
                        return
                    self._set_clock(at_work, first[1], latest_ms, wall_ms)
                    self._process_all(at_work, iter((first,)), refuse, latest_ms, wall_ms)
                self._process_all(at_work, rest, refuse, latest_ms, wall_ms)
                return
            except _Escaped as escaped:
                self._effects.forget()
                for profile in self.profiles:
                    profile.ending.clear()
                _log.error("an event failed: %s", escaped.reason, exc_info=escaped.__cause__)
                refuse(self._refused(escaped.number, "failed", escaped.line, escaped.reason))

    def _set_clock(self, at_work: Partition, line: bytes, latest_ms: int, wall_ms: int) -> None:
        """The first event that has a time sets the clock to it, however early it is."""
        try:
            time_ms = self.event_time_ms(line)
        except BAD_LINE:
            return
        if time_ms is not None:
            at_work.now_ms, at_work.is_fresh = (wall_ms if time_ms > latest_ms else time_ms), False

    def _process_all(
        self,
        at_work: Partition,
        lines: Iterator[tuple[int, bytes]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        now = at_work.now_ms
        now_slot = self._now_slot
        by_event_time = self._clock is Clock.EVENT_TIME
        judges_late, lateness = self._judges_late, self._config.time.late
        wheel, effects, stage_1 = at_work.wheel, self._effects, self._stage_1
        routes, rows = effects.routes, effects.rows
        decode = self.decoder.decode
        send = self._output.event if self._output.wants_events else None
        profiles = self._numbered
        several = len(profiles) > 1
        is_limited = self._config.limits.rate > 0
        ok = bypassed = passive = behind = 0
        last, turn = at_work.last
        number, line = 0, b""
        try:
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
                    for route in routes:
                        if route is not None:
                            event_ms = self._own_time_ms(event) if route[1] is None else route[1]
                            if event_ms is not None and event_ms > now:
                                if event_ms > latest_ms:
                                    routes[routes.index(route)] = (route[0], wall_ms, route[2], route[3])
                                    self.counters.future += 1
                                    event_ms = max(now, wall_ms)
                                now = event_ms
                    if now >= wheel.next_tick_ms:
                        self._tick(at_work, now)
                if is_limited and self._is_too_many(now):
                    routes[:] = [None] * len(routes)
                    refuse(self._refused(number, "throttled", line))
                    continue
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
                    is_late = False
                    if by_event_time and event_ms < now:
                        behind += 1
                        is_late = judges_late and not is_passive and not profile.holds(key, event_ms, now)
                        if is_late:
                            self.counters.late[lateness.value] += 1
                            if lateness is Late.DROP or lateness is Late.DEAD_LETTER:
                                if not profile.shadow:
                                    late = lateness
                                continue
                    if now == last:
                        turn += 1
                    else:
                        last = now
                        turn = 0
                    if is_late and lateness is Late.NEW:
                        added: Any = profile.process_late(event, key, event_ms, duration_ms, now)
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
        except _FROM_DATA as error:
            raise _Escaped(number, line, f"{type(error).__name__}: {error}") from error
        finally:
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
            self.counters.refused[refused.code] += 1
            refuse(refused)
        elif line.strip():
            self.counters.outcomes["unknown_type"] += 1
            if self.rules.config.unknown_events is UnknownEvents.DEAD_LETTER:
                refuse(self._refused(number, "unknown_type", line))
            elif self._output.wants_events:
                self._output.event(line, None, now_ms)

    def _refused(self, number: int, code: str, line: bytes, reason: str | None = None) -> Refused:
        self.counters.refused[code] += 1
        return Refused(number, code, reason or REASONS[code], line)

    def _is_too_many(self, now_ms: int) -> bool:
        """True when the second at work has had as many events as it may."""
        second = now_ms // 1000
        if second > self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > self._config.limits.rate

    def end_session(self, profile: str, key: str) -> bool | None:
        """Ends a live session where it stands, reason `forced`; None when there is none.

        False when nobody took its end marker: it is tried again as any other end.
        """
        found = next((each for each in self.profiles if each.name == profile), None)
        session = None if found is None else found.table.get(key)
        if found is None or session is None:
            return None
        if found.end(session, "forced", self.now_ms):
            return True
        found.try_again(session, self._at_work.wheel)
        return False

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
        asking = self._asking
        asking.forget()
        handler(event, None, None, self.now_ms, asking)
        if asking.rows:
            asking.further_passes(None, None, self.now_ms, None)
        matches[:] = before
        for route in asking.routes:
            if route is not None:
                return self._own_time_ms(event) if route[1] is None else route[1]
        return None

    def _own_time_ms(self, event: Any) -> int | None:
        """The time of an event to which stage 1 gives no `_timestamp_`."""
        return None if self._time_slot is None else getattr(event, self._time_slot)


_FROM_DATA = (ArithmeticError, AttributeError, LookupError, RecursionError, RuleError, TypeError, ValueError)
"""What data may cause where nobody thought of it. Errors of sinks and of drivers are not among them."""


class _Escaped(Exception):
    """An event that failed in a way for which there is no rule."""

    def __init__(self, number: int, line: bytes, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.line = line
        self.reason = reason


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
