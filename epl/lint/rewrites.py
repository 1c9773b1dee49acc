"""Fixes that rewrite a part of a statement: the smallest edits, proven by parsing what they make.

A rule says which node becomes which, and the edits that should do it. Parentheses and precedence are not thought
about: the edited statement is parsed, and must be the tree that is meant, with parentheses round the new part if it
takes them. Otherwise there is no fix. Neither is there one that would take a comment away, or that would change the
name of a column that has none but its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from epl import ast
from epl.canonical import canonical
from epl.diagnostics import Edit, Fix, edited
from epl.lint.comments import comments
from epl.lint.context import LintContext
from epl.parser import parse
from epl.source import Source, Span
from epl.structs import replace

_OPERATOR = re.compile(r"[^\s()]+(?:\s+[^\s()]+)*")
_CLOSING = re.compile(r"\s*\)")


def rewritten(
    context: LintContext,
    statement: ast.Statement,
    old: ast.Node,
    new: ast.Node,
    description: str,
    edits: Sequence[Edit | None],
) -> Fix | None:
    """The fix that makes one node of a statement another; None when these edits do not, or one of them is none."""
    if not context.may_prove(statement):
        return None
    whole = _substituted(statement, old, new)
    assert isinstance(whole, ast.Statement)
    made = [edit for edit in edits if edit is not None and context.source.slice(edit.span) != edit.text]
    start, end = old.span.start, old.span.end
    bracketed = [Edit(Span(start, start), "("), *made, Edit(Span(end, end), ")")]
    for attempt in () if None in edits else (made, bracketed):
        fix = proven(context, statement, whole, Fix(description, tuple(attempt)))
        if fix is not None:
            return fix
    return None


def proven(context: LintContext, statement: ast.Statement, whole: ast.Statement, fix: Fix) -> Fix | None:
    """A fix whose edits make a statement the one that is meant; None when they do not."""
    if not context.may_prove(statement):
        return None
    source = context.source
    if takes_comments(source, statement.span, fix.edits) or _names(statement) != _names(whole):
        return None
    shifted = [
        Edit(Span(edit.span.start - statement.span.start, edit.span.end - statement.span.start), edit.text)
        for edit in fix.edits
    ]
    parsed = parse(Source(source.name, edited(source.slice(statement.span), shifted)))
    return fix if parsed.statements == (whole,) and not len(parsed.problems) else None


def takes_comments(source: Source, around: Span, edits: Iterable[Edit]) -> bool:
    """True when edits within a statement would remove a comment, or a part of one."""
    places = list(comments(source, around))
    return any(edit.span.start < place.end and place.start < edit.span.end for edit in edits for place in places)


def operator_between(context: LintContext, left: ast.Node, right: ast.Node) -> Span | None:
    """The place of what stands between two operands, without blanks and parentheses; None where a comment does."""
    gap = Span(left.span.end, right.span.start)
    found = _OPERATOR.search(context.source.text, gap.start, gap.end)
    if found is None or next(comments(context.source, gap), None) is not None:
        return None
    return Span(found.start(), found.end())


def operator_edit(context: LintContext, left: ast.Node, right: ast.Node, operator: str) -> Edit | None:
    """The edit that puts another operator between two operands, with a blank on either side."""
    place = operator_between(context, left, right)
    return None if place is None else Edit(place, _spaced(context.source.text, place, operator))


def without(context: LintContext, previous: ast.Node, node: ast.Node) -> Edit | None:
    """The edit that takes an operand away, with its parentheses and the operator or comma before it."""
    place = operator_between(context, previous, node)
    if place is None:
        return None
    text = context.source.text
    end = node.span.end
    for _ in range(text.count("(", place.end, node.span.start)):
        closing = _CLOSING.match(text, end)
        if closing is None:
            return None
        end = closing.end()
    start = place.start
    while text[start - 1].isspace():
        start -= 1
    return Edit(Span(start, end), "")


def between(start: int, end: int, text: str = "") -> Edit:
    """The edit that replaces what stands between two offsets."""
    return Edit(Span(start, end), text)


def removal(source: Source, span: Span) -> Edit:
    """The edit that takes a part away: with its line where it stands alone, else with the blanks beside it."""
    text = source.text
    start, end = span.start, span.end
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    while end < len(text) and text[end] in " \t":
        end += 1
    opens, closes = start == 0 or text[start - 1] == "\n", end == len(text) or text[end] == "\n"
    if opens and closes:
        return between(start, min(end + 1, len(text)))
    return between(start, span.end) if closes else between(span.start, end)


def _spaced(text: str, place: Span, operator: str) -> str:
    before = "" if text[place.start - 1].isspace() else " "
    after = "" if text[place.end : place.end + 1].isspace() else " "
    return f"{before}{operator}{after}"


def _names(statement: ast.Statement) -> list[str]:
    """The names of the columns that are named by their text."""
    columns = statement.columns if isinstance(statement, ast.Select) else ()
    return [canonical(each.expression) for each in columns if isinstance(each, ast.Column) and each.name is None]


def _substituted(node: ast.Node, old: ast.Node, new: ast.Node) -> ast.Node:
    """A tree with one node replaced; told by identity, since equal ones may stand elsewhere."""
    if node is old:
        return new
    changed: dict[str, Any] = {}
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if isinstance(value, ast.Node):
            made: object = _substituted(value, old, new)
        elif isinstance(value, tuple):
            made = tuple(_substituted(each, old, new) if isinstance(each, ast.Node) else each for each in value)
            if all(a is b for a, b in zip(made, value, strict=True)):
                continue
        else:
            continue
        if made is not value:
            changed[name] = made
    return replace(node, **changed) if changed else node
