"""Every example of the registry runs as a rule would run it, and gives what the reference pages say."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from epl import Environment, Source, Stage, check, compile_program, parse, session_layout
from epl.diagnostics import render
from epl.registry import BUILTINS, ENTRIES, Example
from epl.registry.annotations import ANNOTATIONS, AnnotationEntry

SCHEMA = "create schema E (n int);\n"
EXAMPLES = [(entry.title, example) for entry in ENTRIES for example in entry.examples] + [
    (builtin.name, example) for builtin in BUILTINS for example in builtin.examples
]


class Driver:
    """Takes what one rule leaves."""

    def __init__(self) -> None:
        self.rows: deque[Any] = deque()
        self.reported: list[dict[str, Any]] = []

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.reported.append(row)

    def fail(self, rule: int, error: Exception, event: Any) -> None:
        raise error


def run(expression: str) -> Any:
    """The value of an expression as the column of a rule."""
    checked = check(parse(Source("example.epl", f"{SCHEMA}select {expression} as x from E")), Environment())
    assert not list(checked.problems), render(checked.problems)
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    driver = Driver()
    compiled.handlers["E"](SimpleNamespace(n=None, missing=None), None, None, 1_700_000_000_000, driver)
    return driver.reported[0]["x"]


@pytest.mark.filterwarnings("error::SyntaxWarning")
@pytest.mark.parametrize(("title", "example"), EXAMPLES, ids=[f"{t} {e.expression}" for t, e in EXAMPLES])
def test_example(title: str, example: Example) -> None:
    result = run(example.expression)
    assert type(result) is type(example.result)
    assert result == example.result or (result != result and example.result != example.result)


@pytest.mark.parametrize("entry", ANNOTATIONS, ids=lambda entry: entry.name)
def test_annotation_example(entry: AnnotationEntry) -> None:
    schema = "create schema PageView (user string, et string, n int, at long);\n"
    for stage in entry.stages:
        environment = Environment(stage=stage, profiles=frozenset({"Main"}), sub_sessions=frozenset({"Cart"}))
        example = f"{schema}{entry.example}"
        if stage is Stage.CONTROLLER and "session." in entry.example:
            continue
        checked = check(parse(Source("example.epl", example)), environment)
        assert not list(checked.problems), render(checked.problems)
        compile_program(checked.program, session_layout(checked.attributes), profiles=["Main"], sub_sessions=["Cart"])
        assert f"@{entry.name}" in entry.example


def test_names_are_documented_once() -> None:
    titles = [entry.title for entry in ENTRIES] + [builtin.name for builtin in BUILTINS]
    assert len(titles) == len(set(titles))
    assert all(entry.summary.endswith(".") for entry in (*ENTRIES, *BUILTINS, *ANNOTATIONS))
