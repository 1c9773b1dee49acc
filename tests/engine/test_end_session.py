"""A session that is ended on demand, wherever it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("hot", [0, 100])
def test_it_ends_where_it_stands(engine_of: Callable[..., Any], hot: int) -> None:
    engine, output = engine_of(
        {
            "events": {"Click": {"user": "string"}},
            "cache": {"hot": hot},
            "controller_text": "@Session('Visit') select user as _pk_ from Click;",
            "profiles": [{"name": "Visit", "type": 1, "end_marker": "VisitEnd", "rules_text": ""}],
        }
    )
    for user in "abc":
        engine.process([json.dumps({"user": user}).encode()], 1_000)
    assert engine.end_session("Visit", "a") is True
    assert [(row["_snid"][0], row["_snrs"]) for _, row in output.sent if "_snrs" in row] == [("a", "forced")]
    assert engine.end_session("Visit", "a") is None
    assert engine.end_session("Elsewhere", "b") is None
    assert engine.live_sessions == 2
