"""What a worker does: one part of the events, its lines and dead letters to files of its own.

The first part goes through an engine as any replay does. A later one goes through a `LaterEngine`; when the part
before is done, a `Successor` goes on with its sessions and takes what was put off. What lives in either then is handed
on, or ends as time runs on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from epl.structs import replace
from runtime.counters import EngineCounters, SessionCounters, add_counters
from runtime.doubt import PutOff
from runtime.engine import Engine
from runtime.io import EventSource, FileSink, open_range, open_source
from runtime.parallel.cuts import Part, Piece
from runtime.parallel.engines import LaterEngine, Successor
from runtime.parallel.errors import TooManySessions
from runtime.parallel.handover import Handover
from runtime.parallel.letters import Letters
from runtime.parallel.lines import Lines, write_in_order
from runtime.parallel.spool import Spool, batches
from runtime.reading import BLOCK_BYTES, field_types
from runtime.replay import Refusals
from runtime.rules import TenantRules

E = TypeVar("E", bound=Engine)
OUT, LETTERS = "out", "letters"


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of a replay do. `clock` are the options of their engines, `longest_pause_ms` is of a session.

    `names` are those of the files that are wanted, by OUT and LETTERS; workers write theirs to `folder`, where the
    ending of a name says how. `ordered`: lines leave in the order in which one process would write them.
    """

    rules: TenantRules
    clock: dict[str, Any]
    longest_pause_ms: int
    folder: Path
    names: dict[str, str]
    markers_only: bool = False
    ordered: bool = False


@dataclass(slots=True)
class Done(Refusals):
    """What came of a part. `redone`: it had to go through one engine, after the part before."""

    counters: EngineCounters
    sessions: list[SessionCounters]
    """Of the profile, and of its sub-sessions in their order."""
    matches: list[list[int]]
    """Of each rule set, by statement."""
    lines_out: int
    files: dict[str, Path]
    redone: bool = field(default=False, kw_only=True)


