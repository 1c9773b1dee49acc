"""The engine of one tenant: events and time in, markers and decorated events out.

A plain object that reads no clock and no socket; whoever drives it says what time it is (architecture.md, decision 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from epl.compiler import Compiled, Handler
from epl.layout import slot_name
from epl.types import LONG, Type
from runtime.cache import MemoryTable, TimeWheel
from runtime.counters import EngineCounters
from runtime.effects import Effects
from runtime.event import BAD_LINE, EventDecoder, Refused, fits
from runtime.output import Output
from runtime.profile import Profile, Surroundings
from runtime.rules import TenantRules


class Clock(Enum):
    """Where `now` comes from."""

    DRIVER = "driver"  # `process` is told
    EVENT_TIME = "event time"  # the highest event time so far
    FIELD = "field"  # the highest value so far of a field of the events


class Engine:
    """Sessionizes the events of one tenant.

    `now_field` names the field that holds the clock, for `Clock.FIELD`; `time_field` the field that holds an event's
    own time where stage 1 gives no `_timestamp_`. Both are long, epoch ms.
    """

    def __init__(
        self,
        rules: TenantRules,
        output: Output,
        *,
        clock: Clock = Clock.DRIVER,
        now_field: str | None = None,
        time_field: str | None = None,
    ) -> None:
        self.rules = rules
        self.counters = EngineCounters()
        self.now_ms = 0
        self._clock = clock
        self._now_slot = None if now_field is None else slot_name(now_field)
        self._time_slot = None if time_field is None else slot_name(time_field)
        self._output = output
        self._wheel = TimeWheel()
        self._last = (0, 0)  # the clock of the latest event of a session, and how many came at that very millisecond
        self._effects = Effects(self.counters, rules.config.limits.max_idle_ms, len(rules.profiles))
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
        around = Surroundings(
            effects=self._effects,
            wheel=self._wheel,
            output=output,
            overlay=self._overlay,
            max_idle_ms=rules.config.limits.max_idle_ms,
            type_field=rules.config.type_field,
            handlers=self._handlers,
        )
        self.profiles = [Profile(each, number, MemoryTable(), around) for number, each in enumerate(rules.profiles)]
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

    # ---- events

    def process(
        self,
        lines: Sequence[bytes],
        now_ms: int | None = None,
        *,
        first_line: int = 1,
        refuse: Callable[[Refused], None] = lambda refused: None,
    ) -> None:
        """Takes a batch of events as lines of JSON. Lines that are no event go to `refuse`; blank ones are passed over.

        `now_ms` is the clock, for `Clock.DRIVER`; one that steps back is taken to stand still. `first_line` numbers
        the lines for `refuse`.
        """
        now = self.now_ms
        if now_ms is not None:
            if now_ms < now:
                self.counters.clock_steps_back += 1
            else:
                now = now_ms
                self.advance(now)
        now_slot = self._now_slot
        by_event_time = self._clock is Clock.EVENT_TIME
        wheel, effects, stage_1 = self._wheel, self._effects, self._stage_1
        routes, rows = effects.routes, effects.rows
        decode = self.decoder.decode
        send = self._output.event if self._output.wants_events else None
        profiles = self._numbered
        several = len(profiles) > 1
        ok = bypassed = passive = behind = 0
        last, turn = self._last
        for number, line in enumerate(lines, first_line):
            try:
                event = decode(line)
            except BAD_LINE as error:
                refused = self.decoder.explain(line, error, number)
                if refused is not None:
                    refuse(refused)
                elif line.strip():
                    self.counters.outcomes["unknown_type"] += 1
                    if send is not None:
                        send(line, None, now)
                continue
            if now_slot is not None:
                given = getattr(event, now_slot)
                if given is not None and given > now:
                    now = given
            if now >= wheel.next_tick_ms:
                self.advance(now)
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
                            now = event_ms
                if now >= wheel.next_tick_ms:
                    self.advance(now)
            outcome = None
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
                if now == last:
                    turn += 1
                else:
                    last = now
                    turn = 0
                added = profile.process(event, key, event_ms, duration_ms, is_passive, now, turn)
                if added is False:
                    continue
                outcome = is_passive
                if added:
                    if decorations:
                        decorations.update(added)
                    else:
                        decorations = added
                    if several:
                        self._overlay(event, added)
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
        self.now_ms = now
        self._last = (last, turn)
        self.counters.behind_clock += behind
        outcomes = self.counters.outcomes
        for name, count in (("ok", ok), ("bypassed", bypassed), ("passive", passive)):
            if count:
                outcomes[name] += count

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

    def advance(self, now_ms: int) -> None:
        """Moves time on to `now_ms`: every whole second up to it at which something is due is a tick, in order."""
        wheel = self._wheel
        while wheel.next_tick_ms <= now_ms:
            tick_ms = wheel.next_tick_ms
            for session in wheel.take(tick_ms):
                self.profiles[session.number].on_tick(session, tick_ms)
        self.now_ms = max(self.now_ms, now_ms)

    def drain(self) -> None:
        """Lets time run on until every session has ended."""
        wheel = self._wheel
        while any(len(profile.table) for profile in self.profiles):
            self.advance(wheel.next_tick_ms)

    @property
    def live_sessions(self) -> int:
        """Sessions that have begun and not ended, over all profiles."""
        return sum(len(profile.table) for profile in self.profiles)


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
