"""Lines with their place in the order of one process, so that the lines of two engines can be merged into it.

Everything leaves at a tick or with an event. A tick comes before the events of its time; in it, sessions end in the
order of their last update.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any, TypeVar

from runtime.cache import Cache, TimeWheel
from runtime.output import LineOutput
from runtime.session import MainSession

Place = tuple[int, int, int, int]
"""Of what leaves at a tick: its time, 0, and the last update of the session, its ms and its turn. Of what leaves with
an event: the clock, 1, the number of its line, 0."""

PlacedLine = tuple[Place, bytes]
Event = TypeVar("Event")


class PlacedOutput(LineOutput):
    """Makes lines as they are made elsewhere, and knows of which line of events they are."""

    def __init__(self, *, wants_events: bool) -> None:
        super().__init__(wants_events=wants_events)
        self.ending: MainSession | None = None
        """The session at which a tick looks."""
        self._left: Iterator[Any] = iter(())
        self._numbers: Sequence[int] = (0,)
        self._places: list[Place] = []

    def noting(self, events: Sequence[Event], numbers: Sequence[int]) -> Iterator[Event]:
        """The same events, of which there are some, with the numbers of their lines.

        Which one is at work shows by how many are left: to note each would cost a step more for all of them.
        """
        self._left, self._numbers = iter(events), numbers
        return self._left

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Appends the event's line."""
        super().event(raw, decorations, now_ms)
        self._places.append(self._at_event(now_ms))

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """Appends the marker's line."""
        super().marker(fields, now_ms)
        session = self.ending
        at_tick = None if session is None else (now_ms, 0, session.modified_ms, session.turn)
        self._places.append(at_tick or self._at_event(now_ms))

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Appends the marker's line."""
        self.marker(fields, now_ms)
        return True

    def take_places(self) -> list[Place]:
        """The places of the lines since the last call."""
        places, self._places = self._places, []
        return places

    def _at_event(self, now_ms: int) -> Place:
        return now_ms, 1, self._numbers[-1 - length_hint(self._left)], 0


class PlacedWheel(TimeWheel):
    """A wheel that tells an output at which session a tick looks."""

    def __init__(self, cache: Cache, number: int, output: PlacedOutput) -> None:
        super().__init__(cache, number)
        self._output = output

    def take(self, tick_ms: int) -> Iterator[MainSession]:
        """As any wheel does, one by one."""
        return self._one_by_one(super().take(tick_ms))

    def _one_by_one(self, found: Iterable[MainSession]) -> Iterator[MainSession]:
        output = self._output
        try:
            for session in found:
                output.ending = session
                yield session
        finally:
            output.ending = None
