"""The engine of one tenant: events and time in, markers and decorated events out.

A plain object that reads no clock and no socket; whoever drives it says what time it is (architecture.md, decision 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from epl.compiler import Compiled, Handler, Route
from epl.layout import slot_name
from epl.typed import Insert
from epl.types import LONG, Type
from runtime.cache import NEVER_MS
from runtime.counters import EngineCounters, counters_state, go_on_from
from runtime.days import DayEnds
from runtime.effects import AskingEffects, Effects
from runtime.ender import EnderProfile
from runtime.event import EventDecoder, fits
from runtime.kinds import Surroundings
from runtime.loop import Loop, LoopPlan, Opening, loop_of
from runtime.output import Output, RowOutput
from runtime.passage import Passage
from runtime.profile import Profile
from runtime.reorder import NEVER_SEEN_MS, Refuse, Reorder, Taken
from runtime.row import Line, Lines, RowDecoder
from runtime.rules import TenantRules
from runtime.timeline import Clock, Partition

__all__ = ["Clock", "Engine"]


class Engine(Passage):
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
        super().__init__(config, clock, now_field=now_field, time_field=time_field)
        self.clock_options = {"clock": clock, "now_field": now_field, "time_field": time_field}
        self.rules = rules
        self._output = output
        self._effects = self.effects_class(self.counters, config.limits.max_idle_ms, len(rules.profiles))
        self._asking = AskingEffects(EngineCounters(), config.limits.max_idle_ms, len(rules.profiles))
        extra = [name for name in (now_field, time_field, config.time.user_time) if name is not None]
        self._fields = decoded_fields(rules, extra)
        self.decoder = EventDecoder(self._fields, rules.config.type_field)
        self._type_names = {class_: name for name, class_ in self.decoder.classes.items()}
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
            cache=self.cache,
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
        self.profiles = [profile_class(each, number, self._around) for number, each in enumerate(rules.profiles)]
        self._numbered = tuple(enumerate(self.profiles))
        self._stage_1 = self._handlers(rules.controller)

    @property
    def wants_events(self) -> bool:
        """True when events leave, not markers alone."""
        return self._output.wants_events

    @cached_property
    def _loop(self) -> Loop:
        """The loop over events where there is one profile."""
        return loop_of(self._loop_plan)

    @property
    def _loop_plan(self) -> LoopPlan:
        (profile,) = self.profiles
        rules = self.rules.controller.program.rules
        gap_ms = profile.first_gap_ms(None, self._config.limits.max_idle_ms)
        return LoopPlan(
            controller=(self.rules.controller, self._stage_1),
            profile=(profile.compiled, profile.handlers),
            classes=self.decoder.classes,
            clock=self._clock,
            now_slot=self._now_slot,
            time_slot=self._time_slot,
            wants_events=self.wants_events,
            inserts=any(isinstance(effect, Insert) for rule in rules for effect in rule.effects),
            is_simple=profile.is_simple,
            is_shadow=profile.shadow,
            opening=Opening(
                session_class=profile.session_class,
                layout=profile.layout,
                gap_ms=gap_ms,
                due_in_ms=min(gap_ms, profile.max_active_ms) if profile.max_active_ms > 0 else gap_ms,
                sent=profile.begin_marker,
            ),
            doubt=self._doubt,
        )

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

    def take_rows(self) -> EventDecoder:
        """From here on lines may be rows of tables, with events of the classes of the decoder that it gives."""
        decoder = self.decoder
        if isinstance(decoder, EventDecoder):
            self.decoder = decoder = RowDecoder(decoder)
            self._output = RowOutput(self._output)
        assert isinstance(decoder, RowDecoder)
        return decoder.lines

    def process(
        self,
        lines: Lines,
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

    # ---- snapshots

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps beside clocks and sessions."""
        return {
            "second": [self._second, self._in_second],
            "counters": counters_state(self.counters),
            "failed_puts": self.cache.failed_puts,
            "matches": self.rules.matches(),
            "profiles": {profile.name: profile.state() for profile in self.profiles},
        }

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Takes what `state` gave, once clocks and sessions are there."""
        self._second, self._in_second = state["second"]
        go_on_from(self.counters, state["counters"])
        self.cache.failed_puts = state["failed_puts"]
        self.rules.add_matches(state["matches"])
        for profile in self.profiles:
            if profile.name in state["profiles"]:
                profile.go_on_from(state["profiles"][profile.name])

    def take_waiting(self, waiting: Iterable[tuple[int, list[Taken]]]) -> None:
        """Takes events that waited for their turn in an engine that made them wait."""
        for number, events in waiting:
            at_work = self._partition(number)
            for taken in events:
                self._process(at_work, ((taken.number, taken.line),), taken.refuse, taken.latest_ms, taken.wall_ms)

    def end_session(self, profile: str, key: str) -> bool | None:
        """Ends a live session where it stands, reason `forced`; None when there is none.

        False when nobody took its end marker: it is tried again as any other end.
        """
        found = next((each for each in self.profiles if each.name == profile), None)
        session = None if found is None else found.table.find(key)
        if found is None or session is None:
            return None
        return found.end_or_try_again(session, "forced", self.now_ms, self._at_work.wheel)

    def event_time_ms(self, line: Line) -> int | None:
        """The time of an event by which a replay sorts: the clock's field, or what stage 1 gives; None without one.

        Counts nothing. Raises one of BAD_LINE.
        """
        event = self.decoder.decode(line)
        if self._now_slot is not None:
            return getattr(event, self._now_slot)  # type: ignore[no-any-return]
        for route in self._asked(event):
            if route is not None:
                return self._own_time_ms(event) if route[1] is None else route[1]
        return None

    def keys_of(self, line: bytes) -> tuple[str, list[str | None]]:
        """The type of an event, and the session key that stage 1 gives it for each profile. Counts nothing.

        Raises one of BAD_LINE.
        """
        event = self.decoder.decode(line)
        return self._type_names.get(event.__class__, ""), [route and route[0] for route in self._asked(event)]

    def _asked(self, event: Any) -> Sequence[Route | None]:
        """What stage 1 would say of an event, by profile, without any effect."""
        asking = self._asking
        asking.forget()
        handler = self._stage_1.get(event.__class__)
        if handler is not None:
            matches = self.rules.controller.matches
            before = matches[:]
            handler(event, None, None, self.now_ms, asking)
            if asking.rows:
                asking.further_passes(None, None, self.now_ms, None)
            matches[:] = before
        return asking.routes


def decoded_fields(rules: TenantRules, extra: Sequence[str]) -> dict[str, dict[str, Type]]:
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
        # The decoder looks for a field behind the one before: people declare fields in the order of their events.
        places = {field: place for place, field in enumerate(declared)}
        found[name] = dict(sorted(fields.items(), key=lambda item: places.get(item[0], len(places))))
    return found
