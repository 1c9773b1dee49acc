"""Linting a text in surroundings that examples rely on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from epl import Diagnostic, Environment, EventType, Severity, Source, check, parse
from epl.lint import LintContext, Surroundings, lint_program
from epl.types import LONG, STRING

MARKERS = ("SessionBeginEvent", "SessionEndEvent")
KEYS = frozenset({"_snid", "_snst"})
ENVIRONMENT = Environment(
    event_types={
        name: EventType(name, {"_snid": STRING, "_snst": LONG, "user": STRING}) for name in (*MARKERS, "CartEnd")
    },
    marker_types=frozenset(MARKERS),
)
SURROUNDINGS = Surroundings(
    gap_ms=1_800_000,
    max_idle_ms=3_600_000,
    markers=dict.fromkeys(MARKERS, KEYS),
    end_markers=frozenset({"SessionEndEvent"}),
    other_markers=frozenset({"CartBegin", "CartEnd"}),
)
SCHEMA = (
    "create schema PageView (user string, et string, url string, n int, total long, price double, paid boolean, "
    "tags string[], props map);\n"
)


def lint_text(text: str, environment: Environment = ENVIRONMENT, **known: Any) -> list[Diagnostic]:
    """The warnings of a rule set; `known` are more fields of its surroundings. Fails when it has errors."""
    checked = check(parse(Source("rules.epl", text)), environment)
    errors = [found for found in checked.problems if found.severity is Severity.ERROR]
    assert not errors, [f"{found.code.id} {found.message}" for found in errors]
    return lint_program(LintContext.of(checked, replace(SURROUNDINGS, **known)))


@pytest.fixture
def lint() -> Callable[..., list[Diagnostic]]:
    """`lint(text)`: all warnings of a whole rule set."""
    return lint_text


@pytest.fixture
def codes() -> Callable[..., list[str]]:
    """`codes(rules)`: the codes of rules about PageView events: those of weight, and the one that is asked for."""

    def codes_of(rules: str, *, also: str = "", **given: Any) -> list[str]:
        found = [each.code.id for each in lint_text(SCHEMA + rules, **given)]
        return [code for code in found if code == also or (code[:2] in ("W6", "W7") and code != "W708")]

    return codes_of
