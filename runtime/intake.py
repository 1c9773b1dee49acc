"""What surrounds the loops over events: clocks that are not set yet, lines that are refused, events that fail."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from epl.compiler import Handler
from epl.errors import RuleError
from epl.layout import slot_name
from runtime.config import TenantConfig, UnknownEvents
from runtime.doubt import Doubt, PutOff
from runtime.effects import Effects
from runtime.event import BAD_LINE, Refused
from runtime.io.letter_codes import REASONS
from runtime.output import Output
from runtime.profile import Profile
from runtime.reorder import Refuse
from runtime.row import Decoder, Line, raw_line
from runtime.timeline import Clock, Partition, Timeline

_log = logging.getLogger("sojourn.engine")

FROM_DATA = (ArithmeticError, AttributeError, LookupError, RecursionError, RuleError, TypeError, ValueError)
"""What data may cause where nobody thought of it. Errors of sinks and of drivers are not among them."""


class Escaped(Exception):
    """An event that failed in a way for which there is no rule."""

    def __init__(self, number: int, line: Line, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.line = line
        self.reason = reason


class Intake(Timeline):
    """Hands lines to a loop, and sees to those that are no events. Who extends it says what the engine is made of."""

    decoder: Decoder
    _effects: Effects
    _numbered: tuple[tuple[int, Profile], ...]
    _output: Output
    _stage_1: Mapping[type[Any], Handler]

    def __init__(self, config: TenantConfig, clock: Clock, *, now_field: str | None, time_field: str | None) -> None:
        super().__init__(config, clock)
        self._now_slot = None if now_field is None else slot_name(now_field)
        self._time_slot = None if time_field is None else slot_name(time_field)
        self._second, self._in_second = 0, 0  # the second at work, and how many events it has had
        self._doubt: Doubt | None = None
        """About the past of keys, in an engine that begins in the middle of a stream."""
        self.put_off: list[PutOff] = []
        """Events of such keys."""

    @abstractmethod
    def _overlay(self, event: Any, decorations: Mapping[str, Any]) -> None:
        """Puts decorations into the fields that rules read."""

    @abstractmethod
    def _process_all(
        self,
        at_work: Partition,
        lines: Iterator[tuple[int, Any]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        """Takes numbered lines through the engine; raises Escaped for an event that failed."""

    def _process(
        self,
        at_work: Partition,
        lines: Iterable[tuple[int, Line]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        """The way of each event (engine.md §2); `latest_ms` is the latest time that one may have.

        What escapes from one event in spite of all is its own dead letter: the others go on.
        """
        rest = iter(lines)
        while True:
            try:
                while at_work.is_fresh and self._clock is not Clock.DRIVER:
                    first = next(rest, None)
                    if first is None:
                        return
                    self._set_clock(at_work, first[1], latest_ms, wall_ms)
                    self._process_all(at_work, iter((first,)), refuse, latest_ms, wall_ms)
                self._process_all(at_work, rest, refuse, latest_ms, wall_ms)
                return
            except Escaped as escaped:
                self._give_up(escaped, refuse)

    def _give_up(self, escaped: Escaped, refuse: Refuse) -> None:
        """An event that failed becomes a dead letter, and nothing of it is left behind."""
        self._effects.forget()
        for profile in self.profiles:
            profile.ending.clear()
        _log.error("an event failed: %s", escaped.reason, exc_info=escaped.__cause__)
        refuse(self._refused(escaped.number, "failed", escaped.line, escaped.reason))

    def _set_clock(self, at_work: Partition, line: Line, latest_ms: int, wall_ms: int) -> None:
        """The first event that has a time sets the clock to it, however early it is."""
        try:
            time_ms = self.event_time_ms(line)
        except BAD_LINE:
            return
        if time_ms is not None:
            at_work.now_ms, at_work.is_fresh = (wall_ms if time_ms > latest_ms else time_ms), False

    def _leave(
        self,
        at_work: Partition,
        now_ms: int,
        last: tuple[int, int],
        behind: int,
        **events: int,
    ) -> None:
        """Writes down what a loop has kept in local variables; `events` by what became of them."""
        at_work.now_ms = now_ms
        at_work.last = last
        self.counters.behind_clock += behind
        for profile in self.profiles:
            profile.count_gathered()
        outcomes = self.counters.outcomes
        for name, count in events.items():
            if count:
                outcomes[name] += count

    def _not_decoded(self, line: Line, error: Exception, number: int, refuse: Refuse, now_ms: int) -> None:
        """A line that gave no event: refused, passed on when only its type is unknown, passed over when blank."""
        refused = self.decoder.explain(line, error, number)
        if refused is not None:
            self.counters.refused[refused.code] += 1
            refuse(refused)
        elif (raw := raw_line(line)).strip():
            if self._config.unknown_events is UnknownEvents.DEAD_LETTER:
                refuse(self._refused(number, "unknown_type", raw))
                return
            self.counters.outcomes["unknown_type"] += 1
            if self._output.wants_events:
                self._output.event(raw, None, now_ms)

    def _refused(self, number: int, code: str, line: Line, reason: str | None = None) -> Refused:
        self.counters.refused[code] += 1
        return Refused(number, code, reason or REASONS[code], raw_line(line))

    def _is_too_many(self, now_ms: int) -> bool:
        """True when the second at work has had as many events as it may."""
        second = now_ms // 1000
        if second > self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > self._config.limits.rate

    def _own_time_ms(self, event: Any) -> int | None:
        """The time of an event to which stage 1 gives no `_timestamp_`."""
        return None if self._time_slot is None else getattr(event, self._time_slot)
