"""A replay by several processes: what one process would write and count, in less time.

Workers write their lines to files beside `out`, which are joined in the order of parts as these are done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from runtime.clocks import clock_options
from runtime.counters import add_counters
from runtime.engine import Engine
from runtime.io import FileSink, is_parquet, open_source
from runtime.output import LineOutput
from runtime.parallel.cuts import Cuts, cut
from runtime.parallel.pool import CAN_FORK, Pool
from runtime.parallel.reasons import longest_pause_ms, why_in_one_piece
from runtime.parallel.work import LETTERS, OUT, Done, Job
from runtime.reading import OnProgress, field_types
from runtime.replay import Replayed, Workers
from runtime.rules import TenantRules


class ParallelReplay:
    """One replay of one tenant by up to `workers` processes. Raises NoClock when neither rules nor fields give a time.

    `ordered`: lines leave in the order in which one process would write them. Else those of one session are in order,
    and markers stand before what comes later in their session.
    """

    def __init__(
        self,
        rules: TenantRules,
        workers: int,
        *,
        ordered: bool = False,
        markers_only: bool = False,
        now_field: str | None = None,
        time_field: str | None = None,
    ) -> None:
        self._rules = rules
        self._workers = workers
        self._ordered = ordered
        self._markers_only = markers_only
        self._clock = clock_options(rules, now_field=now_field, time_field=time_field)
        self._engine = Engine(rules, LineOutput(), **self._clock)

    def cuts(self, sources: Sequence[str]) -> Cuts:
        """The parts of the sources; one part, and why, where they cannot be cut. Raises SourceError."""
        why = why_in_one_piece(self._rules) if CAN_FORK else "this system cannot copy a process"
        if why is None and any(map(is_parquet, sources)):
            why = "Parquet is read by one process"
        if why is not None:
            return Cuts((), why)
        return cut(sources, self._workers, longest_pause_ms(self._rules), self._engine.event_time_ms, self._first_line)

    def run(
        self, cuts: Cuts, out: FileSink | None, letters: FileSink | None, on_progress: OnProgress | None = None
    ) -> Replayed:
        """Goes through all parts, of which there are several, and lets time run on until every session has ended.

        `out` and `letters` take the workers' files as they are. Raises SourceError, SinkError, WorkerFailed, and
        TooManySessions: then nothing has left that cannot be taken back, and nothing is counted.
        """
        began = time.perf_counter()
        used = min(self._workers, len(cuts.parts))
        replayed = Replayed(self._engine, workers=Workers(self._workers, used, cuts.why))
        sinks = {what: sink for what, sink in ((OUT, out), (LETTERS, letters)) if sink is not None}
        read_bytes = 0

        def on_read(count: int) -> None:
            nonlocal read_bytes
            read_bytes += count
            if on_progress is not None:
                on_progress("all files", read_bytes, cuts.total_bytes)

        parts: list[Done] = []

        def on_done(done: Done) -> None:
            parts.append(done)
            for what, path in done.files.items():
                # What a pipe has taken, it does not give back.
                if not sinks[what].is_direct:
                    _move(path, sinks[what])

        with TemporaryDirectory(prefix=".sojourn-", dir=_folder_of(out)) as folder:
            job = Job(
                self._rules,
                self._clock,
                longest_pause_ms(self._rules),
                Path(folder),
                {what: os.path.basename(sink.name) for what, sink in sinks.items()},
                self._markers_only,
                self._ordered,
            )
            Pool(job, cuts.parts, used, on_done, on_read).run()
            for done in parts:
                self._add(replayed, done)
                for what, path in done.files.items():
                    if sinks[what].is_direct:
                        _move(path, sinks[what])
        replayed.seconds = time.perf_counter() - began
        return replayed

    def _add(self, replayed: Replayed, done: Done) -> None:
        """Counts what came of a part as if the one engine had done it."""
        (profile,) = self._engine.profiles
        add_counters(self._engine.counters, done.counters)
        ours = [profile.counters, *(sub.counters for sub in profile.sub_sessions)]
        for counters, more in zip(ours, done.sessions, strict=True):
            add_counters(counters, more)
        for compiled, matches in zip(self._rules.programs(), done.matches, strict=True):
            compiled.matches[:] = map(sum, zip(compiled.matches, matches, strict=True))
        replayed.lines_out += done.lines_out
        replayed.add_refused(done)
        if done.redone and replayed.workers is not None:
            replayed.workers.redone += 1

    def _first_line(self, name: str) -> bytes | None:
        with open_source(name, field_types=field_types([self._rules]), chunk_bytes=1 << 16) as source:
            return next((line for block in source for line in block.lines), None)


def _move(path: Path, sink: FileSink) -> None:
    sink.append(path)
    path.unlink()


def _folder_of(out: FileSink | None) -> str:
    """Where there is room for all lines: beside the file that they go to."""
    if out is None or out.is_direct:
        return gettempdir()
    return os.path.dirname(os.path.realpath(out.name))
