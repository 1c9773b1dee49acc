"""Replay: files of events through an engine on a virtual clock, as fast as they can be read.

The clock is the events' own: a field of them, or the event time that stage 1 gives. It never goes back, so a replay
gives the sessions that a live run would have given. Sessions that are open at the end of the files end as time runs
on, or wait in a snapshot for the next files.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from runtime.clocks import clock_options
from runtime.counters import by_outcome
from runtime.engine import Engine
from runtime.event import BAD_LINE, Refused
from runtime.io import DeadLetter, DeadLetterWriter, LineSink
from runtime.letters import letter_of, source_label, too_long_letter
from runtime.output import LineOutput
from runtime.reading import OnProgress, read_events
from runtime.reorder import Refuse
from runtime.row import Line, Lines
from runtime.rules import TenantRules
from runtime.snapshot import Restored, load, save
from runtime.watchdog import Watchdog

Placed = tuple[Line, int, Refuse]
"""A line or a row, its number where it came from, and who takes it if it is refused."""

_BATCH = 1000
_SHOWN = 3


@dataclass(slots=True)
class Refusals:
    """Events that became dead letters: `refused` by code, and the first few in words."""

    refused: Counter[str] = field(default_factory=Counter, kw_only=True)
    first_refused: list[str] = field(default_factory=list, kw_only=True)

    def count_refused(self, letter: DeadLetter) -> None:
        """Counts one more."""
        self.refused[letter.code] += 1
        if len(self.first_refused) < _SHOWN:
            self.first_refused.append(f"{letter.source}:{letter.line}: {letter.reason}")

    def add_refused(self, more: Refusals) -> None:
        """Counts those of later events."""
        self.refused.update(more.refused)
        self.first_refused = [*self.first_refused, *more.first_refused][:_SHOWN]


@dataclass(slots=True)
class Workers:
    """How many processes a replay asked for and used; `why` says why not so many.

    `redone` parts had to be gone through once more, after the part before.
    """

    asked: int
    used: int
    why: str | None = None
    redone: int = 0


@dataclass(slots=True)
class Replayed(Refusals):
    """What a replay of one tenant did. `lines_out` counts events and markers that left.

    `workers` says who did it, where several were asked for. `resumed` is what came from a snapshot. The counters of the
    engine go on from there, so they count as well the `events_before` of earlier replays.
    """

    engine: Engine
    seconds: float = 0.0
    lines_out: int = 0
    resumed: Restored | None = None
    events_before: int = 0
    workers: Workers | None = None

    @property
    def events(self) -> int:
        """Events that were read and not refused."""
        return self.engine.counters.outcomes.total() - self.events_before

    @property
    def dropped_values(self) -> int:
        """Attributes and sub-sessions that came from a snapshot and that the rules of now have no place for.

        A session in pages is read when it is needed, so there may be more to come while sessions are open.
        """
        return sum(profile.table.codec.dropped for profile in self.engine.profiles)

    @property
    def outcomes(self) -> Counter[str]:
        """All lines that may be events, by what became of them."""
        return by_outcome(self.engine.counters.outcomes, self.refused)

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
        clock = clock_options(rules, now_field=now_field, time_field=time_field)
        self._output = LineOutput(wants_events=sink is not None and not markers_only)
        self._engine = engine(rules, self._output, **clock)
        self._rules = rules
        self._sink = sink
        self._dead_letters = dead_letters
        self._sort = sort
        self._latest_ms = 0
        self._result = Replayed(self._engine)

    def resume(self, path: Path) -> Restored:
        """Goes on from a snapshot, before anything is read. Raises SnapshotError; the replay is then of no use."""

        def refuse(refused: Refused) -> None:
            # Where the event came from is not known any more.
            self._refuse(letter_of(refused, self._rules.config.tenant, str(path)))

        restored = load(self._engine, path, refuse)
        self._result.resumed = restored
        self._result.events_before = self._result.events
        return restored

    def save(self, path: Path) -> None:
        """Writes a snapshot, for another replay to go on from. Raises SnapshotError.

        What has left until then is not sent again, so it should have reached its sink for good.
        """
        save(self._engine, path)

    def run(
        self, sources: Sequence[str], on_progress: OnProgress | None = None, *, to_the_end: bool = True
    ) -> Replayed:
        """Reads the sources one after the other; then, `to_the_end`, lets time run on until every session has ended.

        Raises SourceError and SinkError; what was read before is processed.
        """
        began = time.perf_counter()
        try:
            with Watchdog(self._rules.config.limits.rule_time_ms):
                self._run(sources, on_progress)
                if to_the_end:
                    self._engine.drain()
                    self._write()
        finally:
            self._result.seconds = time.perf_counter() - began
        return self._result

    def _run(self, sources: Sequence[str], on_progress: OnProgress | None) -> None:
        waiting: list[tuple[int, Placed]] = []
        for source in sources:
            for lines, first_line, refuse in self._blocks(source, on_progress):
                if self._sort:
                    waiting += self._timed(lines, first_line, refuse)
                else:
                    self._process(lines, first_line, refuse)
        if self._sort:
            waiting.sort(key=itemgetter(0))
            for batch in _batched([placed for _, placed in waiting]):
                lines, refuse = relayed(batch)
                self._process(lines, 0, refuse)
        self._write()

    def _blocks(self, name: str, on_progress: OnProgress | None) -> Iterator[tuple[Lines, int, Refuse]]:
        """The lines of a source block by block, the number of the first, and who takes refused ones."""
        config = self._rules.config

        def refuse_long(line: int, size: int, head: bytes) -> None:
            limit = config.limits.max_line_bytes
            self._refuse(too_long_letter(config.tenant, source_label(name), line, size, head, limit))

        def refuse(refused: Refused) -> None:
            self._refuse(letter_of(refused, config.tenant, source_label(name)))

        wants_events = self._output.wants_events
        for lines, first_line in read_events(name, self._engine, refuse_long, on_progress, wants_events=wants_events):
            yield lines, first_line, refuse

    def _process(self, lines: Lines, first_line: int, refuse: Refuse) -> None:
        self._engine.process(lines, first_line=first_line, refuse=refuse)
        self._write()

    def _timed(self, lines: Lines, first_line: int, refuse: Refuse) -> Iterator[tuple[int, Placed]]:
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
            yield self._latest_ms, (line, number, refuse)

    def _write(self) -> None:
        lines = self._output.take()
        if lines:
            self._result.lines_out += len(lines)
            if self._sink is not None:
                self._sink.write(lines)

    def _refuse(self, letter: DeadLetter) -> None:
        self._result.count_refused(letter)
        if self._dead_letters is not None:
            self._dead_letters.write(letter)


def relayed(batch: Sequence[Placed]) -> tuple[list[Any], Refuse]:
    """Lines or rows from here and there as one batch, numbered from 0, and a `refuse` that tells each its number."""

    def refuse(refused: Refused) -> None:
        _, number, told = batch[refused.line]
        told(replace(refused, line=number))

    return [line for line, _, _ in batch], refuse


def _batched(placed: list[Placed]) -> Iterator[list[Placed]]:
    return (placed[start : start + _BATCH] for start in range(0, len(placed), _BATCH))
