"""The grammar has no conflicts, and every rule of it has a builder."""

from __future__ import annotations

from lark import Lark

from epl.builder import Builder
from epl.diagnostics import Problems
from epl.lexer import RESERVED
from epl.parser import grammar
from epl.source import Source


def test_no_conflicts() -> None:
    """Lark resolves shift/reduce conflicts silently, unless it is strict; strict also compares all terminals."""
    assert isinstance(grammar(strict=True), Lark)


def test_every_rule_has_a_builder() -> None:
    builder = Builder(Problems(Source("", "")))
    # `_x` and `?x` leave no tree of their own, unless an alias names one.
    names = {
        rule.alias or rule.origin.name
        for rule in grammar().rules
        if rule.alias or not (rule.origin.name.startswith("_") or rule.options.expand1)
    }
    assert sorted(name for name in names if not hasattr(builder, name)) == []


def test_words_without_a_rule_are_refused_ones() -> None:
    """A reserved word stands in the grammar, or is kept away from names so that its construct can be refused."""
    used = {symbol.name for rule in grammar().rules for symbol in rule.expansion}
    unused = {word for word, terminal in RESERVED.items() if terminal not in used}
    refused = "on group by having order limit output distinct rstream irstream unidirectional"
    assert unused == set(refused.split())
