"""The two engines of a worker that begins in the middle: one for keys without a past, one for those that may have one.

`LaterEngine` takes the events as they come, but for those of keys of which there is doubt: it puts them off. Events of
sessions that it has opened are not asked about, so they cost what they always do.

`Successor` has the sessions of before, once they are known, and takes what was put off, at the clock of then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runtime.cache import NEVER_MS, SLOT_MS, Cache, TimeWheel
from runtime.config import Late
from runtime.doubt import Doubt, PutOff
from runtime.effects import merged
from runtime.engine import Engine
from runtime.intake import FROM_DATA, Escaped
from runtime.output import LineOutput
from runtime.parallel.handover import Handover
from runtime.parallel.place import PlacedOutput, PlacedWheel
from runtime.reorder import Refuse
from runtime.rules import TenantRules


class _PlacedEngine(Engine):
    """An engine whose lines get their places, where its output keeps them."""

    def __init__(self, rules: TenantRules, output: LineOutput, **clock: Any) -> None:
        self._places = output if isinstance(output, PlacedOutput) else None
        super().__init__(rules, output, **clock)

    def _new_wheel(self, cache: Cache, number: int) -> TimeWheel:
        return TimeWheel(cache, number) if self._places is None else PlacedWheel(cache, number, self._places)


class LaterEngine(_PlacedEngine):
    """Takes a part of the events, the first of which is at `first_ms`, later than all before it."""

    def begin(self, first_ms: int, longest_pause_ms: int) -> None:
        """To be called before the first event."""
        # A session ends at the first tick after its expiry: with a second more, that tick has been.
        self._doubt = Doubt(first_ms, longest_pause_ms + SLOT_MS)

    def take(self, lines: Sequence[bytes], first_line: int, refuse: Refuse) -> list[PutOff]:
        """Takes a block of lines; those that are put off."""
        places = self._places
        numbered = enumerate(lines, first_line) if places is None else places.numbered(lines, first_line)
        # Nothing is judged by the wall clock where files can be cut.
        self._process(self._at_work, numbered, refuse, NEVER_MS, 0)
        put_off, self.put_off = self.put_off, []
        return put_off


class Successor(_PlacedEngine):
    """Goes on with the sessions of earlier parts."""

    def inherit(self, handover: Handover) -> None:
        """Takes what is handed over; the engine has seen no event."""
        (profile,) = self.profiles
        at_work = self._at_work
        if handover.clock_ms is not None:
            at_work.now_ms, at_work.is_fresh = handover.clock_ms, False
        at_work.last = handover.last
        profile.go_on_from(handover.profile)
        for key, payload in handover.sessions:
            session = profile.table.codec.decode(key, payload)
            profile.table.put(session)
            at_work.wheel.schedule(session, session.due_ms)
            profile.table.settle()

    def take_deferred(self, deferred: Iterable[PutOff], refuse: Refuse) -> Iterator[int]:
        """Takes events whose lines have been counted, and stage 1 with them, by the engine that put them off.

        Gives the number of each line when it has been taken.
        """
        at_work, places = self._at_work, self._places
        matches = self.rules.controller.matches
        before = matches[:]
        for number, line, now_ms, turn in deferred:
            if places is not None:
                places.at_line(number)
            if now_ms >= at_work.wheel.next_tick_ms:
                self._tick(at_work, now_ms)
            at_work.now_ms = now_ms
            try:
                self._take(line, now_ms, turn)
            except FROM_DATA as error:
                self._asking.forget()
                escaped = Escaped(number, line, f"{type(error).__name__}: {error}")
                escaped.__cause__ = error
                self._give_up(escaped, refuse)
            yield number
        matches[:] = before

    def _take(self, line: bytes, now_ms: int, turn: int) -> None:
        """What the loop over lines does for any event."""
        (profile,) = self.profiles
        event = self.decoder.decode(line)
        asking = self._asking
        decorations = self._stage_1[event.__class__](event, None, None, now_ms, asking)
        if asking.rows:
            decorations = asking.further_passes(None, None, now_ms, decorations)
        if decorations:
            self._overlay(event, decorations)
        (route,) = asking.routes
        assert route is not None, "an event without a session is not put off"
        key, event_ms, duration_ms, is_passive = route
        if event_ms is None:
            event_ms = self._own_time_ms(event)
        if event_ms is None:
            event_ms = now_ms
        is_behind = self._judges_late and event_ms < now_ms and not is_passive
        if is_behind and not profile.holds(key, event_ms, now_ms):
            # All that a late event may do here is extend its session.
            self.counters.late[Late.EXTEND.value] += 1
        added = profile.process(event, key, event_ms, duration_ms, is_passive, now_ms, turn)
        if self._output.wants_events:
            if added and not profile.shadow:
                decorations = merged(decorations, added)
            self._output.event(line, decorations, now_ms)
        self.counters.outcomes["bypassed" if added is False else "passive" if is_passive else "ok"] += 1
        if profile.ending:
            profile.after_event(now_ms)
