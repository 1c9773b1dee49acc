"""What mends the style warnings that say how to write the same thing better."""

from __future__ import annotations

from epl import ast
from epl.diagnostics import Fix
from epl.lint.context import LintContext
from epl.lint.places import simple_type
from epl.lint.rewrites import between, operator_between, operator_edit, rewritten, without
from epl.structs import replace

NEGATED = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "is": "is not", "is not": "is"}
"""The comparison that `not` makes of another."""

_ORDERING = ("<", "<=", ">", ">=")


def plain_boolean(
    context: LintContext, statement: ast.Statement, node: ast.Binary, operand: ast.Expression, negated: bool
) -> Fix | None:
    """`paid = true` to `paid`, `paid = false` to `not paid`."""
    place = operator_between(context, node.left, node.right)
    if place is None:
        return None
    text, word = context.source.text, "not " if negated else ""
    start, end = node.span.start, node.span.end
    if operand is node.left:
        edits = [between(start, start, word), between(len(text[: place.start].rstrip()), end)]
    else:
        edits = [between(start, end - len(text[place.end : end].lstrip()), word)]
    new = ast.Negate(operand, span=node.span) if negated else operand
    return rewritten(context, statement, node, new, "drop the comparison with a constant", edits)


def without_cast(context: LintContext, statement: ast.Statement, node: ast.Cast) -> Fix | None:
    """`cast(n, int)` to `n`."""
    value = node.value
    edits = [between(node.span.start, value.span.start), between(value.span.end, node.span.end)]
    return rewritten(context, statement, node, value, "drop the cast", edits)


def without_not(context: LintContext, statement: ast.Statement, node: ast.Negate) -> Fix | None:
    """`not a = b` to `a != b`, `not a in (…)` to `a not in (…)`."""
    inner = node.operand
    new: ast.Expression
    match inner:
        case ast.Binary(operator, left, right) if operator in NEGATED:
            # What is no number (0 / 0) is neither less nor not less.
            kinds = [simple_type(context, statement, side) for side in (left, right)]
            if operator in _ORDERING and not all(kind is not None and kind.is_integral for kind in kinds):
                return None
            new = replace(inner, operator=NEGATED[operator])
            edit = operator_edit(context, left, right, NEGATED[operator])
        case ast.Contained(value, options, False) if options:
            new, edit = replace(inner, negated=True), operator_edit(context, value, options[0], "not in")
        case ast.Like(value, pattern, _, False):
            new, edit = replace(inner, negated=True), operator_edit(context, value, pattern, "not like")
        case ast.Regexp(value, pattern, False):
            new, edit = replace(inner, negated=True), operator_edit(context, value, pattern, "not regexp")
        case _:
            return None
    edits = [between(node.span.start, inner.span.start), edit, between(inner.span.end, node.span.end)]
    return rewritten(context, statement, node, new, "put the `not` into the comparison", edits)


def plain_equals(context: LintContext, statement: ast.Statement, node: ast.Contained) -> Fix | None:
    """`x in ('a')` to `x = 'a'`."""
    (option,) = node.options
    operator = "!=" if node.negated else "="
    place = operator_between(context, node.value, option)
    if place is None:
        return None
    blank = "" if context.source.text[place.start - 1].isspace() else " "
    edits = [between(place.start, option.span.start, f"{blank}{operator} "), between(option.span.end, node.span.end)]
    new = ast.Binary(operator, node.value, option, span=node.span)
    return rewritten(context, statement, node, new, f"write `{operator}`", edits)


def without_option(
    context: LintContext, statement: ast.Statement, node: ast.Contained | ast.Quantified, number: int
) -> Fix | None:
    """`x in ('a', 'b', 'a')` to `x in ('a', 'b')`."""
    options = node.options
    new = replace(node, options=(*options[:number], *options[number + 1 :]))
    edits = [without(context, options[number - 1], options[number])]
    return rewritten(context, statement, node, new, "remove the repeated option", edits)
