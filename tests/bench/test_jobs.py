"""`tests/bench/jobs.py` with nothing beside the project: our jobs run, and the others' rows say why they do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "jobs.py"


pytest.importorskip("pyarrow", reason="a job reads Parquet")


def test_our_jobs_by_themselves(tmp_path: Path) -> None:
    options = ["--events", "500", "--runs", "1", "--peers", "duckdb", "--data", tmp_path, "--docs", tmp_path / "docs"]
    done = subprocess.run(
        [sys.executable, SCRIPT, *options],
        env={**os.environ, "SOJOURN_BENCH": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "docs" / "bench.json").read_text())
    rows = {row["name"]: row for row in figures["rows"]}
    assert "there is no handwritten.py" in rows["hand-written Python"]["problem"]
    assert "there is no duckdb_job.py" in rows["DuckDB"]["problem"]
    for job in ("Sojourn, Job S", "Sojourn, Job S, --workers 2", "Sojourn, Job P", "Sojourn, Job S from Parquet"):
        assert "problem" not in rows[job]
        assert rows[job]["wall_seconds"] > 0
        assert f"| {job} " in done.stdout
    assert "Job S from Parquet: " in done.stdout
