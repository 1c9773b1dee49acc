"""One replay by one process and by several, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from runtime.clocks import clock_options
from runtime.engine import Engine
from runtime.event import BAD_LINE
from runtime.io import DeadLetterWriter, FileSink
from runtime.output import LineOutput
from runtime.parallel.cuts import Cuts, Part, Piece, TimeOf
from runtime.parallel.replay import ParallelReplay
from runtime.replay import Replay, Replayed
from runtime.rules import TenantRules


@dataclass
class Outcome:
    """What came of a replay: the lines that left, the dead letters, and everything that was counted."""

    lines: list[bytes]
    letters: list[bytes]
    counted: dict[str, Any]
    replayed: Replayed


def counted(replayed: Replayed) -> dict[str, Any]:
    """All counters of the tenant, the profiles and their sub-sessions, and the matches of rules."""
    engine = replayed.engine
    found = {"tenant": engine.counters}
    for profile in engine.profiles:
        found[profile.name] = profile.counters
        found |= {f"{profile.name}/{sub.name}": sub.counters for sub in profile.sub_sessions}
    values = {
        name: {each.name: getattr(counters, each.name) for each in fields(counters)} for name, counters in found.items()
    }
    return {
        **values,
        "matches": engine.rules.matches(),
        "outcomes": +replayed.outcomes,
        "refused": replayed.refused,
        "lines out": replayed.lines_out,
        "live": engine.live_sessions,
    }


class Sides:
    """Replays in a folder."""

    def __init__(self, folder: Path) -> None:
        self.out, self.letters = folder / "out.ndjson", folder / "letters.ndjson"

    def one(self, rules: TenantRules, sources: Sequence[str], *, markers_only: bool = False, **clock: Any) -> Outcome:
        """By one process."""
        _forget_matches(rules)
        with FileSink(self.out) as sink, FileSink(self.letters) as letters:
            replay = Replay(rules, sink, DeadLetterWriter(letters), markers_only=markers_only, **clock)
            return self._outcome(sink, letters, replay.run(sources))

    def several(self, rules: TenantRules, cuts: Cuts, *, workers: int = 2, **options: Any) -> Outcome:
        """By several, as the cuts say."""
        _forget_matches(rules)
        with FileSink(self.out, joins=True) as sink, FileSink(self.letters, joins=True) as letters:
            replay = ParallelReplay(rules, workers, **options)
            return self._outcome(sink, letters, replay.run(cuts, sink, letters))

    def _outcome(self, sink: FileSink, letters: FileSink, replayed: Replayed) -> Outcome:
        sink.close()
        letters.close()
        lines = [path.read_bytes().splitlines() for path in (self.out, self.letters)]
        return Outcome(*lines, counted(replayed), replayed)


def assert_same(one: Outcome, several: Outcome, *, ordered: bool) -> None:
    """Nothing differs, apart from the order of lines where none is asked for."""
    if ordered:
        assert several.lines == one.lines
    assert sorted(several.lines) == sorted(one.lines)
    assert sorted(several.letters) == sorted(one.letters)
    assert several.counted == one.counted


def _forget_matches(rules: TenantRules) -> None:
    for compiled in rules.programs():
        compiled.matches[:] = [0] * len(compiled.matches)


def parts_at(source: Path, line_numbers: Sequence[int], time_of: TimeOf) -> Cuts:
    """The parts that begin with these lines of a file, counted from 0, but for those without a time."""
    lines = source.read_bytes().splitlines(keepends=True)
    starts: list[tuple[int, int | None]] = [(0, None)]
    for number in sorted(set(line_numbers)):
        if 0 < number < len(lines) and (time_ms := _time(time_of, lines[number].rstrip())) is not None:
            starts.append((sum(map(len, lines[:number])), time_ms))
    ends = [*(start for start, _ in starts[1:]), None]
    name = str(source)
    parts = tuple(Part((Piece(name, start, end),), time_ms) for (start, time_ms), end in zip(starts, ends, strict=True))
    return Cuts(parts, None, source.stat().st_size)


def _time(time_of: TimeOf, line: bytes) -> int | None:
    try:
        return time_of(line)
    except BAD_LINE:
        return None


def time_of(rules: TenantRules, *, now_field: str | None = None) -> TimeOf:
    """Tells the time of lines."""
    return Engine(rules, LineOutput(), **clock_options(rules, now_field=now_field, time_field=None)).event_time_ms
