"""The pulsar profile over its sample, against plain Python and against the markers that are kept beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.io import MemorySink
from runtime.markers import MarkerIds
from runtime.replay import Replay
from runtime.rules import compile_tenant

FOLDER = Path(__file__).parents[2] / "profiles" / "pulsar"
GAP_MS = 30 * 60_000
METADATA = (
    *("si", "tn", "or", "ipv4", "ua"),
    *("_con", "_cn", "_rgn", "_cty", "_lon", "_lat", "_tlcn"),
    *("_dd_dc", "_dd_d", "dd_df", "_dd_os", "_dd_osv", "_dd_bf", "_dd_bv"),
)

Line = dict[str, Any]


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def sent() -> list[Line]:
    """Everything that leaves, in order."""
    sink = MemorySink()
    replayed = Replay(compile_tenant(load_tenant(FOLDER)), sink).run([str(FOLDER / "events.ndjson")])
    assert not replayed.engine.counters.rule_errors
    assert not replayed.refused
    return [json.loads(line) for line in sink.lines]


def test_against_plain_python(sent: list[Line]) -> None:
    """Half an hour of silence ends a session; markers carry what the first event says of visitor, place and device."""
    by_visitor: dict[str, list[list[Line]]] = defaultdict(list)
    for event in lines_of(FOLDER / "events.ndjson"):
        sessions = by_visitor[event["si"]]
        if not sessions or event["ct"] - sessions[-1][-1]["ct"] >= GAP_MS:
            sessions.append([])
        sessions[-1].append(event)
    expected = []
    for events in (session for sessions in by_visitor.values() for session in sessions):
        first, last = events[0], events[-1]
        begin = {name: first[name] for name in METADATA}
        begin |= {"_snid": f"{first['si']}{first['ct']:016x}", "_snst": first["ct"]}
        end = {"_snet": last["ct"], "_sndn": last["ct"] - first["ct"], "_snec": len(events), "_snrs": "gap"}
        kinds = {kind: MarkerIds("pulsar/1").of(begin["_snid"], first["ct"], kind) for kind in ("begin", "end")}
        expected.append({"_type": "SessionBeginEvent", **begin, "_snmk": kinds["begin"]})
        expected.append({"_type": "SessionEndEvent", **begin, **end, "_snmk": kinds["end"]})
    markers = [line for line in sent if line["_type"] != "PulsarEvent"]
    assert sorted(markers, key=order) == sorted(expected, key=order)
    assert len(expected) == 18
    assert max(map(len, by_visitor.values())) > 1


def order(marker: Line) -> tuple[str, str]:
    return marker["_snid"], marker["_type"]


def test_expected(sent: list[Line]) -> None:
    """The kept markers, in the order in which they leave; events leave as they came."""
    assert [line for line in sent if line["_type"] != "PulsarEvent"] == lines_of(FOLDER / "expected.ndjson")
    assert [line for line in sent if line["_type"] == "PulsarEvent"] == lines_of(FOLDER / "events.ndjson")


def test_types_fit_the_sample() -> None:
    """Every declared field that the sample has is of its declared type, and it has them all."""
    events = lines_of(FOLDER / "events.ndjson")
    python = {"string": str, "long": int, "double": float}
    declared = load_tenant(FOLDER).events["PulsarEvent"].fields
    for name, type_ in declared.items():
        values = [event[name] for event in events if name in event]
        assert values, name
        assert all(isinstance(value, python[str(type_)]) for value in values), name
