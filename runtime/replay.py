"""Replay: files of events through an engine on a virtual clock, as fast as they can be read.

The clock is the events' own: a field of them, or the event time that stage 1 gives. It never goes back, so a replay
gives the sessions that a live run would have given.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from epl.typed import RouteToProfile
from epl.types import LONG, Type
from runtime.engine import Clock, Engine
from runtime.event import BAD_LINE, Refused
from runtime.io import DeadLetter, DeadLetterWriter, LineSink, open_source
from runtime.output import LineOutput
from runtime.rules import TenantRules

OnProgress = Callable[[str, int, int | None], None]
"""Called after each block with the file's name, the bytes read of it, and its size where known."""

_BLOCK_BYTES = 256 * 1024


class NoClock(Exception):
    """Nothing says what time an event is of; the message says what would."""


@dataclass(slots=True)
class Replayed:
    """What a replay did. `lines_out` counts events and markers that left; `refused` dead letters by code."""

    engine: Engine
    seconds: float = 0.0
    lines_out: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first_refused: list[str] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Events that were read and not refused."""
        return self.engine.counters.outcomes.total()

    @property
    def events_per_second(self) -> float:
        """Events by wall time, everything included."""
        return self.events / self.seconds if self.seconds else 0.0


class Replay:
    """One replay of one tenant. Raises NoClock when neither rules nor fields give a time.

    `sort`: all events are read into memory and taken in the order of their time.
    """

    def __init__(
        self,
        rules: TenantRules,
        sink: LineSink | None,
        dead_letters: DeadLetterWriter | None = None,
        *,
        markers_only: bool = False,
        now_field: str | None = None,
        time_field: str | None = None,
        sort: bool = False,
        engine: Callable[..., Engine] = Engine,
    ) -> None:
        time_field = time_field or rules.config.time.source
        for name in (now_field, time_field):
            if name is not None:
                _require_long(rules, name)
        if now_field is None and time_field is None and not _gives_event_time(rules):
            raise NoClock(
                "the controller selects no `_timestamp_` of type long, so nothing tells the time of an event; "
                "select one, or name a field: --time-field FIELD or --now-field FIELD"
            )
        self._output = LineOutput(wants_events=sink is not None and not markers_only)
        clock = Clock.EVENT_TIME if now_field is None else Clock.FIELD
        self._engine = engine(rules, self._output, clock=clock, now_field=now_field, time_field=time_field)
        self._rules = rules
        self._sink = sink
        self._dead_letters = dead_letters
        self._sort = sort
        self._latest_ms = 0
        self._result = Replayed(self._engine)

    def run(self, sources: Sequence[str], on_progress: OnProgress | None = None) -> Replayed:
        """Reads the sources one after the other, then lets time run on until every session has ended.

        Raises SourceError and SinkError; what was read before is processed.
        """
        began = time.perf_counter()
        try:
            waiting: list[tuple[int, bytes]] = []
            for source in sources:
                for lines, first_line, refuse in self._blocks(source, on_progress):
                    if self._sort:
                        waiting += self._timed(lines, first_line, refuse)
                    else:
                        self._process(lines, first_line, refuse)
            if self._sort:
                waiting.sort(key=itemgetter(0))
                for batch in _batched([line for _, line in waiting]):
                    self._process(batch, 1, _already_decoded)
            self._engine.drain()
            self._write()
        finally:
            self._result.seconds = time.perf_counter() - began
        return self._result

    def _blocks(
        self, name: str, on_progress: OnProgress | None
    ) -> Iterator[tuple[list[bytes], int, Callable[[Refused], None]]]:
        """The lines of a source block by block, the number of the first, and who takes refused ones."""
        config = self._rules.config

        def refuse(refused: Refused) -> None:
            self._refuse(
                DeadLetter(refused.reason, refused.code, config.tenant, source.name, refused.line, refused.raw)
            )

        def refuse_long(line: int, size: int, head: bytes) -> None:
            reason = f"the line is {size:,} bytes long; the limit is {config.limits.max_line_bytes:,}"
            self._refuse(DeadLetter(reason, "too_long", config.tenant, source.name, line, head, size))

        source = open_source(
            name,
            field_types=_field_types(self._rules),
            max_line_bytes=config.limits.max_line_bytes,
            # The lines of a block stay in the processor's cache from reading to writing: 1 MiB costs 5 % more.
            chunk_bytes=_BLOCK_BYTES,
            on_long_line=refuse_long,
        )
        with source:
            for block in source:
                yield block.data.split(b"\n"), block.first_line, refuse
                if on_progress is not None:
                    on_progress(source.name, block.read_bytes, source.total_bytes)

    def _process(self, lines: list[bytes], first_line: int, refuse: Callable[[Refused], None]) -> None:
        self._engine.process(lines, first_line=first_line, refuse=refuse)
        self._write()

    def _timed(
        self, lines: list[bytes], first_line: int, refuse: Callable[[Refused], None]
    ) -> Iterator[tuple[int, bytes]]:
        """Lines with their event time; one without a time goes with the line before it."""
        for number, line in enumerate(lines, first_line):
            try:
                time_ms = self._engine.event_time_ms(line)
            except BAD_LINE as error:
                refused = self._engine.decoder.explain(line, error, number)
                if refused is not None:
                    refuse(refused)
                    continue
                time_ms = None
            if time_ms is not None:
                self._latest_ms = time_ms
            yield self._latest_ms, line

    def _write(self) -> None:
        lines = self._output.take()
        if lines:
            self._result.lines_out += len(lines)
            if self._sink is not None:
                self._sink.write(lines)

    def _refuse(self, letter: DeadLetter) -> None:
        result = self._result
        result.refused[letter.code] += 1
        if len(result.first_refused) < 3:
            result.first_refused.append(f"{letter.source}:{letter.line}: {letter.reason}")
        if self._dead_letters is not None:
            self._dead_letters.write(letter)


def _batched(lines: list[bytes], size: int = 1000) -> Iterator[list[bytes]]:
    """The lines in lists of `size`."""
    return (lines[start : start + size] for start in range(0, len(lines), size))


def _already_decoded(refused: Refused) -> None:
    raise AssertionError(f"a line that decoded before does not now: {refused.reason}")


def _gives_event_time(rules: TenantRules) -> bool:
    effects = (effect for rule in rules.controller.program.rules for effect in rule.effects)
    return any(isinstance(effect, RouteToProfile) and effect.timestamp_ms is not None for effect in effects)


def _require_long(rules: TenantRules, name: str) -> None:
    """A clock's field must be a long wherever it is declared."""
    for event_type in rules.event_types.values():
        found = event_type.fields.get(name, LONG)
        if found != LONG:
            raise NoClock(f"`{event_type.name}.{name}` is {found}; a clock is a long of milliseconds since 1970")


def _field_types(rules: TenantRules) -> dict[str, Type]:
    """The types of all fields by name, for sources that carry text only (CSV)."""
    return {name: type_ for event_type in rules.event_types.values() for name, type_ in event_type.fields.items()}
