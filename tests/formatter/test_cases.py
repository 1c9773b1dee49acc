"""The style, case by case: NAME.epl becomes NAME.formatted.epl."""

from __future__ import annotations

from pathlib import Path

import pytest

from epl import InvalidInput, Source
from epl.formatter import format_source

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.epl") if not path.stem.endswith(".formatted"))


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str) -> None:
    """The text as it should look."""
    source = Source.read(CASES / f"{name}.epl")
    assert format_source(source) == (CASES / f"{name}.formatted.epl").read_text(encoding="utf-8")


def test_every_answer_has_its_question() -> None:
    """No formatted file is left over from a case that is gone."""
    assert {path.stem for path in CASES.glob("*.formatted.epl")} == {f"{name}.formatted" for name in NAMES}


def test_no_line_breaks_at_exactly_the_width() -> None:
    """A hundred columns fit, with the `;`; a comment behind them counts for nothing."""
    head, tail = "select ", " from T;"
    fits = head + "a" * (100 - len(head) - len(tail)) + tail
    assert format_source(Source("t", f"{fits} // comment")) == f"{fits} // comment\n"
    longer = fits.replace("select ", "select a")
    assert format_source(Source("t", longer)) == longer.replace(" from", "\nfrom") + "\n"


@pytest.mark.parametrize(
    "text", ["select a frm T", "select 'a from T;", "select a from T; /* open", "select '\\d' from T"]
)
def test_what_does_not_parse_is_refused(text: str) -> None:
    """All problems are reported, and nothing is written."""
    with pytest.raises(InvalidInput) as refused:
        format_source(Source("t", f"select a from T;\n{text}"))
    assert [found.code.id[:2] for found in refused.value.diagnostics] == ["E1"]
