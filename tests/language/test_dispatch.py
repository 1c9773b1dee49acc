"""Rules that are found by the value of a field do what they do when each is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from epl import Environment, Source, Stage, check, compile_program, parse, session_layout
from epl.session_schema import PROPERTIES

SCHEMA = "create schema E (s string, u string, i int);\n"
VALUES = [f"v{number}" for number in range(12)]
EFFECTS = (
    "@UpdateCounter('n{place}') select 1 from E({condition})",
    "@UpdateCounter('shared') select 1 from E({condition})",
    "@UpdateState select session.int('shared') as seen from E({condition})",
    "@DecorateEvent select session.int('shared') as d, s as d{place} from E({condition})",
    "@UpdateCounter('f{place}') select 10 % i as n from E({condition}, 10 % i >= 0)",
)
ASKED = st.sampled_from(VALUES)
# Each as it would be written, and in words that no rule is found by.
CONDITIONS = st.one_of(
    ASKED.map(lambda value: (f"s = '{value}'", f"(s = '{value}' or s = '{value}')")),
    ASKED.map(lambda value: (f"'{value}' = s", f"(s = '{value}' or s = '{value}')")),
    st.tuples(ASKED, ASKED).map(lambda two: (f"s in {two}", f"(s = '{two[0]}' or s = '{two[1]}')")),
    ASKED.map(lambda value: (f"i > 1, s = '{value}'", f"i > 1, (s = '{value}' or s = '{value}')")),
    ASKED.map(lambda value: (f"10 % i > 1, s = '{value}'", f"10 % i > 1, (s = '{value}' or s = '{value}')")),
    ASKED.map(lambda value: (f"u = '{value}'", f"(u = '{value}' or u = '{value}')")),
    st.just(("i > 0", "i > 0")),
)
RULES = st.lists(st.tuples(st.sampled_from(EFFECTS), CONDITIONS), min_size=1, max_size=40)
EVENTS = st.lists(
    st.tuples(ASKED | st.none() | st.just("other"), ASKED | st.none(), st.integers(0, 3)), min_size=1, max_size=8
)
OF_EVERY_VALUE = [(EFFECTS[0], (f"s = '{each}'", f"(s = '{each}' or s = '{each}')")) for each in VALUES]
READING = (EFFECTS[3], ("s = 'v3'", "(s = 'v3' or s = 'v3')"))


class Seen:
    """What handlers tell."""

    is_new = True

    def __init__(self) -> None:
        self.failed: list[tuple[str, str]] = []

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        self.failed.append((rule, str(error)))


def text(rules: list[tuple[str, tuple[str, str]]], form: int) -> str:
    """The rules, with the first or the second form of their conditions."""
    shown = enumerate((effect, conditions[form]) for effect, conditions in rules)
    named = (f"@Name('r{place}') {effect.format(place=place, condition=asked)};" for place, (effect, asked) in shown)
    return SCHEMA + "\n".join(named)


def outcome(source: str, events: list[tuple[str | None, str | None, int]], guarded: bool) -> list[object]:
    checked = check(parse(Source("rules.epl", source)), Environment(stage=Stage.MAIN))
    assert not checked.problems.has_errors
    layout = session_layout(checked.attributes)
    compiled = compile_program(checked.program, layout, guarded=guarded)
    slots = {property.slot: 0 for property in PROPERTIES.values()}
    session = SimpleNamespace(**dict.fromkeys(layout.attributes), **slots)
    seen = Seen()
    sent = [
        compiled.handlers["E"](SimpleNamespace(s=s, u=u, i=i), session, None, 1_000, seen)
        for s, u, i in events
        if "E" in compiled.handlers
    ]
    return [sent, vars(session), seen.failed, compiled.matches]


@given(RULES, EVENTS, st.booleans())
@example([*OF_EVERY_VALUE, READING, *OF_EVERY_VALUE], [("v3", None, 1)], True)
def test_as_if_each_rule_were_asked(
    rules: list[tuple[str, tuple[str, str]]], events: list[tuple[str | None, str | None, int]], guarded: bool
) -> None:
    assert outcome(text(rules, 0), events, guarded) == outcome(text(rules, 1), events, guarded)


def generated(conditions: list[str]) -> str:
    rules = [f"@UpdateCounter('c') select 1 from E({condition});" for condition in conditions]
    checked = check(parse(Source("rules.epl", SCHEMA + "\n".join(rules))), Environment(stage=Stage.MAIN))
    return compile_program(checked.program, session_layout(checked.attributes)).python


@pytest.mark.parametrize(
    ("conditions", "is_found"),
    [
        ([f"s = '{value}'" for value in VALUES], True),
        ([f"s = '{value}' and i > 1" for value in VALUES], True),
        ([f"s in ('{value}', 'v')" for value in VALUES], True),
        ([f"s in ('{value}', 'a', 'b', 'c', 'd')" for value in VALUES], False),
        ([f"s = '{value}'" for value in VALUES[:7]], False),
        ([f"s = '{value}'" for value in VALUES[:2] * 9], False),
        ([f"10 % i = 1 and s = '{value}'" for value in VALUES], False),
        ([f"s != '{value}'" for value in VALUES], False),
        ([f"i = {number}" for number in range(12)], False),
    ],
    ids=[
        "text",
        "with more",
        "one of two",
        "one of many",
        "few",
        "few values",
        "behind what may fail",
        "unequal",
        "numbers",
    ],
)
def test_what_is_found_by_its_value(conditions: list[str], is_found: bool) -> None:
    assert (".get(" in generated(conditions)) is is_found


def test_what_is_written_reads_well() -> None:
    lines = [line for line in generated([f"s = '{value}'" for value in VALUES[:8]]).splitlines() if "#" not in line]
    assert lines[:8] == [
        "def on_E(e, s, p, now, fx):",
        "    s_ = e.s",
        "    t1 = PLACES_0.get(s_)",
        "    if t1 is not None:",
        "        if t1 < 4:",
        "            if t1 < 2:",
        "                if t1 < 1:",
        "                    if s_ == 'v0':",
    ]
