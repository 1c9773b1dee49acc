"""What a module registers, and whether its examples hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

from epl.checker import check
from epl.compiler import compile_program
from epl.environment import Environment
from epl.extend.functions import MARK
from epl.java.values import same
from epl.layout import session_layout
from epl.parser import parse
from epl.registry import Entry, Example
from epl.registry.annotations import AnnotationEntry
from epl.source import Source

EXAMPLE_SCHEMA = "create schema PageView (user string, et string, n int, at long);\n"
"""What the rules of examples are about."""


@dataclass(frozen=True, slots=True)
class Extension:
    """The functions and annotations of one module, in the order of their definition."""

    module: str
    functions: tuple[Entry, ...]
    annotations: tuple[AnnotationEntry, ...]


def extension_of(module: ModuleType) -> Extension:
    """What a module registers, and what it imports from elsewhere by name."""
    entries = [getattr(value, MARK, None) for value in vars(module).values() if callable(value)]
    once = list({id(entry): entry for entry in entries}.values())
    return Extension(
        module.__name__,
        tuple(entry for entry in once if isinstance(entry, Entry)),
        tuple(entry for entry in once if isinstance(entry, AnnotationEntry)),
    )


def wrong_examples(extension: Extension, environment: Environment) -> Iterator[tuple[str, str, str]]:
    """The examples that do not hold, with the name that they belong to and what happens instead."""
    for entry in extension.functions:
        for example in entry.examples:
            outcome = _outcome(example, environment)
            if outcome is not None:
                yield entry.title, example.expression, outcome
    for annotation in extension.annotations:
        problems = check(parse(Source("example", EXAMPLE_SCHEMA + annotation.example)), environment).problems
        outcome = next((found.message for found in problems), None)
        if outcome is not None:
            yield f"@{annotation.name}", annotation.example, f"is no rule: {outcome}"


def _outcome(example: Example, environment: Environment) -> str | None:
    """What is wrong with an example, None when nothing is."""
    text = f"{EXAMPLE_SCHEMA}select {example.expression} as x from PageView"
    checked = check(parse(Source("example", text)), environment)
    problem = next(iter(checked.problems), None)
    if problem is not None:
        return f"is no expression: {problem.message}"
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    driver = _Driver()
    event = SimpleNamespace(user=None, et=None, n=None, at=None)
    compiled.handlers["PageView"](event, None, None, 0, driver)
    if driver.failure is not None:
        return f"fails: {driver.failure}"
    if same(driver.value, example.result):
        return None
    return f"gives {driver.value!r}, not {example.result!r}"


class _Driver:
    """Takes what the rule of an example leaves."""

    def __init__(self) -> None:
        self.rows: deque[Any] = deque()
        self.value: Any = None
        self.failure: str | None = None

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """The row."""
        self.value = row["x"]

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        """An error."""
        self.failure = f"{type(error).__name__}: {error}"
