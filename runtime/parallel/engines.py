"""The two engines of a worker that begins in the middle: one for keys without a past, one for those that may have one.

`LaterEngine` takes the events as they come. Where a session would open though its key may have one in an earlier
part, it puts the event off: events of sessions that it has opened are not asked about, so they cost what they always
do. A key that has been quiet for longer than any session lives without events is taken from then on, since nothing of
before is live.

`Successor` has the sessions of before, once they are known, and takes what was put off, at the clock of then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from runtime.cache import NEVER_MS, SLOT_MS
from runtime.config import Late
from runtime.effects import Decorations, merged
from runtime.engine import Engine
from runtime.intake import FROM_DATA, Escaped
from runtime.parallel.handover import Handover
from runtime.parallel.place import PlacedOutput, PlacedProfile
from runtime.profile import Profile
from runtime.reorder import Refuse

Deferred = tuple[int, bytes, int, int]
"""An event that was put off: the number of its line, the line, the clock with it, and its turn in that ms."""


class _LaterProfile(PlacedProfile):
    """Puts off the events of keys that may have a session of before."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.quiet_ms = 0
        """A session of a key that has been quiet for so long has ended, at a tick."""
        self.certain_ms = 0
        """From here on a key that has not been heard of has no session of before."""
        self.deferred: list[Deferred] = []
        self._heard_ms: dict[str, int] = {}
        """The latest event of each key that may have one."""

    def process(
        self,
        event: Any,
        key: str,
        event_ms: int,
        duration_ms: int | None,
        passive: bool,
        now_ms: int,
        turn: int,
    ) -> Decorations | Literal[False]:
        """Takes an event that is not one of many in a session; False when it is put off, or passive and finds none."""
        if not self._may_have_one(key, now_ms):
            self._heard_ms.pop(key, None)
            return super().process(event, key, event_ms, duration_ms, passive, now_ms, turn)
        if not passive:
            self._heard_ms[key] = now_ms
        output = self._around.output
        assert isinstance(output, PlacedOutput)
        output.leaves_out = True
        self.deferred.append((output.number, output.line, now_ms, turn))
        return False

    def holds(self, key: str, event_ms: int, now_ms: int) -> bool:
        """Whether an event is late is judged when it is taken: one that is put off is not judged here."""
        return self._may_have_one(key, now_ms) or super().holds(key, event_ms, now_ms)

    def _may_have_one(self, key: str, now_ms: int) -> bool:
        """True when a key may have a session of before."""
        heard_ms = self._heard_ms.get(key)
        return now_ms < self.certain_ms if heard_ms is None else now_ms - heard_ms < self.quiet_ms


class LaterEngine(Engine):
    """Takes a part of the events, the first of which is at `first_ms`, later than all before it."""

    def begin(self, first_ms: int, longest_pause_ms: int) -> None:
        """To be called before the first event."""
        profile = self._later()
        # A session ends at the first tick after its expiry: with a second more, that tick has been.
        profile.quiet_ms = longest_pause_ms + SLOT_MS
        profile.certain_ms = first_ms + profile.quiet_ms

    def take(self, lines: Sequence[bytes], first_line: int, refuse: Refuse) -> list[Deferred]:
        """Takes a block of lines; those that are put off."""
        profile, output = self._later(), self._output
        assert isinstance(output, PlacedOutput)
        # Nothing is judged by the wall clock where files can be cut.
        self._process(self._at_work, output.noting(enumerate(lines, first_line)), refuse, NEVER_MS, 0)
        deferred, profile.deferred = profile.deferred, []
        # The loop has counted them as events that belong to no session.
        outcomes = self.counters.outcomes
        outcomes.subtract({"bypassed": len(deferred)})
        if not outcomes["bypassed"]:
            del outcomes["bypassed"]
        return deferred

    def _later(self) -> _LaterProfile:
        (profile,) = self.profiles
        assert isinstance(profile, _LaterProfile)
        return profile

    def _profile_class(self) -> type[Profile]:
        return _LaterProfile


class Successor(Engine):
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

    def take_deferred(self, deferred: Iterable[Deferred], refuse: Refuse) -> Iterator[int]:
        """Takes events whose lines have been counted, and stage 1 with them, by the engine that put them off.

        Gives the number of each line when it has been taken.
        """
        at_work, output = self._at_work, self._output
        matches = self.rules.controller.matches
        before = matches[:]
        for number, line, now_ms, turn in deferred:
            if isinstance(output, PlacedOutput):
                output.number = number
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

    def _profile_class(self) -> type[Profile]:
        return PlacedProfile
