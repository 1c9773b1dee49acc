"""What must hold for every rule file: the meaning stays, a second run changes nothing, no comment is lost."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from epl import InvalidInput, ast
from epl.formatter import format_source, layout
from epl.formatter.comments import Comments
from epl.limits import MAX_DEPTH
from epl.parser import parse
from epl.source import Source

from .scribe import Scribe
from .trees import LEAVES, STATEMENTS, compound, statements

ROOT = Path(__file__).parents[2]

_SETTINGS = settings(
    max_examples=60,
    deadline=None,
    # To shrink one of these trees takes minutes, and the text in the message is short enough to read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_COMMENTS = st.lists(st.sampled_from(["// {}", "/* {} */", "/* {}\n   * more */", "//{}'`", '/*{}"//*/']), max_size=6)


@pytest.fixture(params=[100, 12], ids=["usual", "narrow"], autouse=True)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with lines so short that everything breaks."""
    monkeypatch.setattr(layout, "WIDTH", request.param)


def trees(text: str) -> list[str]:
    """The statements of a text. As `repr`, because 1, 1.0 and true are equal."""
    parsed = parse(Source("made-up.epl", text))
    assert not [found.message for found in parsed.problems], text
    return list(map(repr, parsed.statements))


def comments(text: str) -> list[str]:
    """The comments of a text."""
    return [comment.text for comment in Comments(text).between(0, len(text))]


def assert_laws(text: str) -> str:
    """Formats a text and holds the answer to the laws."""
    formatted = format_source(Source("made-up.epl", text))
    assert trees(formatted) == trees(text)
    assert sorted(comments(formatted)) == sorted(comments(text))
    assert format_source(Source("made-up.epl", formatted)) == formatted
    assert all(line == line.rstrip() for line in formatted.split("\n"))
    assert not formatted or (formatted.endswith("\n") and not formatted.endswith("\n\n"))
    return formatted


@_SETTINGS
@given(statements, st.randoms(use_true_random=False))
def test_a_made_up_tree_comes_back(tree: ast.Statement, random: Random) -> None:
    """However carelessly it is written."""
    scribe = Scribe(random)
    text = scribe.text(scribe.statement(tree), [])
    assert trees(text) == [repr(tree)]
    assert trees(assert_laws(text)) == [repr(tree)]


@_SETTINGS
@given(st.lists(statements, max_size=3), _COMMENTS, st.randoms(use_true_random=False))
def test_no_comment_is_lost(made_up: list[ast.Statement], styles: list[str], random: Random) -> None:
    """Wherever it stands, and none appears twice."""
    scribe = Scribe(random)
    tokens = [token for tree in made_up for token in scribe.statement(tree)]
    assert_laws(scribe.text(tokens, [style.format(number) for number, style in enumerate(styles)]))


def test_the_made_up_trees_are_of_every_kind() -> None:
    """A new kind of node cannot be forgotten here."""
    inner = next(iter(LEAVES.values()))
    made_up = {*LEAVES, *compound(inner), *STATEMENTS, ast.Star, ast.Expression, ast.Statement}
    kinds = {kind for kind in vars(ast).values() if isinstance(kind, type)}
    assert made_up == {kind for kind in kinds if issubclass(kind, ast.Expression | ast.Statement)}


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [("f(", ")", 1), ("not (", ")", 1), ("case when true then ", " end", 2), ("x.g(a, ", ") + 1", 2)],
)
def test_as_deep_as_the_language_allows(opening: str, closing: str, levels: int) -> None:
    """The writing recurses; the limit of the language keeps that far from Python's."""
    times = (MAX_DEPTH - 3) // levels
    assert_laws(f"select {opening * times}a{closing * times} from T;")


def test_a_long_file_takes_its_time_and_no_more() -> None:
    """Comments everywhere, lists and chains of a thousand parts: work grows with the text, not with its square."""
    items = "\n".join(f"{number}, // {number}" for number in range(1_000)) + "\n1000"
    chained = "\n".join(f"and a != {number} /* {number} */" for number in range(1_000))
    assert_laws(f"select a from T(a in ({items})) where a is not null {chained};")


FILES = sorted(path for name in ("examples", "profiles", "tests") for path in (ROOT / name).rglob("*.epl"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_files_of_this_project(path: Path) -> None:
    """Rules that people wrote; some test files are wrong on purpose."""
    source = Source.read(path)
    if parse(source).problems:
        with pytest.raises(InvalidInput):
            format_source(source)
    else:
        assert_laws(source.text)
