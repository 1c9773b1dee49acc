"""Statements that were parsed before give the trees that parsing again would."""

from __future__ import annotations

import pytest

from epl import Source, ast, parse
from epl.parser import grammar
from epl.recent import RecentStatements

RULES = "@UpdateCounter('a') select 1 from E(s = 'x', n in [1:2]);\n"


@pytest.mark.parametrize("before", ["", "// more\n", "select 1 from E;\n", "select 'a from E;\n"])
def test_a_statement_that_has_moved(before: str) -> None:
    first = parse(Source("a", RULES)).statements[0]
    found = parse(Source("b", before + RULES)).statements[-1]
    assert found == first
    assert [node.span.start for node in ast.walk(found)] == [node.span.start + len(before) for node in ast.walk(first)]


def test_it_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parse(Source("a", RULES))
    monkeypatch.setattr(type(grammar()), "parse_interactive", None)
    assert len(parse(Source("b", f"// more\n{RULES}")).statements) == 1


def test_problems_are_found_each_time() -> None:
    for text in ("select '\\d' as x from E;", "select from E;"):
        assert [len(parse(Source("x", text)).problems) for _ in range(3)] == [1, 1, 1]


def test_only_so_many_are_kept() -> None:
    recent = RecentStatements()
    statement = parse(Source("a", RULES)).statements[0]
    for number in range(5_000):
        recent.keep(str(number), 0, statement)
    assert recent.find("4999", 0) is statement
    assert recent.find("0", 0) is None
    recent.keep("x" * 20_000, 0, statement)
    assert recent.find("x" * 20_000, 0) is None, "one of many pages is not worth its room"
