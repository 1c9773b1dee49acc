"""Which tenants' files can be cut, and how long their sessions may be quiet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.parallel.errors import TooManySessions
from runtime.parallel.reasons import longest_pause_ms, why_in_one_piece
from runtime.rules import TenantRules

from .sides import Sides, parts_at, time_of

RulesOf = Callable[[dict[str, Any]], TenantRules]

CONTROLLER = "@Session('Visit') select user as _pk_, at as _timestamp_ from E"


def tenant(rules: str = "", *, controller: str = CONTROLLER, **more: Any) -> dict[str, Any]:
    return {
        "events": {"E": {"user": "string", "at": "long", "gap": "int"}},
        "controller_text": controller,
        "profiles": [{"name": "Visit", "type": 1, "gap": "5m", "end_marker": "VisitEnd", "rules_text": rules}],
        **more,
    }


def test_nothing_speaks_against_it(rules_of: RulesOf) -> None:
    assert why_in_one_piece(rules_of(tenant("@UpdateCounter('n') select 1 from E"))) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"limits": {"rate": 5}}, "`limits.rate` counts the events of all sessions"),
        ({"limits": {"sessions": 5}}, "`limits.sessions` counts the sessions of all"),
        (
            {"time": {"domain": "event", "allowed_lateness": "5s"}},
            "`time.allowed_lateness` makes events wait for those of all sessions",
        ),
        ({"time": {"domain": "event", "late": "drop"}}, "`time.late: drop` judges an event by those of all sessions"),
        (
            {"controller": f"{CONTROLLER}(at < current_timestamp)"},
            "the controller reads the clock, which stands where the event before has left it",
        ),
    ],
)
def test_what_speaks_against_it(rules_of: RulesOf, more: dict[str, Any], reason: str) -> None:
    assert why_in_one_piece(rules_of(tenant(**more))) == reason


@pytest.mark.parametrize(
    ("rules", "controller", "minutes"),
    [
        ("", CONTROLLER, 5),
        ("@UpdateDuration select 60000 as _duration_ from E", CONTROLLER, 5),
        ("@UpdateDuration select 600000 as _duration_ from E", CONTROLLER, 10),
        ("@UpdateDuration select gap as _duration_ from E", CONTROLLER, 30),
        ("@UpdateDuration select 60000000 as _duration_ from E", CONTROLLER, 30),
        ("", CONTROLLER.replace(" from", ", 420000 as _duration_ from"), 7),
        ("", CONTROLLER.replace(" from", ", gap as _duration_ from"), 30),
    ],
)
def test_how_long_a_session_may_be_quiet(rules_of: RulesOf, rules: str, controller: str, minutes: int) -> None:
    assert longest_pause_ms(rules_of(tenant(rules, controller=controller))) == minutes * 60_000


def test_more_sessions_than_there_is_room_for(rules_of: RulesOf, sides: Sides, tmp_path: Path) -> None:
    cache = {"block_size": 64, "page_size": "64KiB", "memory": "64KiB", "hot": 10}
    rules = rules_of(tenant("@UpdateMetadata select user from E", cache=cache))
    source = tmp_path / "events.ndjson"
    events = [{"user": f"user {number % 3000}", "at": number * 200} for number in range(12_000)]
    source.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    with pytest.raises(TooManySessions):
        sides.several(rules, parts_at(source, [4000, 8000], time_of(rules)), ordered=True)
    assert not any(number for _, _, number in rules.matches()), "one process counts from the beginning"
