"""A rule that would run for hours fails after `limits.rule_time`, and nothing else notices."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from runtime.engine import Engine
from runtime.watchdog import Watchdog

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")

SLOW = "(a+)+b"
ENDLESS = "a" * 60


def config(rules: str, sub_rules: str = "") -> dict[str, Any]:
    return {
        "events": {"E": {"user": "string", "text": "string"}},
        "limits": {"rule_time": "200ms"},
        "controller_text": "@Session('P') select user as _pk_ from E;",
        "profiles": [{"name": "P", "type": 1, "rules_text": rules}],
    }


def run(engine_of: Callable[..., tuple[Engine, Any]], rules: str) -> tuple[Engine, list[dict[str, Any]]]:
    engine, output = engine_of(config(rules))
    with Watchdog(200):
        for text in ("aab", ENDLESS, "aab"):
            engine.process([json.dumps({"user": "u", "text": text}).encode()], 1_000)
    return engine, [event for _, event in output.sent]


def test_a_condition(engine_of: Callable[..., tuple[Engine, Any]]) -> None:
    rules = f"""
        @Name('slow') @DecorateEvent select 1 as slow from E(text regexp '{SLOW}');
        @Name('after') @DecorateEvent select 2 as after from E;
    """
    engine, sent = run(engine_of, rules)
    assert [(event.get("slow"), event["after"]) for event in sent] == [(1, 2), (None, 2), (1, 2)]
    assert engine.counters.rule_errors == {("slow", "RuleError"): 1}


def test_a_column_and_a_split_and_an_update(engine_of: Callable[..., tuple[Engine, Any]]) -> None:
    rules = f"""
        @Name('column') @UpdateState select text.replaceAll('{SLOW}', 'x') as x from E;
        @Name('split') @SplitSession select 1 from E(text.matches('{SLOW}x'));
        @Name('update') update istream E set text = 'y' where text regexp '{SLOW}';
        @Name('last') @DecorateEvent select session.eventCount as n from E;
    """
    engine, sent = run(engine_of, rules)
    assert [event["n"] for event in sent] == [1, 2, 3]
    assert set(engine.counters.rule_errors) == {(name, "RuleError") for name in ("column", "split", "update")}


def test_it_leaves_nothing_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Watchdog(50):
        assert signal.getsignal(signal.SIGALRM) is not before
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    with Watchdog(0):
        assert signal.getsignal(signal.SIGALRM) is before


def test_what_is_not_a_rule_is_not_stopped() -> None:
    with Watchdog(20):
        assert sum(number % 7 for number in range(2_000_000)) > 0
