"""Fixes that claim to keep what a condition means do: the same answer, null included, for events of all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from epl import Environment, Severity, Source, check, compile_program, parse
from epl.diagnostics import Edit, Fix, edited
from epl.lint import LintContext, lint_program

SCHEMA = "create schema E (et string, n int, price double, paid boolean);\n"
EVENTS = [
    {"et": et, "n": n, "price": price, "paid": paid}
    for et, n, price, paid in product(
        [None, "", "a", "b", "xay", "^a$", "A", "é"],
        [None, -1, 0, 1, 5, 10, 2**31 - 1],
        [None, -0.0, 2.5, float("nan"), float("inf")],
        [None, True, False],
    )
]


class Rows:
    """What a statement gives, and how it fails."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.rows[rule] = row

    def fail(self, rule: int, error: Exception, event: Any) -> None:
        raise error


def answers(condition: str) -> list[Any]:
    """What a condition is for each event."""
    checked = check(parse(Source("rules.epl", f"{SCHEMA}select ({condition}) as x from E;")), Environment())
    assert not checked.problems.has_errors, condition
    compiled = compile_program(checked.program, report=True)
    found = []
    for event in EVENTS:
        rows = Rows()
        compiled.handlers["E"](SimpleNamespace(**event), None, None, 0, rows)
        found.append(next(iter(rows.rows.values()))["x"])
    return found


def fixes(text: str) -> Iterator[Fix]:
    """The fixes of a text, less those that change the meaning as was plainly meant."""
    checked = check(parse(Source("rules.epl", text)), Environment())
    assert not [each for each in checked.problems if each.severity is Severity.ERROR], text
    for each in lint_program(LintContext.of(checked)):
        if each.fix is not None and each.code.id != "W605":
            yield each.fix


@pytest.mark.parametrize(
    "condition",
    [
        "n = 1 or n > 4 or n = 1",
        "n > 0 and paid and n > 0",
        "n between 5 and -1",
        "n not between 5 and -1",
        "n in [10:1]",
        "n in (10:1)",
        "et regexp '.*a.*'",
        "et not regexp '.*a'",
        "et regexp '^[ab]$'",
        "et like 'a'",
        "et not like 'a'",
        "paid = true",
        "paid != true",
        "paid = false",
        "false != paid",
        "cast(n, int) > 0",
        "not n = 1",
        "not n < 5",
        "not n >= cast(n, int)",
        "not price = 2.5",
        "not price < 2.5",
        "not et is 'a'",
        "not et is not null",
        "not et in ('a', 'b')",
        "not et like '%a%'",
        "not et regexp '[a-z]'",
        "not (paid = (et like 'a'))",
        "et in ('a')",
        "n not in (5)",
        "et in ('a', 'b', 'a')",
        "et != all ('a', 'b', 'a')",
        "-n < 0",
        "-(n + 1) * 2 > -3",
    ],
)
def test_the_meaning_is_kept(condition: str) -> None:
    text = f"{SCHEMA}@Name('r') @DecorateEvent select ({condition}) as x from E;"
    start, end = text.index(" select (") + len(" select ("), text.rindex(") as x")
    made = list(fixes(text))
    assert made or condition == "not price < 2.5"  # what is no number is neither less nor not less
    for fix in made:
        after = edited(text, fix.edits)[start : end + grown(fix.edits)]
        assert [repr(each) for each in answers(after)] == [repr(each) for each in answers(condition)], after


def grown(edits: tuple[Edit, ...]) -> int:
    """How much longer a text is after edits."""
    return sum(len(edit.text) - (edit.span.end - edit.span.start) for edit in edits)
