"""Replay: files of events through an engine on a virtual clock, as fast as they can be read.

The clock is the events' own: a field of them, or the event time that stage 1 gives. It never goes back, so a replay
gives the sessions that a live run would have given. Sessions that are open at the end of the files end as time runs
on, or wait in a snapshot for the next files.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from epl.typed import RouteToProfile
from epl.types import LONG, Type
from runtime.counters import by_outcome
from runtime.engine import Clock, Engine
from runtime.event import BAD_LINE, Refused
from runtime.io import DeadLetter, DeadLetterWriter, LineSink, OnLongLine, SourceError, is_parquet, open_source
from runtime.output import LineOutput
from runtime.reorder import Refuse
from runtime.row import Line, Lines
from runtime.rules import TenantRules
from runtime.snapshot import Restored, load, save
from runtime.watchdog import Watchdog

OnProgress = Callable[[str, int, int | None], None]
"""Called after each block with the file's name, the bytes read of it, and its size where known."""

Placed = tuple[Line, int, Refuse]
"""A line or a row, its number where it came from, and who takes it if it is refused."""

BLOCK_BYTES = 64 * 1024
"""The lines of a block stay in the processor's cache from reading to writing: 256 KiB costs 0.2 µs an event more."""
_BATCH = 1000
_SHOWN = 3


class NoClock(Exception):
    """Nothing says what time an event is of; the message says what would."""


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


# ---- what replays of one tenant and of several have in common


def clock_options(rules: TenantRules, *, now_field: str | None, time_field: str | None) -> dict[str, Any]:
    """The options of an engine whose clock its events drive. Raises NoClock."""
    time_field = time_field or rules.config.time.source
    for name in (now_field, time_field):
        if name is not None:
            require_long(rules, name)
    if now_field is None and time_field is None and not gives_event_time(rules):
        raise NoClock(
            "the controller selects no `_timestamp_` of type long, so nothing tells the time of an event; "
            "select one, or name a field: --time-field FIELD or --now-field FIELD"
        )
    clock = Clock.EVENT_TIME if now_field is None else Clock.FIELD
    return {"clock": clock, "now_field": now_field, "time_field": time_field}


def read_events(
    name: str, engine: Engine, on_long_line: OnLongLine, on_progress: OnProgress | None, *, wants_events: bool
) -> Iterator[tuple[Lines, int]]:
    """The lines or rows of a source block by block for an engine, and the number of the first. Raises SourceError.

    `wants_events` says whether events leave, so that all of a row is wanted.
    """
    types = field_types([engine.rules])
    if is_parquet(name) and engine.decoder.classes:
        for block in _parquet(name).read_rows(name, engine.take_rows(), types, wants_lines=wants_events):
            yield block.rows, block.first_row
            if on_progress is not None:
                on_progress(name, block.read_bytes, block.total_bytes)
        return
    yield from read_blocks(name, types, engine.rules.config.limits.max_line_bytes, on_long_line, on_progress)


def _parquet(name: str) -> ModuleType:
    """The reader of Parquet files, whose library is an extra. Raises SourceError."""
    try:
        import runtime.parquet
    except ImportError as error:
        raise SourceError(name, "Parquet needs the package pyarrow: pip install 'sojourn[parquet]'") from error
    return runtime.parquet


def read_blocks(
    name: str, types: Mapping[str, Type], max_line_bytes: int, on_long_line: OnLongLine, on_progress: OnProgress | None
) -> Iterator[tuple[list[bytes], int]]:
    """The lines of a source block by block, and the number of the first; rows as lines. Raises SourceError."""
    if is_parquet(name):
        for rows, block in _parquet(name).read_lines(name, types):
            yield rows, block.first_row
            if on_progress is not None:
                on_progress(name, block.read_bytes, block.total_bytes)
        return
    with open_source(
        name, field_types=types, max_line_bytes=max_line_bytes, chunk_bytes=BLOCK_BYTES, on_long_line=on_long_line
    ) as source:
        for block in source:
            yield block.lines, block.first_line
            if on_progress is not None:
                on_progress(source.name, block.read_bytes, source.total_bytes)


def source_label(name: str) -> str:
    """A source's name in a dead letter."""
    return "stdin" if name == "-" else name


def letter_of(refused: Refused, tenant: str, source: str) -> DeadLetter:
    """The dead letter of an event that was refused."""
    return DeadLetter(refused.reason, refused.code, tenant, source, refused.line, refused.raw)


def too_long_letter(tenant: str, source: str, line: int, size: int, head: bytes, limit: int) -> DeadLetter:
    """The dead letter of a line of `size` bytes."""
    reason = f"the line is {size:,} bytes long; the limit is {limit:,}"
    return DeadLetter(reason, "too_long", tenant, source, line, head, size)


def relayed(batch: Sequence[Placed]) -> tuple[list[Any], Refuse]:
    """Lines or rows from here and there as one batch, numbered from 0, and a `refuse` that tells each its number."""

    def refuse(refused: Refused) -> None:
        _, number, told = batch[refused.line]
        told(replace(refused, line=number))

    return [line for line, _, _ in batch], refuse


def field_types(tenants: Sequence[TenantRules]) -> dict[str, Type]:
    """The types of all fields by name, for sources that carry text only (CSV).

    A field of which two types are declared has none: its cells stay text.
    """
    found: dict[str, Type] = {}
    torn = set()
    for rules in tenants:
        for event_type in rules.event_types.values():
            for name, type_ in event_type.fields.items():
                if found.setdefault(name, type_) != type_ and len(tenants) > 1:
                    torn.add(name)
                found[name] = type_
    return {name: type_ for name, type_ in found.items() if name not in torn}


def _batched(placed: list[Placed]) -> Iterator[list[Placed]]:
    return (placed[start : start + _BATCH] for start in range(0, len(placed), _BATCH))


def gives_event_time(rules: TenantRules) -> bool:
    """True when stage 1 may give an event its `_timestamp_`."""
    effects = (effect for rule in rules.controller.program.rules for effect in rule.effects)
    return any(isinstance(effect, RouteToProfile) and effect.timestamp_ms is not None for effect in effects)


def require_long(rules: TenantRules, name: str) -> None:
    """A clock's field must be a long wherever it is declared. Raises NoClock."""
    for event_type in rules.event_types.values():
        found = event_type.fields.get(name, LONG)
        if found != LONG:
            raise NoClock(f"`{event_type.name}.{name}` is {found}; a clock is a long of milliseconds since 1970")
