"""What rules leave for the engine while an event is at work (the other side of `epl.compiler.contract`)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from epl.compiler import Handler, Route
from epl.errors import RuleError
from epl.extend.values import own
from runtime.counters import EngineCounters
from runtime.session import SessionBase

Decorations = dict[str, Any] | None

_log = logging.getLogger("sojourn.rules")


def merged(decorations: Decorations, more: Decorations) -> Decorations:
    """Decorations with later ones over them."""
    return {**decorations, **more} if decorations and more else more or decorations


class Effects:
    """One a tenant, used again for each event."""

    __slots__ = (
        "_counters",
        "_logged",
        "_max_idle_ms",
        "end",
        "is_new",
        "routes",
        "rows",
        "subs",
    )

    def __init__(self, counters: EngineCounters, max_idle_ms: int, profiles: int) -> None:
        self.routes: list[Route | None] = [None] * profiles
        self.subs: dict[int, tuple[str, int | None]] = {}
        self.rows: deque[tuple[Handler, Any]] = deque()
        self.end = False
        self.is_new = False
        self._counters = counters
        self._max_idle_ms = max_idle_ms
        self._logged: set[tuple[str, str]] = set()

    def further_passes(
        self, session: SessionBase | None, parent: SessionBase | None, now_ms: int, decorations: Decorations
    ) -> Decorations:
        """Rows of `insert into`, first in first out; each pass sees the effects of the one before."""
        rows = self.rows
        # The event's own pass has been applied: too late to split before it.
        self.is_new = True
        while rows:
            handler, row = rows.popleft()
            decorations = merged(decorations, handler(row, session, parent, now_ms, self))
        return decorations

    def forget(self) -> None:
        """Drops what an event has left: it failed, or was only asked about."""
        self.routes[:] = [None] * len(self.routes)
        self.rows.clear()
        self.subs.clear()
        self.end = False

    def set_duration(self, session: SessionBase, gap_ms: int) -> None:
        """@UpdateDuration: the gap from now on; above the maximum it is ignored and counted (engine.md §4)."""
        if gap_ms > self._max_idle_ms:
            self._counters.ignored_durations += 1
            return
        # Below 0 is due at once, as 0 is; an expiry in the past would end the session at a tick before this event.
        session.gap_ms = max(gap_ms, 0)
        # For the event at work `modified_ms` is now.
        session.held_until_ms = None

    def count(self, counter: str) -> None:
        """@DebugSession."""
        self._counters.debug[counter] += 1

    def audit(self, rule: str, row: dict[str, Any]) -> None:
        """@DebugSession with audit."""
        _log.info("audit of %s: %r", rule, row)

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        """Counts a rule that failed by rule and kind of error, and logs the first of each with its event."""
        kind = (rule, type(error).__name__)
        self._counters.rule_errors[kind] += 1
        if kind not in self._logged:
            self._logged.add(kind)
            told = {"incident": "a rule failed", "rule": rule, "error": kind[1]}
            _log.warning("rule %s gave no row: %s: %s; event %r", rule, kind[1], error, event, extra={"incident": told})

    def call(self, rule: str, function: Callable[[dict[str, Any]], object], row: dict[str, Any], event: Any) -> None:
        """A registered annotation's call: what it raises is an error of its rule, whatever it is."""
        try:
            function({name: own(value) for name, value in row.items()})
        except (Exception, SystemExit) as error:
            self.fail(rule, RuleError(str(error)) if isinstance(error, SystemExit) else error, event)

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """Rows are reported to explaining drivers only."""
        raise NotImplementedError


class AskingEffects(Effects):
    """For asking what rules would say of an event: nothing is counted, logged or called."""

    __slots__ = ()

    def count(self, counter: str) -> None:
        """Nothing."""

    def audit(self, rule: str, row: dict[str, Any]) -> None:
        """Nothing."""

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        """Nothing."""

    def call(self, rule: str, function: Callable[[dict[str, Any]], object], row: dict[str, Any], event: Any) -> None:
        """Nothing."""

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """Nothing."""