class Work:
    """One part. `number` tells it from the others; `is_last`: its sessions end as time runs on.

    `on_read` is told of bytes that have been read.
    """

    def __init__(self, job: Job, part: Part, number: int, *, is_last: bool, on_read: Callable[[int], None]) -> None:
        self._job = job
        self._part = part
        self._is_last = is_last
        self._on_read = on_read
        self._files = {what: job.folder / f"{number:06}-{name}" for what, name in job.names.items()}
        self._matches_before = [compiled.matches[:] for compiled in job.rules.programs()]
        self._start_over()

    def _start_over(self) -> None:
        self._lines: list[Lines] = []
        self._sink = FileSink(self._files[OUT]) if OUT in self._files else None
        self._letters = Letters(self._job.rules.config, self._part.pieces, self._job.folder)
        for compiled, before in zip(self._job.rules.programs(), self._matches_before, strict=True):
            compiled.matches[:] = before

    def run(self, predecessor: Callable[[], Handover], hand_over: Callable[[Handover], None]) -> Done:
        """Goes through the part. `predecessor` waits for what the part before hands over, where there is one.

        Raises SourceError, SinkError, TooManySessions and OSError.
        """
        first_ms = self._part.first_ms
        if first_ms is None:
            return self._in_one(None, hand_over)
        later, lines = self._engine(LaterEngine, of_two=True)
        later.begin(first_ms, self._job.longest_pause_ms)
        refuse = self._letters.refuser()
        put_off: Spool[PutOff] = Spool(self._job.folder)
        for block, first_line in self._blocks():
            put_off.add(later.take(block, first_line, refuse))
            lines.take()
        clock_ms = later.now_ms
        if self._is_last:
            later.drain()
            lines.take()
        handover = predecessor()
        if handover.clock_ms is None or handover.clock_ms < first_ms:
            successor, lines = self._engine(Successor, of_two=True)
            successor.inherit(handover)
            refuse = self._letters.refuser()
            for batch in batches(put_off):
                successor.take_put_off(batch, refuse)
                lines.take()
            successor.advance(clock_ms)
            return self._end((later, successor), clock_ms, handover, hand_over)
        if self._sink is not None:
            self._sink.discard()
        self._start_over()
        done = self._in_one(handover, hand_over)
        done.redone = True
        return done

    def _in_one(self, handover: Handover | None, hand_over: Callable[[Handover], None]) -> Done:
        """All of the part through one engine, which goes on from the part before."""
        engine, lines = self._engine(Successor)
        if handover is not None:
            engine.inherit(handover)
        refuse = self._letters.refuser()
        for block, first_line in self._blocks():
            engine.process(block, first_line=first_line, refuse=refuse)
            lines.take()
        return self._end((engine,), engine.now_ms if engine.has_begun else None, handover, hand_over)

    def _end(
        self,
        engines: Sequence[Engine],
        clock_ms: int | None,
        handover: Handover | None,
        hand_over: Callable[[Handover], None],
    ) -> Done:
        """Hands over what lives, or ends it, and completes the files. Raises TooManySessions."""
        lines_before = 0 if handover is None else handover.lines
        if self._is_last:
            engines[-1].drain()  # the other, if there is one, had no need to wait
        if not _had_room(engines):
            raise TooManySessions
        if not self._is_last:
            hand_over(Handover.of(engines, clock_ms, engines[0].last, self._letters.lines_behind(lines_before)))
        for lines in self._lines:
            lines.take()
        if self._sink is not None:
            write_in_order(self._lines, self._sink)
            self._sink.close()
        counters, sessions = EngineCounters(), _counters_of(engines[0])
        for engine in engines:
            add_counters(counters, engine.counters)
        for engine in engines[1:]:
            for ours, theirs in zip(sessions, _counters_of(engine), strict=True):
                add_counters(ours, theirs)
        matches = [
            [now - before for now, before in zip(compiled.matches, befores, strict=True)]
            for compiled, befores in zip(self._job.rules.programs(), self._matches_before, strict=True)
        ]
        done = Done(counters, sessions, matches, sum(lines.count for lines in self._lines), self._files)
        self._letters.finish(lines_before, done, self._files.get(LETTERS))
        return done

    def _engine(self, kind: type[E], *, of_two: bool = False) -> tuple[E, Lines]:
        """An engine, and what leaves it. Of two, each has half of the place for objects.

        So both together need as many pages as one would, at least.
        """
        job, rules = self._job, self._job.rules
        lines = Lines(
            self._sink,
            job.folder,
            wants_events=self._sink is not None and not job.markers_only,
            keeps_order=of_two and job.ordered and self._sink is not None,
        )
        self._lines.append(lines)
        if of_two:
            cache = replace(rules.config.cache, hot=rules.config.cache.hot // 2)
            rules = dataclasses.replace(rules, config=replace(rules.config, cache=cache))
        return kind(rules, lines.output, **job.clock), lines

    def _blocks(self) -> Iterator[tuple[list[bytes], int]]:
        """The lines of the part block by block, and the number of the first, counted over all pieces."""
        letters = self._letters
        for piece in self._part.pieces:
            lines_before, read_bytes = letters.begin_piece(), 0
            with self._opened(piece) as source:
                for block in source:
                    letters.next_line = lines_before + block.first_line + len(block.lines)
                    yield block.lines, lines_before + block.first_line
                    self._on_read(block.read_bytes - read_bytes)
                    read_bytes = block.read_bytes

    def _opened(self, piece: Piece) -> EventSource:
        max_line_bytes, refuse_long = self._job.rules.config.limits.max_line_bytes, self._letters.refuse_long
        if piece.start or piece.end is not None:
            return open_range(
                piece.name,
                piece.start,
                piece.end,
                max_line_bytes=max_line_bytes,
                chunk_bytes=BLOCK_BYTES,
                on_long_line=refuse_long,
            )
        return open_source(
            piece.name,
            field_types=field_types([self._job.rules]),
            max_line_bytes=max_line_bytes,
            chunk_bytes=BLOCK_BYTES,
            on_long_line=refuse_long,
        )


def _counters_of(engine: Engine) -> list[SessionCounters]:
    (profile,) = engine.profiles
    return [profile.counters, *(sub.counters for sub in profile.sub_sessions)]


def _had_room(engines: Sequence[Engine]) -> bool:
    """True when the sessions of all would have found room in one cache."""
    caches = [engine.cache for engine in engines]
    reserved_pages = sum(cache.pages.reserved_pages for cache in caches)
    return reserved_pages <= caches[0].pages.most_pages and not any(cache.failed_puts for cache in caches)
