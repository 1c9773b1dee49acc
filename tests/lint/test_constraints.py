"""Against brute force: what the solver calls impossible is true for no event, what it calls certain false for none."""

from __future__ import annotations

from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from epl import Environment, EventType, Source, check, compile_program, parse, session_layout
from epl.lint.constraints import impossible, opposite
from epl.types import BOOLEAN, INT, STRING

FIELDS = {"n": INT, "m": INT, "s": STRING, "b": BOOLEAN}
NUMBERS, TEXTS, TRUTHS = (None, 0, 1, 2, 3), (None, "x", "y", "z"), (None, True, False)
EVENTS = [SimpleNamespace(n=n, m=m, s=s, b=b) for n, m, s, b in product(NUMBERS, (None, 1, 2), TEXTS, TRUTHS)]
LEAVES = (
    "n {c} {k}",
    "{k} {c} n",
    "m {c} {k}",
    "n {c} m",
    "s {e} '{t}'",
    "n in ({k}, {j})",
    "n not in ({k}, {j})",
    "s in ('{t}', 'y')",
    "s not in ('{t}', 'y')",
    "n between {k} and {j}",
    "n not between {k} and {j}",
    "n in ({k}:{j})",
    "n is null",
    "n is not null",
    "n is {k}",
    "n is not {k}",
    "s is null",
    "b",
    "b = false",
    "b is not null",
    "{k} {c} {j}",
    "coalesce(n, 1) {c} {k}",
)


def condition(random: Random, depth: int = 0) -> str:
    """A condition over the fields, at most three levels deep."""
    kind = random.random() if depth < 3 else 1.0
    if kind < 0.3:
        joint = random.choice((" and ", " or "))
        return "(" + joint.join(condition(random, depth + 1) for _ in range(random.randint(2, 3))) + ")"
    if kind < 0.4:
        return f"not ({condition(random, depth + 1)})"
    return random.choice(LEAVES).format(
        c=random.choice(("=", "!=", "<", "<=", ">", ">=")),
        e=random.choice(("=", "!=")),
        k=random.randint(-1, 4),
        j=random.randint(0, 3),
        t=random.choice("xyz"),
    )


def verdicts(text: str) -> tuple[bool, bool, list[Any]]:
    """What the solver says of a condition (impossible, certain but for nulls), and its value for every event."""
    rules = f"@DecorateEvent select {text} as v from E;\n@DecorateEvent select 1 as w from E({text});"
    environment = Environment(event_types={"E": EventType("E", FIELDS)})
    checked = check(parse(Source("x", rules)), environment)
    assert not checked.problems.has_errors, [found.message for found in checked.problems]
    expr = checked.program.rules[0].columns[0].expr
    handler = compile_program(checked.program, session_layout(checked.attributes)).handlers["E"]
    values = [(handler(event, SimpleNamespace(), None, 0, SimpleNamespace()) or {}).get("v") for event in EVENTS]
    return impossible([expr]), impossible([opposite(expr)]), values


@pytest.mark.parametrize("seed", range(12))
def test_sure_answers_only(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        text = " and ".join(condition(random) for _ in range(random.randint(1, 3)))
        never, always, values = verdicts(text)
        assert not (never and True in values), text
        assert not (always and False in values), text


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("n > 1 and n < 2", True),
        ("n > 1 and n < 3 and n != 2", True),
        ("n >= 2 and n <= 2 and n != 2", True),
        ("(s = 'x' or s = 'y') and s = 'z'", True),
        ("not (n = 1 or n != 1)", True),
        ("n < m and n >= m", True),
        ("n > 1 and n < 3", False),
        ("n is not 1 and n is null", False),
    ],
)
def test_what_it_understands(text: str, never: bool) -> None:
    found, _, values = verdicts(text)
    assert found is never
    assert (True in values) is not never
