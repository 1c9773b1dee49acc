"""Job S and Job P beside hand-written Python, in one run: exact counts, and events per second as ratios.

Not part of the tests: machines are noisy, so what counts is the ratio of medians over interleaved runs.

    python tests/bench/jobs.py [--runs 5] [--events 1000000] [--format json]

Needs the benchmark's own scripts (SOJOURN_BENCH, default ../shared/bench beside the project), and the group `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
SCRIPTS = Path(os.environ.get("SOJOURN_BENCH", HERE.parents[1].parent / "shared" / "bench"))
FULL = 1_000_000

# What the benchmark's README states for a million events.
STATED_S = {"created": 99_429, "events": 1_000_000, "total_duration_ms": 36_604_599_870}
STATED_S_SUMS = {"views": 399_978, "clicks": 200_171}
STATED_P = {
    "created": 99_433,
    "single_event": 11_037,
    "short": 85_269,
    "long": 4,
    "max_duration_ms": 86_391_707,
    "max_events": 9_109,
}
STATED_P_LINES = 1_198_866


@dataclass
class Measured:
    """One run of one command: wall and CPU seconds, peak memory in MB, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def measured(command: list[str]) -> Measured:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    # `time -v` is not everywhere: a small wrapper in a process of its own tells the peak of its only child.
    wrapper = (
        "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True); "
        "sys.stdout.buffer.write(p.stdout); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", wrapper, *command], capture_output=True, text=True, check=True)
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall_s, cpu_s, int(done.stderr.split()[-1]) / 1024, done.stdout)


def replay(job: str, source: Path, out: Path) -> list[str]:
    """The command of one of our jobs; it prints its summary as JSON."""
    command = ["-m", "runtime.cli", "replay", str(HERE / job), str(source), "--out", str(out), "--format", "json"]
    return [sys.executable, *command, *(["--markers-only"] if job == "job_s" else [])]


def check(what: str, found: dict[str, Any], stated: dict[str, Any]) -> None:
    wrong = {key: (found[key], value) for key, value in stated.items() if found[key] != value}
    if wrong:
        raise SystemExit(f"{what}: (found, stated) differ: {wrong}")


def check_job_s(summary: dict[str, Any], out: Path) -> None:
    check("Job S", summary["sessions"]["Visit"], STATED_S)
    sums = dict.fromkeys(STATED_S_SUMS, 0)
    with out.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            for key in sums:
                sums[key] += record[key]
    check("Job S", sums, STATED_S_SUMS)


def check_job_p(summary: dict[str, Any]) -> None:
    check("Job P", summary["sessions"]["PulsarSession"], STATED_P)
    check("Job P", summary, {"lines_out": STATED_P_LINES})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    if not SCRIPTS.is_dir():
        raise SystemExit(f"{SCRIPTS} is not there: the benchmark's scripts are not part of the project")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source, out = work / "events.ndjson", work / "out.ndjson"
        users = max(1, options.events // 10)
        subprocess.run(
            [sys.executable, str(SCRIPTS / "clickstream.py"), str(options.events), str(users), str(source)], check=True
        )
        commands = {
            "hand-written": [sys.executable, str(SCRIPTS / "handwritten.py"), str(source), str(out)],
            "Job S": replay("job_s", source, out),
            "Job P": replay("job_p", source, out),
        }
        runs: dict[str, list[Measured]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                runs[name].append(measured(command))
                if options.events == FULL and name == "Job S":
                    check_job_s(json.loads(runs[name][-1].output), out)
                if options.events == FULL and name == "Job P":
                    check_job_p(json.loads(runs[name][-1].output))
    report(runs, options.events, options.format)


def report(runs: dict[str, list[Measured]], events: int, format_: str) -> None:
    baseline = median(run.cpu_s for run in runs["hand-written"])
    wall = median(run.wall_s for run in runs["hand-written"])
    rows = [
        {
            "job": name,
            "wall_s": round(median(run.wall_s for run in each), 2),
            "cpu_s": round(median(run.cpu_s for run in each), 2),
            "peak_mb": round(median(run.peak_mb for run in each)),
            "ratio_wall": round(wall / median(run.wall_s for run in each), 2),
            "ratio_cpu": round(baseline / median(run.cpu_s for run in each), 2),
        }
        for name, each in runs.items()
    ]
    if format_ == "json":
        print(json.dumps({"events": events, "python": platform.python_version(), "rows": rows}, indent=2))
        return
    counts = "; counts as stated" if events == FULL else ""
    print(f"{events:,} events, Python {platform.python_version()}, medians of {len(runs['Job S'])} runs{counts}")
    print(f"{'':14}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'ratio wall':>12}{'ratio CPU':>11}")
    for row in rows:
        print(
            f"{row['job']:14}{row['wall_s']:8}{row['cpu_s']:8}{row['peak_mb']:9}"
            f"{row['ratio_wall']:12}{row['ratio_cpu']:11}"
        )


if __name__ == "__main__":
    main()
