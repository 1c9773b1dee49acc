"""The two engines of a worker that begins in the middle: one for keys without a past, one for those that may have one.

`LaterEngine` takes the events as they come, but for those of keys of which there is doubt: it puts them off. Events of
sessions that it has opened are not asked about, so they cost what they always do.

`Successor` has the sessions of before, once they are known, and takes what was put off, at the clock of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from epl.structs import replace
from runtime.cache import NEVER_MS, SLOT_MS, Cache, TimeWheel
from runtime.doubt import Doubt, PutOff
from runtime.engine import Engine
from runtime.intake import Escaped
from runtime.loop import Loop, loop_of
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
        noted = lines if places is None else places.noting(lines, range(first_line, first_line + len(lines)))
        # Nothing is judged by the wall clock where files can be cut.
        self._process(self._at_work, enumerate(noted, first_line), refuse, NEVER_MS, 0)
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

    def take_put_off(self, put_off: Sequence[PutOff], refuse: Refuse) -> None:
        """Takes events whose lines have been counted, and stage 1 with them, by the engine that put them off."""
        places = self._places
        rest = iter(put_off) if places is None else places.noting(put_off, [number for number, *_ in put_off])
        while True:
            try:
                self._loop_over_put_off(self, self._at_work, rest, refuse)
                return
            except Escaped as escaped:
                self._give_up(escaped, refuse)

    @cached_property
    def _loop_over_put_off(self) -> Loop:
        # What is late extends its session, else files are not cut.
        return loop_of(replace(self._loop_plan, takes_put_off=True, counts_late=self._judges_late))
