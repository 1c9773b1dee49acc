"""Ten different mistakes in one file: all of them are reported in one run, each at its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from epl import Environment, Source, Stage, check, parse
from epl.diagnostics import render

FOLDER = Path(__file__).parent / "mistakes"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.epl")))
def test_mistakes(name: str) -> None:
    """`UPDATE_GOLDEN=1 pytest` writes the `.err` file anew."""
    source = Source.read(FOLDER / f"{name}.epl", f"{name}.epl")
    problems = check(parse(source), Environment(stage=Stage.MAIN)).problems
    golden = FOLDER / f"{name}.err"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(render(problems), encoding="utf-8")
    assert render(problems) == golden.read_text(encoding="utf-8")


def test_ten_are_ten() -> None:
    source = Source.read(FOLDER / "ten.epl")
    problems = list(check(parse(source), Environment(stage=Stage.MAIN)).problems)
    assert len({problem.code.id for problem in problems}) == len(problems) == 10
    # The file says itself where: a comment at the end of each line with a mistake.
    marked = [number for number, line in enumerate(source.text.splitlines(), 1) if "// wrong" in line]
    assert [source.position(problem.span.start).line for problem in problems] == marked
