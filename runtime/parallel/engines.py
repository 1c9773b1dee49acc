"""The two engines of a worker that begins in the middle: one for keys without a past, one for those that may have one.

`LaterEngine` takes the events as they come. Where a session would open though its key may have one in an earlier
part, it puts the event off: only this rare path asks, so the common one costs what it always does. A key that has been
quiet for longer than any session lives without events is taken from then on, since nothing of before is live.

`Successor` has the sessions of before, once they are known, and takes what was put off, at the clock of then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.cache import SLOT_MS
from runtime.effects import Decorations
from runtime.engine import Engine
from runtime.intake import FROM_DATA, Escaped
from runtime.parallel.handover import Handover
from runtime.parallel.place import PlacedOutput, PlacedProfile
from runtime.profile import Profile
from runtime.reorder import Refuse


@dataclass(frozen=True, slots=True)
class Deferred:
    """An event that was put off: its line and the line's number, the clock with it, and its turn in that ms."""

    number: int
    line: bytes
    now_ms: int
    turn: int


class _PutOff(Exception):
    """The key of an event may have a session in an earlier part."""


class _LaterProfile(PlacedProfile):
    """Puts off the events of keys that may have a session of before."""

    quiet_ms = 0
    """A session of a key that has been quiet for so long has ended, at a tick."""
    certain_ms = 0
    """From here on a key that has not been heard of has no session of before."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
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
    ) -> Any:
        """An event; a passive one of a key without a session opens none, so it is looked at here."""
        if passive and self._find(key) is None and self._may_have_one(key, now_ms):
            raise _PutOff
        return super().process(event, key, event_ms, duration_ms, passive, now_ms, turn)

    def _open(self, key: str, event_ms: int, duration_ms: int | None, now_ms: int) -> Any:
        if self._may_have_one(key, now_ms):
            self._heard_ms[key] = now_ms
            raise _PutOff
        return super()._open(key, event_ms, duration_ms, now_ms)

    def _may_have_one(self, key: str, now_ms: int) -> bool:
        heard_ms = self._heard_ms.get(key)
        if heard_ms is None:
            return now_ms < self.certain_ms
        if now_ms - heard_ms < self.quiet_ms:
            return True
        del self._heard_ms[key]
        return False


class LaterEngine(Engine):
    """Takes a part of the events, the first of which is at `first_ms`, later than all before it."""

    def begin(self, first_ms: int, longest_pause_ms: int) -> None:
        """To be called before the first event."""
        (profile,) = self.profiles
        assert isinstance(profile, _LaterProfile)
        # A session ends at the first tick after its expiry: with a second more, that tick has been.
        profile.quiet_ms = longest_pause_ms + SLOT_MS
        profile.certain_ms = first_ms + profile.quiet_ms

    def take(self, lines: Sequence[bytes], first_line: int, refuse: Refuse) -> list[Deferred]:
        """Takes a block of lines; those that are put off."""
        deferred: list[Deferred] = []
        numbered: Iterable[tuple[int, bytes]] = enumerate(lines, first_line)
        if isinstance(self._output, PlacedOutput):
            numbered = _noting(numbered, self._output)
        at_work = self._at_work
        # The one profile of a tenant whose files can be cut judges nothing by the wall clock.
        latest_ms, wall_ms = 1 << 63, 0
        while True:
            try:
                self._process(at_work, numbered, refuse, latest_ms, wall_ms)
                return deferred
            except _PutOff:
                self._effects.forget()
                following = next(iter(numbered), None)
                place = len(lines) - 1 if following is None else following[0] - first_line - 1
                deferred.append(Deferred(first_line + place, lines[place], *at_work.last))
                lines, first_line = lines[place + 1 :], first_line + place + 1
                numbered = enumerate(lines, first_line)
                if isinstance(self._output, PlacedOutput):
                    numbered = _noting(numbered, self._output)

    def _profile_class(self) -> type[Profile]:
        return _LaterProfile


class _InheritingProfile(PlacedProfile):
    """Takes the sessions of another engine."""

    def inherit(self, handover: Handover) -> None:
        """The engine has seen no event."""
        self._cut_until_ms = dict(handover.cut_until_ms)
        for key, payload in handover.sessions:
            session = self.table.codec.decode(key, payload)
            self.table.put(session)
            self._around.wheel.schedule(session, session.due_ms)
            self.table.settle()


class Successor(Engine):
    """Goes on with the sessions of earlier parts."""

    def inherit(self, handover: Handover) -> None:
        """Takes what is handed over; the engine has seen no event."""
        (profile,) = self.profiles
        assert isinstance(profile, _InheritingProfile)
        if handover.clock_ms is not None:
            self._at_work.now_ms, self._at_work.is_fresh = handover.clock_ms, False
        profile.inherit(handover)

    def take_deferred(self, deferred: Deferred, refuse: Refuse) -> None:
        """Takes an event whose line has been counted as such, and stage 1 with it, by the engine that put it off."""
        at_work = self._at_work
        now_ms = deferred.now_ms
        if isinstance(self._output, PlacedOutput):
            self._output.number = deferred.number
        if now_ms >= at_work.wheel.next_tick_ms:
            self._tick(at_work, now_ms)
        at_work.now_ms = now_ms
        try:
            self._take(deferred)
        except FROM_DATA as error:
            escaped = Escaped(deferred.number, deferred.line, f"{type(error).__name__}: {error}")
            escaped.__cause__ = error
            self._give_up(escaped, refuse)

    def _take(self, deferred: Deferred) -> None:
        line, now_ms = deferred.line, deferred.now_ms
        (profile,) = self.profiles
        event, decorations = self._routed(line, now_ms)
        (route,) = self._asking.routes
        assert route is not None, "an event without a session is not put off"
        key, event_ms, duration_ms, is_passive = route
        if event_ms is None:
            event_ms = self._own_time_ms(event)
        if event_ms is None:
            event_ms = now_ms
        added = profile.process(event, key, event_ms, duration_ms, is_passive, now_ms, deferred.turn)
        if self._output.wants_events:
            if added and not profile.shadow:
                decorations = {**(decorations or {}), **added}
            self._output.event(line, decorations, now_ms)
        self.counters.outcomes["bypassed" if added is False else "passive" if is_passive else "ok"] += 1
        if profile.ending:
            profile.after_event(now_ms)

    def _routed(self, line: bytes, now_ms: int) -> tuple[Any, Decorations]:
        """The event after stage 1, of which nothing counts once more."""
        event = self.decoder.decode(line)
        matches = self.rules.controller.matches
        before = matches[:]
        asking = self._asking
        asking.forget()
        decorations = self._stage_1[event.__class__](event, None, None, now_ms, asking)
        if asking.rows:
            decorations = asking.further_passes(None, None, now_ms, decorations)
        if decorations:
            self._overlay(event, decorations)
        matches[:] = before
        return event, decorations

    def _profile_class(self) -> type[Profile]:
        return _InheritingProfile


def _noting(numbered: Iterable[tuple[int, bytes]], output: PlacedOutput) -> Iterable[tuple[int, bytes]]:
    for number, line in numbered:
        output.number = number
        yield number, line
