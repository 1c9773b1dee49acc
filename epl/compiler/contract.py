"""What generated code expects of the objects it is given, and what it gives back.

A handler is called as `handler(e, s, p, now, fx)`:

- `e`: the event, its fields as attributes named by `epl.layout.slot_name`;
- `s`: the session (None in stage 1), its attributes as `epl.layout.SessionLayout` says, its properties as
  `epl.session_schema.PROPERTIES` says; `p`: the parent session, in rules of a sub-session;
- `now`: the clock, epoch ms; `fx`: an `Effects`.

It returns the decorations of the event (a dict, maybe empty, or None), or SPLIT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

SPLIT = "split"
"""Returned when a rule with @SplitSession matches a session that is not new: nothing has been written."""

COUNTER_TAKEN = TypeError("the attribute holds something that is no number")

Handler = Callable[[Any, Any, Any, int, Any], Any]
Route = tuple[str, int | None, int | None, bool]
"""What @Session gives: key, event time (epoch ms), gap (ms), passive."""


class Effects(Protocol):
    """What handlers leave for their driver."""

    routes: list[Route | None]
    """One place a profile, in configuration order."""
    subs: dict[int, tuple[str, int | None]]
    """Key and gap (ms) of sub-sessions to open or extend, by their number."""
    rows: list[tuple[Handler, Any]]
    """Rows of `insert into`, each with the handler of its type: further passes, first in first out."""
    end: bool
    """Set by @EndSession."""
    is_new: bool
    """Given: the session began with this event."""

    def set_duration(self, session: Any, gap_ms: int) -> None:
        """@UpdateDuration."""

    def count(self, counter: str) -> None:
        """@DebugSession."""

    def audit(self, rule: str, row: dict[str, Any]) -> None:
        """@DebugSession with audit."""

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        """A rule that could not be evaluated; it has had no effect."""

    def call(self, rule: str, function: Callable[[dict[str, Any]], object], row: dict[str, Any], event: Any) -> None:
        """A registered annotation's call."""

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """A row, when the program was compiled to report them."""
