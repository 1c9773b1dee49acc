"""Runs the conformance vectors of a folder outside the project and counts them in the summary.

The folder is named by SOJOURN_VECTORS (default: ../shared/conformance beside the project); without it the tests skip.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
VECTORS = Path(os.environ.get("SOJOURN_VECTORS", HERE.parents[1].parent / "shared" / "conformance"))
SETS = {
    "epl-crafted": "test_epl_vectors",
    "epl-random": "test_epl_vectors",
    "sessions": "test_session_vectors",
    "sessions-more": "test_session_vectors",
    "ender-2022": "test_ender_vectors",
    "ender-head": "test_ender_vectors",
}

_VECTOR_TEST = re.compile(r"test_vector\[([\w-]+):")
_passed: Counter[str] = Counter()
_total: Counter[str] = Counter()


def _vectors(name: str) -> list[dict[str, Any]]:
    path = VECTORS / f"{name}.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" not in metafunc.fixturenames:
        return
    module = metafunc.module.__name__.rsplit(".", 1)[-1]
    params = []
    for name in (name for name, owner in SETS.items() if owner == module):
        found = _vectors(name)
        if not found:
            skip = pytest.mark.skip(reason=f"no vectors: {VECTORS / name}.ndjson is not there")
            params.append(pytest.param((name, {}), id=name, marks=skip))
        params += [pytest.param((name, vector), id=f"{name}:{vector['id']}") for vector in found]
    metafunc.parametrize("vector", params)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Counts in the process that tells, whichever ran the test."""
    found = _VECTOR_TEST.search(report.nodeid)
    if report.when == "call" and not report.skipped and found is not None and found[1] in SETS:
        _total[found[1]] += 1
        _passed[found[1]] += report.passed


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _total:
        terminalreporter.section("conformance vectors")
        for name in SETS:
            if _total[name]:
                terminalreporter.write_line(f"{name}: {_passed[name]} of {_total[name]}")
