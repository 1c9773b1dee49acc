"""Each code's bad example triggers it and nothing else; its good example triggers nothing."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import pytest

from epl import Environment, EventType, Source, check, parse
from epl.diagnostics import Code, Severity, render
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.extend import RowColumns, add_to_counter, annotation
from epl.registry.annotations import ANNOTATIONS
from epl.typed import Effect
from epl.types import STRING


@annotation("Points", example="@Points('score') select n as points from PageView;")
def points(row: RowColumns, name: Annotated[str, "the sum"]) -> list[Effect]:
    """Sums the column `points`."""
    return [add_to_counter(name, row["points"])]


MARKERS = ("SessionBeginEvent", "SessionEndEvent")
ENVIRONMENT = Environment(
    event_types={name: EventType(name, {"_snid": STRING}) for name in MARKERS},
    marker_types=frozenset(MARKERS),
    profiles=frozenset({"Main"}),
    annotations=(*ANNOTATIONS, points.__sojourn__),  # type: ignore[attr-defined]
)


def codes_of(text: str) -> list[str]:
    """The codes of a file's problems, in order of place."""
    return [problem.code.id for problem in check(parse(Source("example.epl", text)), ENVIRONMENT).problems]


@pytest.mark.parametrize("code", LANGUAGE_CODES, ids=lambda code: code.id)
def test_bad_example(code: Code) -> None:
    found = codes_of(code.bad)
    assert code.id in found
    assert set(found) == {code.id}


@pytest.mark.parametrize("code", LANGUAGE_CODES, ids=lambda code: code.id)
def test_good_example(code: Code) -> None:
    problems = check(parse(Source("example.epl", code.good)), ENVIRONMENT).problems
    assert not list(problems), render(problems)


def test_codes_are_unique_and_documented() -> None:
    assert [id_ for id_, count in Counter(code.id for code in LANGUAGE_CODES).items() if count > 1] == []
    for code in LANGUAGE_CODES:
        assert code.severity is Severity.ERROR
        assert code.title
        assert code.why.endswith(".")
        assert code.bad != code.good
