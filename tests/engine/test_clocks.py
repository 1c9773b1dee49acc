"""The clock of a session: that of the partition in which it began, wherever the session is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime.engine import Clock


@pytest.mark.parametrize("hot", [0, 100])
def test_each_partition_has_its_own(engine_of: Callable[..., Any], hot: int) -> None:
    engine, _ = engine_of(
        {
            "events": {"Click": {"user": "string", "at": "long"}},
            "cache": {"hot": hot},
            "time": {"domain": "event"},
            "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;",
            "profiles": [{"name": "Visit", "type": 1, "gap": "10s", "end_marker": "VisitEnd", "rules_text": ""}],
        },
        clock=Clock.EVENT_TIME,
    )
    for partition, user, at in [(0, "ann", 50_000), (7, "bob", 90_000), (0, "cid", 52_000)]:
        engine.process([json.dumps({"user": user, "at": at}).encode()], partition=partition)
    (visit,) = engine.profiles
    assert {key: engine.now_of(visit.table.find(key)) for key in ("ann", "bob", "cid")} == {
        "ann": 52_000,
        "bob": 90_000,
        "cid": 52_000,
    }
