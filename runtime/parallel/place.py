"""Lines with their place in the order of one process, so that the lines of two engines can be merged into it.

Everything leaves at a tick or with an event. A tick comes before the events of its time; in it, sessions end in the
order of their last update.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runtime.cache import TimeWheel
from runtime.output import LineOutput
from runtime.profile import Profile
from runtime.session import MainSession

Place = tuple[int, int, int, int]
"""Of what leaves at a tick: its time, 0, and the last update of the session, its ms and its turn. Of what leaves with
an event: the clock, 1, the number of its line, 0."""

PlacedLine = tuple[Place, bytes]


class PlacedOutput(LineOutput):
    """Makes lines as they are made elsewhere, and knows of which line of events they are."""

    def __init__(self, *, wants_events: bool, keeps_places: bool) -> None:
        super().__init__(wants_events=wants_events)
        self.number, self.line = 0, b""
        """The line at work."""
        self.leaves_out = False
        """The event at work is put off, so it does not leave now."""
        self.ending: MainSession | None = None
        """The session at which a tick looks."""
        self._keeps_places = keeps_places
        self._places: list[Place] = []

    def noting(self, numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The same lines, each noted as it comes to work."""
        for number, line in numbered:
            self.number, self.line = number, line
            yield number, line

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Appends the event's line."""
        if self.leaves_out:
            self.leaves_out = False
            return
        super().event(raw, decorations, now_ms)
        if self._keeps_places:
            self._places.append((now_ms, 1, self.number, 0))

    @property
    def as_it_came(self) -> None:
        """An event may be left out, and has a place."""

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """Appends the marker's line."""
        super().marker(fields, now_ms)
        if self._keeps_places:
            session = self.ending
            at_event = (now_ms, 1, self.number, 0)
            self._places.append(at_event if session is None else (now_ms, 0, session.modified_ms, session.turn))

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Appends the marker's line."""
        self.marker(fields, now_ms)
        return True

    def take_places(self) -> list[Place]:
        """The places of the lines since the last call; none where nobody wants them."""
        places, self._places = self._places, []
        return places


class PlacedProfile(Profile):
    """A profile that tells its output at which session a tick looks."""

    def on_tick(self, session: MainSession, tick_ms: int, wheel: TimeWheel, judged: str = "gap") -> None:
        """The second has come for which a session stood in the wheel."""
        output = self._around.output
        assert isinstance(output, PlacedOutput)
        output.ending = session
        super().on_tick(session, tick_ms, wheel, judged)
        output.ending = None
