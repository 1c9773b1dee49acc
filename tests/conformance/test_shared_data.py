"""Event files made elsewhere, with the sessions that their makers found in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.io import MemorySink
from runtime.replay import Replay
from runtime.rules import compile_tenant

HERE = Path(__file__).parent
DATA = HERE.parents[1].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no event files: {DATA} is not there")


def ends(tenant: str, file: str, *, sort: bool = False) -> list[dict[str, Any]]:
    """The end markers of a replay."""
    sink = MemorySink()
    rules = compile_tenant(load_tenant(HERE / "tenants" / tenant))
    Replay(rules, sink, markers_only=True, sort=sort).run([str(DATA / file)])
    return [json.loads(line) for line in sink.lines]


def test_ecom_has_its_labelled_sessions() -> None:
    """The file is sorted by user, then time, so it is sorted by time first."""
    found = ends("ecom", "ecom.csv.gz", sort=True)
    assert len(found) == 3_605
    assert len({marker["session_id"] for marker in found}) == 3_605
    # No session holds an event that its maker put into another one.
    assert not any("others" in marker for marker in found)
    assert sum(marker["_snec"] for marker in found) == 31_106


def test_arroyo_has_its_windows() -> None:
    gap = timedelta(seconds=20)
    found = {
        (int(marker["user_id"]), instant(marker["_snst"]), instant(marker["_snet"]) + gap, marker["_snec"])
        for marker in ends("arroyo", "arroyo-impulse.json")
    }
    lines = (DATA / "arroyo-session-window.json").read_text().splitlines()
    windows = [json.loads(line) for line in lines]
    expected = {(each["user_id"], utc(each["start"]), utc(each["end"]), each["rows"]) for each in windows}
    assert len(expected) == 91
    assert found == expected


def instant(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
