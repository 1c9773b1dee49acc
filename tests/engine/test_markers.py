"""Ids of markers: one for each marker that there can be, and the same whenever it is made (engine.md §2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

from runtime.markers import MarkerIds


def test_whatever_differs_makes_another_id() -> None:
    """Tenant, profile type, sub name (the path), session id, created and kind; and who else began just then."""
    one = ("shop/1", "a00000000000005dc", 1_500, "begin", 0)
    others = [
        ("app/1", *one[1:]),
        ("shop/2", *one[1:]),
        ("shop/1/Cart", *one[1:]),
        (one[0], "b00000000000005dc", *one[2:]),
        (*one[:2], 1_501, *one[3:]),
        (*one[:3], "end", one[4]),
        (*one[:4], 1),
    ]
    assert all(marker_id(*a) != marker_id(*b) for a, b in combinations([one, *others], 2))
    assert marker_id(*one) == marker_id(*one)


def marker_id(path: str, session_id: str, created_ms: int, kind: str, ordinal: int) -> str:
    return MarkerIds(path).of(session_id, created_ms, kind, ordinal)


def test_session_ids_that_collide(engine_of: Callable[..., Any]) -> None:
    """Two profiles and two names of sub-sessions at one key and time: the session ids are two, the marker ids eight."""
    parts = [
        {"name": name, "begin_marker": f"{name}Begin", "end_marker": f"{name}End", "rules_text": ""}
        for name in ("PartA", "PartB")
    ]
    visits = [
        {"name": "A", "type": 1, "begin_marker": "ABegin", "end_marker": "AEnd"},
        {"name": "B", "type": 2, "begin_marker": "BBegin", "end_marker": "BEnd"},
    ]
    opened = "".join(f"@SubSession('{part['name']}') select 'x' as _pk_ from Click;" for part in parts)
    engine, output = engine_of(
        {
            "events": {"Click": {"user": "string"}},
            "controller_text": "".join(
                f"@Session('{each['name']}') select user as _pk_ from Click;" for each in visits
            ),
            "profiles": [
                {**visits[0], "rules_text": opened, "sub_sessions": parts},
                {**visits[1], "rules_text": ""},
            ],
        }
    )
    engine.process([json.dumps({"user": "a"}).encode()], 1_500)
    engine.drain()
    markers = [row for _, row in output.sent if "_snid" in row]
    assert len({row["_snid"] for row in markers}) == 2
    assert len({row["_snmk"] for row in markers}) == len(markers) == 8
