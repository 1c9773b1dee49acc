"""The events of each example, and what the engine makes of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.io import MemorySink
from runtime.replay import Replay, Replayed
from runtime.rules import compile_tenant

EXAMPLES = Path(__file__).parents[2] / "examples"

Line = dict[str, Any]


@cache
def _replayed(name: str) -> tuple[list[Line], Replayed]:
    sink = MemorySink()
    folder = EXAMPLES / name
    replayed = Replay(compile_tenant(load_tenant(folder)), sink).run([str(folder / "events.ndjson.gz")])
    lines = [json.loads(line) for line in sink.lines]
    ids = [line.pop("_snmk") for line in lines if "_snmk" in line]
    assert len(ids) == len(set(ids)), "each marker has an id of its own"
    return lines, replayed


@pytest.fixture(scope="session")
def replayed() -> Callable[[str], tuple[list[Line], Replayed]]:
    """The lines that leave, in order, and the engine's counters, by name of the example."""
    return _replayed


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[Line]]:
    """The recorded events, by name of the example."""

    def read(name: str) -> list[Line]:
        with gzip.open(EXAMPLES / name / "events.ndjson.gz") as lines:
            return [json.loads(line) for line in lines]

    return read
