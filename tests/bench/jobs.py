"""Job S and Job P beside hand-written Python and other engines, in one sitting: right answers, and ratios of medians.

    python tests/bench/jobs.py [--runs 3] [--events 1000000] [--peers duckdb polars bytewax] [--docs docs]

Not part of the tests: machines are noisy, so what counts is the ratio of medians over interleaved runs. Job S writes a
record for each session, Job P is what eBay Pulsar's sessionizer does. The data and most of the others' scripts are the
benchmark's own (SOJOURN_BENCH, default ../shared/bench beside the project); without them our jobs run by themselves, on
made-up events. `--docs` writes `bench.json`, `bench.svg` and `bench.png` there (the pictures need the group `bench`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from answers import FULL, STATED_SUMS, sums_of, wrong_records, wrong_summary
from contenders import HANDWRITTEN, JOB_S, JOB_S_FROM_PARQUET, OURS, PEERS, SCRIPTS, Contender, contenders
from environments import Unavailable, python_of
from measured import Measured, measured

DATA = Path(__file__).parents[2] / "out" / "bench"
"""Made once: a million events take longer to make than to sessionize."""


def events_file(folder: Path, events: int) -> tuple[Path, bool]:
    """The file of events, made if it is not there; True when it is the benchmark's own."""
    script = SCRIPTS / "clickstream.py"
    is_own = script.is_file()
    source = folder / f"{'clickstream' if is_own else 'generated'}-{events}.ndjson"
    if source.is_file():
        return source, is_own
    folder.mkdir(parents=True, exist_ok=True)
    users = max(1, events // 10)
    part = source.with_suffix(".part")
    if is_own:
        python = python_of("data", ("numpy", "orjson"))
        command = [str(python), str(script), str(events), str(users), str(part)]
    else:
        made = ["generate", "pulsar", "--events", str(events), "--users", str(users), "--out", str(part)]
        command = [sys.executable, "-m", "runtime.cli", *made]
    print(f"making {source.name} ...", file=sys.stderr)
    subprocess.run(command, check=True, stdout=sys.stderr)
    part.rename(source)
    return source, is_own


def as_parquet(source: Path) -> None:
    """The same events as Parquet, made if they are not there, with what writers of Parquet set by default."""
    table = source.with_suffix(".parquet")
    if table.is_file():
        return
    from pyarrow import json as arrow_json
    from pyarrow import parquet

    print(f"making {table.name} ...", file=sys.stderr)
    part = table.with_suffix(".part")
    parquet.write_table(arrow_json.read_json(source, arrow_json.ReadOptions(block_size=16 << 20)), part)
    part.rename(table)


def from_parquet(rows: Sequence[Mapping[str, Any]]) -> str:
    """How Job S from Parquet compares with Job S from NDJSON, in events per second."""
    found = {row["name"]: row for row in rows if "problem" not in row}
    if not {JOB_S, JOB_S_FROM_PARQUET} <= found.keys():
        return ""
    lines, table = found[JOB_S], found[JOB_S_FROM_PARQUET]
    ratios = [lines[key] / table[key] for key in ("wall_seconds", "cpu_seconds")]
    return f"Job S from Parquet: {ratios[0]:.2f} of the events per second from NDJSON, {ratios[1]:.2f} by CPU time"


class Sitting:
    """All contenders, run in turns; whoever cannot run, fails or is wrong is out, and the reason is in its row."""

    def __init__(self, who: Sequence[Contender], source: Path, is_stated: bool) -> None:
        self.who = who
        self.runs: dict[str, list[Measured]] = {each.name: [] for each in who}
        self.problems = {each.name: each.problem for each in who if each.problem}
        self.is_wrong = False
        self._source = source
        self._is_stated = is_stated
        self._expected: Mapping[str, int] = STATED_SUMS if is_stated else {}

    def run(self, runs: int, out: Path) -> None:
        """Runs each once, then each again; the first time, what it writes is checked."""
        for turn in range(runs):
            for each in self.who:
                if each.name not in self.problems:
                    print(f"run {turn + 1} of {runs}: {each.name}", file=sys.stderr)
                    self._turn(each, out)

    def _turn(self, each: Contender, out: Path) -> None:
        out.unlink(missing_ok=True)
        is_first = not self.runs[each.name]
        try:
            run = measured(each.arguments(self._source, out))
        except Unavailable as error:
            self.problems[each.name] = str(error)
            return
        self.runs[each.name].append(run)
        wrong = self._wrong(each, run, out) if is_first else ""
        if wrong:
            self.problems[each.name] = wrong
            self.is_wrong = True

    def _wrong(self, each: Contender, run: Measured, out: Path) -> str:
        if not each.records:
            return wrong_summary(json.loads(run.output), self._is_stated)
        wrong = wrong_records(out, self._expected)
        if not wrong:
            # The others must agree with the first in everything, beyond what is stated.
            self._expected = sums_of(out)
        return wrong

    def rows(self) -> list[dict[str, Any]]:
        """Medians a contender, or its problem.

        `speed` is in events per second, of the hand-written loop's; `cpu_speed` the same by CPU time, which depends
        less on what else the machine does.
        """
        by_hand = self.runs[HANDWRITTEN] if HANDWRITTEN not in self.problems else []
        base_wall_s = median(run.wall_s for run in by_hand) if by_hand else None
        base_cpu_s = median(run.cpu_s for run in by_hand) if by_hand else None
        rows = []
        for each in self.who:
            row: dict[str, Any] = {"name": each.name, "version": each.version, "ours": each.name in OURS}
            runs = self.runs[each.name]
            if each.name in self.problems:
                row["problem"] = self.problems[each.name]
            else:
                wall_s, cpu_s = median(run.wall_s for run in runs), median(run.cpu_s for run in runs)
                row |= {
                    "wall_seconds": round(wall_s, 2),
                    "fastest_wall_seconds": round(min(run.wall_s for run in runs), 2),
                    "slowest_wall_seconds": round(max(run.wall_s for run in runs), 2),
                    "cpu_seconds": round(cpu_s, 2),
                    "peak_memory_bytes": round(median(run.peak_bytes for run in runs)),
                    "speed": None if base_wall_s is None else round(base_wall_s / wall_s, 2),
                    "cpu_speed": None if base_cpu_s is None else round(base_cpu_s / cpu_s, 2),
                }
            rows.append(row)
        return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table that reads well as it is and as Markdown."""
    lines = [("", "version", "peak memory", "wall", "CPU", "speed", "speed by CPU")]
    for row in rows:
        if "problem" in row:
            lines.append((row["name"], row["version"], "–", "–", "–", "–", row["problem"]))
            continue
        seconds = (f"{row['wall_seconds']:.1f} s", f"{row['cpu_seconds']:.1f} s")
        speeds = ("–" if row[key] is None else f"{row[key]:.2f}" for key in ("speed", "cpu_speed"))
        lines.append((row["name"], row["version"], f"{row['peak_memory_bytes'] / 1e6:,.0f} MB", *seconds, *speeds))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    widths[-1] = len(lines[0][-1])  # a problem may run on
    cells = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def main() -> None:
    """Measures, prints the table, and writes figures and pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--data", type=Path, default=DATA, help="the folder where events are kept")
    parser.add_argument("--docs", type=Path, help="the folder for figures and pictures")
    options = parser.parse_args()
    try:
        source, is_own = events_file(options.data, options.events)
    except Unavailable as error:
        raise SystemExit(f"the benchmark's events cannot be made: {error}") from error
    who = contenders(options.peers)
    if any(each.reads == "parquet" and not each.problem for each in who):
        as_parquet(source)
    sitting = Sitting(who, source, is_own and options.events == FULL)
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        sitting.run(options.runs, Path(folder) / "out.ndjson")
    rows = sitting.rows()
    figures = {
        "events": options.events,
        "data": source.name,
        "runs": options.runs,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python_version": platform.python_version(),
        "rows": rows,
    }
    checked = ", sums as stated" if is_own and options.events == FULL else ""
    runs = f"medians of {options.runs} interleaved runs{checked}"
    print(f"\n{options.events:,} events, NDJSON in and out; {runs}; {figures['machine']};")
    print("speed is in events per second, of the hand-written loop's\n")
    print(table(rows))
    print(f"\n{from_parquet(rows)}")
    if options.docs is not None:
        options.docs.mkdir(parents=True, exist_ok=True)
        text = json.dumps(figures, indent=2, ensure_ascii=False)
        (options.docs / "bench.json").write_text(text + "\n", encoding="utf-8")
        try:
            from chart import draw
        except ImportError as error:
            print(f"no chart: {error}", file=sys.stderr)
        else:
            draw(figures, options.docs / "bench")
    if sitting.is_wrong:
        raise SystemExit("not all answers are right")


if __name__ == "__main__":
    main()
