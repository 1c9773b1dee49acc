"""What rules leave for the engine while an event is at work (the other side of `epl.compiler.contract`)."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from epl.compiler import Compiled, Handler, Route
from runtime.counters import EngineCounters
from runtime.session import SessionBase

_log = logging.getLogger("sojourn.rules")


class Effects:
    """One a tenant, used again for each event. `program` is the one whose handler runs now, for the names of rules."""

    __slots__ = (
        "_counters",
        "_logged",
        "_max_idle_ms",
        "_rule_names",
        "end",
        "is_new",
        "program",
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
        self.program: Compiled | None = None
        self._counters = counters
        self._max_idle_ms = max_idle_ms
        self._logged: set[tuple[str, str]] = set()
        self._rule_names: dict[int, dict[int, str]] = {}

    def set_duration(self, session: SessionBase, gap_ms: int) -> None:
        """@UpdateDuration: the gap from now on; above the maximum it is ignored and counted (engine.md §4)."""
        if gap_ms > self._max_idle_ms:
            self._counters.ignored_durations += 1
            return
        session.gap_ms = gap_ms
        # For the event at work `modified_ms` is now; a passive one moves neither.
        session.expires_at_ms = session.modified_ms + gap_ms

    def count(self, counter: str) -> None:
        """@DebugSession."""
        self._counters.debug[counter] += 1

    def audit(self, rule: int, row: dict[str, Any]) -> None:
        """@DebugSession with audit."""
        _log.info("audit of %s: %r", self._rule_name(rule), row)

    def fail(self, rule: int, error: Exception, event: Any) -> None:
        """Counts a rule that failed by rule and kind of error, and logs the first of each with its event."""
        name = self._rule_name(rule)
        kind = (name, type(error).__name__)
        self._counters.rule_errors[kind] += 1
        if kind not in self._logged:
            self._logged.add(kind)
            _log.warning("rule %s gave no row: %s: %s; event %r", name, kind[1], error, event)

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """Rows are reported to explaining drivers only."""
        raise NotImplementedError

    def _rule_name(self, number: int) -> str:
        program = self.program
        if program is None:
            return f"#{number}"
        names = self._rule_names.get(id(program))
        if names is None:
            statements = (*program.program.rules, *program.program.updates)
            names = self._rule_names[id(program)] = {statement.number: statement.name for statement in statements}
        return names[number]
