"""Rules that run beside a tenant's own, on the same events, to see what they would do: nothing of theirs is delivered.

It begins with a copy of the sessions that are live. A defect in it is its own: the tenant goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from runtime.config import TimeDomain
from runtime.engine import Engine
from runtime.output import LineOutput
from runtime.protocol import reload_answers
from runtime.service.comparison import Comparison
from runtime.service.records import Heard, runs
from runtime.takeover import TakenOver, take_over
from runtime.watchdog import Watchdog

_log = logging.getLogger("sojourn.service")


class Shadow:
    """The shadow of an engine. `version` is that of its rules, `running_version` that of the rules it is compared with.

    `engine` has seen nothing yet, and its output is `output`. Raises CannotTakeOver.
    """

    def __init__(
        self,
        engine: Engine,
        output: LineOutput,
        running: Engine,
        *,
        version: int,
        running_version: int | None,
        now_ms: int,
    ) -> None:
        self.version = version
        self.running_version = running_version
        self.since_ms = now_ms
        self.events = 0
        self.problem: str | None = None
        """Why it goes on no longer."""
        self.comparison = Comparison(running.rules.config, engine.rules.config)
        self.taken: TakenOver = take_over(engine, running, copied=True)
        self._engine = engine
        self._output = output
        self._follows_wall_clock = engine.rules.config.time.domain is TimeDomain.PROCESSING
        self._left: list[bytes] = []
        self._do(lambda: engine.take_waiting(self.taken.waiting), now_ms)

    def note(self, lines: Sequence[bytes]) -> None:
        """What left the running one; the shadow's own is compared with it when it has had the same."""
        self._left += lines

    def process(
        self, lines: Sequence[bytes], now_ms: int, first_line: int, partition: int = 0, heard: Heard | None = None
    ) -> None:
        """The lines that the running one has had, and what it has heard."""
        if lines or heard is not None:
            self.events += len(lines)
            self._do(lambda: self._process(lines, now_ms, first_line, partition, heard), now_ms)

    def tick(self, now_ms: int) -> None:
        """A second has passed."""
        self._do(lambda: self._tick(now_ms), now_ms)

    def end_session(self, profile: str, key: str, now_ms: int) -> None:
        """Somebody has ended a session."""
        self._do(lambda: self._end_session(profile, key, now_ms), now_ms)

    def data(self) -> reload_answers.Shadow:
        """For machines and for the page."""
        return {
            "version": self.version,
            "running_version": self.running_version,
            "since_ms": self.since_ms,
            "sessions_at_start": self.taken.sessions,
            "dropped_sessions": self.taken.dropped_sessions,
            "live_sessions": self._engine.live_sessions,
            "events": self.events,
            "problem": self.problem,
            "rule_errors": self._engine.counters.rule_errors.total(),
            "comparison": self.comparison.data(),
        }

    def _process(
        self, lines: Sequence[bytes], now_ms: int, first_line: int, partition: int, heard: Heard | None
    ) -> None:
        clock_ms = now_ms if self._follows_wall_clock else None
        wall_ms = now_ms if heard is None else heard.wall_ms
        for begin, run, mark in runs(lines, heard):
            if mark is not None:
                self._engine.hear(mark.partition, mark.highest_ms, mark.heard_ms)
            else:
                self._engine.process(run, clock_ms, partition=partition, wall_ms=wall_ms, first_line=first_line + begin)

    def _tick(self, now_ms: int) -> None:
        if self._follows_wall_clock:
            self._engine.advance(now_ms)
        self._engine.close_idle(now_ms)

    def _end_session(self, profile: str, key: str, now_ms: int) -> None:
        if self._follows_wall_clock:
            self._engine.advance(now_ms)
        self._engine.end_session(profile, key)

    def _do(self, do: Callable[[], object], at_ms: int) -> None:
        if self.problem is None:
            try:
                with Watchdog(self._engine.rules.config.limits.rule_time_ms):
                    do()
            except Exception as error:
                self.problem = f"a defect of Sojourn: {type(error).__name__}: {error}"
                _log.exception("a shadow failed", extra={"incident": {"tenant": self._engine.rules.config.tenant}})
            else:
                self.comparison.compare(self._left, self._output.take(), at_ms)
        self._left = []
