"""Lines with their place in the order of one process, so that the lines of two engines can be merged into it.

Everything leaves at a tick or with an event. A tick comes before the events of its time; in it, sessions end in the
order of their last update.
"""

from __future__ import annotations

from typing import Any

from runtime.cache import TimeWheel
from runtime.output import LineOutput, decorated, to_json
from runtime.profile import Profile
from runtime.session import MainSession

Place = tuple[int, int, int, int]
"""Of what leaves at a tick: its time, 0, and the last update of the session, its ms and its turn. Of what leaves with
an event: the clock, 1, the number of its line, 0."""

PlacedLine = tuple[Place, bytes]


class PlacedOutput(LineOutput):
    """Makes lines as they are made elsewhere, each with its place. `number` is that of the line at work."""

    def __init__(self, *, wants_events: bool = True) -> None:
        super().__init__(wants_events=wants_events)
        self.number = 0
        self.ending: MainSession | None = None
        """The session at which a tick looks."""
        self._placed: list[PlacedLine] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        """Appends the event's line."""
        self._placed.append(((now_ms, 1, self.number, 0), decorated(raw, decorations) if decorations else raw))

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """Appends the marker's line."""
        session = self.ending
        place = (now_ms, 1, self.number, 0) if session is None else (now_ms, 0, session.modified_ms, session.turn)
        self._placed.append((place, to_json(fields)))

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Appends the marker's line."""
        self.marker(fields, now_ms)
        return True

    def take_placed(self) -> list[PlacedLine]:
        """The lines since the last call."""
        placed, self._placed = self._placed, []
        return placed


class PlacedProfile(Profile):
    """A profile that tells its output at which session a tick looks."""

    def on_tick(self, session: MainSession, tick_ms: int, wheel: TimeWheel, judged: str = "gap") -> None:
        """The second has come for which a session stood in the wheel."""
        output = self._around.output
        if isinstance(output, PlacedOutput):
            output.ending = session
            super().on_tick(session, tick_ms, wheel, judged)
            output.ending = None
        else:
            super().on_tick(session, tick_ms, wheel, judged)
