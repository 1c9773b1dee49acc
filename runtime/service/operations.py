"""What records say, done to a tenant's engine: the same way when it is written down, and when it is done again.

Nothing here asks a clock, a delivery or the configuration of the service; what differs from one time to the next is in
the record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from runtime.event import Refused
from runtime.rules import TenantRules
from runtime.service.intake import Answer
from runtime.service.records import End, Lines, Swap, Tick, letter_of_record, runs, unpacked
from runtime.service.served import Served
from runtime.takeover import CannotTakeOver, TakenOver, take_over
from runtime.tenants import TenantEngine, Tenants
from runtime.watchdog import Watchdog

_log = logging.getLogger("sojourn.service")


class Operations:
    """Does operations to the engines of tenants, and hands on what leaves."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    def take(self, served: Served, lines: Lines, rule_time_ms: int, on_stopped: Callable[[], None]) -> Answer:
        """Takes lines; what became of them. `on_stopped` is called before anything leaves, if a rule was stopped."""
        served.outlet.is_open = True
        answer = Answer()
        source = unpacked(lines.source)

        # Events that wait for others are refused later: what they need of the record is all that is kept of it.
        first_line, numbers = lines.first_line, lines.numbers

        def refuse(refused: Refused) -> None:
            if numbers is not None:
                refused = replace(refused, line=numbers[refused.line - first_line])
            answer.note(refused)
            served.letters.refuse(refused, source, lines.at_ms)

        if lines.disabled is not None and served.disabled is None:
            # It was switched off then, by a defect that is gone: they are dead letters all the same.
            reason = unpacked(lines.disabled)
            for number, line in enumerate(lines.lines, lines.first_line):
                if line.strip():
                    refuse(Refused(number, "disabled", reason, line))
        elif lines.lines or lines.heard is not None:
            with Watchdog(rule_time_ms) as watchdog:
                for begin, run, mark in runs(lines.lines, lines.heard):
                    if mark is not None:
                        self._tenants.hear(served.name, mark.partition, mark.highest_ms, mark.heard_ms)
                    else:
                        self._tenants.process(
                            served.name,
                            run,
                            lines.at_ms if served.follows_wall_clock else None,
                            partition=lines.partition,
                            wall_ms=lines.at_ms if lines.heard is None else lines.heard.wall_ms,
                            first_line=lines.first_line + begin,
                            refuse=refuse,
                        )
            if watchdog.stopped:
                on_stopped()
        answer.accepted = sum(1 for line in lines.lines if line and not line.isspace()) - answer.refused
        for letter in lines.letters:
            served.letters.write(letter_of_record(letter, served.name, source), lines.at_ms)
        if lines.position is not None:
            served.positions[source if lines.counted_by is None else lines.counted_by] = lines.position
        served.flush()
        return answer

    def move(self, served: Served, done: Tick | End, rule_time_ms: int, on_stopped: Callable[[], None]) -> bool | None:
        """Moves time on, or ends a session: then what `Engine.end_session` says of it."""
        served.outlet.is_open = done.is_ready
        ended = None
        with Watchdog(rule_time_ms) as watchdog:
            if served.follows_wall_clock:
                self._tenants.advance(done.at_ms, served.name)
            match done:
                case Tick():
                    self._tenants.close_idle(done.at_ms, served.name)
                case End():
                    ended = self._tenants.end_session(served.name, unpacked(done.profile), unpacked(done.key))
                case _:
                    assert_never(done)
        if watchdog.stopped:
            on_stopped()
        served.flush()
        return ended

    # ---- other rules

    def engine_for(self, rules: TenantRules) -> TenantEngine:
        """An engine for other rules of a tenant. Raises NoClock."""
        return self._tenants.engine_for(rules)

    def begin_with(self, served: Served, rules: TenantRules, version: int) -> None:
        """Other rules for a tenant that has seen nothing yet. Raises NoClock."""
        self._tenants.replace(self.engine_for(rules))
        served.go_by(rules, version)

    def swap(
        self, served: Served, done: Swap, engine: TenantEngine, rule_time_ms: int, on_stopped: Callable[[], None]
    ) -> TakenOver:
        """Has an engine of other rules go on where the tenant's is. Raises CannotTakeOver; then all is as it was."""
        served.outlet.is_open = done.is_ready
        try:
            taken = take_over(engine, served.tenant.engine)
        except CannotTakeOver:
            raise
        except Exception:
            if served.disabled is None:
                raise
            # What the defect has left can not be gone on with, so it begins anew.
            _log.exception("no session of a tenant that was switched off could be taken over")
            lost = served.tenant.engine.live_sessions
            engine = self.engine_for(engine.rules)
            taken = TakenOver(0, lost)
        served.go_by(engine.rules, done.version)
        with Watchdog(rule_time_ms) as watchdog:
            self._tenants.replace(engine, taken.waiting)
        if watchdog.stopped:
            on_stopped()
        served.flush()
        return taken
