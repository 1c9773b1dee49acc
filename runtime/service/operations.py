"""What records say, done to a tenant's engine: the same way when it is written down, and when it is done again.

Nothing here asks a clock, a delivery or the configuration of the service; what differs from one time to the next is in
the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from runtime.event import Refused
from runtime.service.intake import Answer
from runtime.service.records import End, Lines, Tick, letter_of_record, unpacked
from runtime.service.served import Served
from runtime.tenants import Tenants
from runtime.watchdog import Watchdog


class Operations:
    """Does operations to the engines of tenants, and hands on what leaves."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    def take(self, served: Served, lines: Lines, rule_time_ms: int, on_stopped: Callable[[], None]) -> Answer:
        """Takes lines; what became of them. `on_stopped` is called before anything leaves, if a rule was stopped."""
        served.outlet.is_open = True
        answer = Answer()
        source = unpacked(lines.source)

        def refuse(refused: Refused) -> None:
            answer.note(refused)
            served.letters.refuse(refused, source, lines.at_ms)

        if lines.disabled is not None and served.disabled is None:
            # It was switched off then, by a defect that is gone: they are dead letters all the same.
            reason = unpacked(lines.disabled)
            for number, line in enumerate(lines.lines, lines.first_line):
                if line.strip():
                    refuse(Refused(number, "disabled", reason, line))
        elif lines.lines:
            with Watchdog(rule_time_ms) as watchdog:
                self._tenants.process(
                    served.name,
                    lines.lines,
                    lines.at_ms if served.follows_wall_clock else None,
                    partition=lines.partition,
                    wall_ms=lines.at_ms,
                    first_line=lines.first_line,
                    refuse=refuse,
                )
            if watchdog.stopped:
                on_stopped()
        answer.accepted = sum(1 for line in lines.lines if line and not line.isspace()) - answer.refused
        for letter in lines.letters:
            served.letters.write(letter_of_record(letter, served.name, source), lines.at_ms)
        if lines.position is not None:
            served.positions[source] = lines.position
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
