"""What is measured, and how it is started: our jobs, the hand-written loop, and the peers."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from environments import Unavailable, python_of, version_of

HERE = Path(__file__).parent
SCRIPTS = Path(os.environ.get("SOJOURN_BENCH", HERE.parents[1].parent / "shared" / "bench"))
"""Where the benchmark's own scripts are; they are no part of the project."""
HANDWRITTEN = "hand-written Python"
JOB_S, JOB_S_BY_TWO, JOB_P, JOB_S_FROM_PARQUET = OURS = (
    "Sojourn, Job S",
    "Sojourn, Job S, --workers 2",
    "Sojourn, Job P",
    "Sojourn, Job S from Parquet",
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that does a job. `command` wants the files of events and of results after it; [] where it has none.

    `problem` says why it cannot be measured here.
    """

    name: str
    version: str
    command: Sequence[str]
    problem: str = ""
    summary: bool = False
    """It prints a summary as JSON."""
    records: bool = True
    """It writes the records of Job S."""
    reads: str = "ndjson"
    """It wants the events as files of this kind."""

    def arguments(self, source: Path, out: Path) -> list[str]:
        """The whole command."""
        source = source.with_suffix(f".{self.reads}")
        if self.summary:
            return [*self.command, str(source), "--out", str(out)]
        return [*self.command, str(source), str(out)]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine, its script for Job S, and the packages that it needs, its own first."""

    title: str
    script: Path
    packages: tuple[str, ...]


PEERS = {
    "duckdb": Peer("DuckDB", SCRIPTS / "duckdb_job.py", ("duckdb",)),
    "polars": Peer("Polars", SCRIPTS / "polars_job.py", ("polars",)),
    "bytewax": Peer("bytewax, one worker", HERE / "peers" / "bytewax_job.py", ("bytewax", "msgspec")),
}


def contenders(peers: Sequence[str]) -> list[Contender]:
    """Who runs, in the order of the table: the hand-written loop, the peers of these names, our jobs."""
    ours = [_ours(JOB_S, "job_s"), _ours(JOB_S_BY_TWO, "job_s", "--workers", "2"), _ours(JOB_P, "job_p"), _parquet()]
    return [_handwritten(), *(_peer(PEERS[name], name) for name in peers), *ours]


def _handwritten() -> Contender:
    script = SCRIPTS / "handwritten.py"
    title = f"msgspec {version('msgspec')}"
    return Contender(HANDWRITTEN, title, [sys.executable, str(script)], _missing(script))


def _peer(peer: Peer, name: str) -> Contender:
    problem = _missing(peer.script)
    if problem:
        return Contender(peer.title, "", [], problem)
    try:
        python = python_of(name, peer.packages)
        return Contender(peer.title, version_of(python, peer.packages[0]), [str(python), str(peer.script)])
    except Unavailable as error:
        return Contender(peer.title, "", [], f"not installed: {error}")


def _ours(name: str, job: str, *options: str) -> Contender:
    command = [sys.executable, "-m", "runtime.cli", "replay", str(HERE / job), "--format", "json", *options]
    is_s = job == "job_s"
    return Contender(
        name,
        f"{version('sojourn')}, Python {platform.python_version()}",
        [*command, *(["--markers-only"] if is_s else [])],
        summary=True,
        records=is_s,
    )


def _parquet() -> Contender:
    problem = "" if find_spec("pyarrow") else "pyarrow is not installed: the extra `parquet`"
    return replace(_ours(JOB_S_FROM_PARQUET, "job_s"), reads="parquet", problem=problem)


def _missing(script: Path) -> str:
    return "" if script.is_file() else f"there is no {script.name} in SOJOURN_BENCH (default: ../shared/bench)"
