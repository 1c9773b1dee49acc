"""Conditions whose answer is known before any event comes: never true, always true, a thing compared with itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.diagnostics import Fix
from epl.lint.constraints import impossible, opposite
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import Condition, conjuncts
from epl.lint.rewrites import rewritten, without
from epl.structs import replace
from epl.typed_walk import subexpressions

NEVER_TRUE = example_code(
    "W601",
    "condition that is never true",
    "this is never true{because}",
    "The rule gives no row, whatever comes. Mostly an `and` that should be an `or`, or a bound the wrong way round.",
    "@UpdateCounter('few') select 1 from PageView(n > 5 and n < 3);",
    "@UpdateCounter('few') select 1 from PageView(n > 3 and n < 5);",
)
ALWAYS_TRUE = example_code(
    "W602",
    "condition that is always true",
    "this is always true{but}",
    "A condition that holds for every event tells nothing apart. `x != 'a' or x != 'b'` is the usual slip: `and` or "
    "`not in` is meant.",
    "@UpdateCounter('other') select 1 from PageView(et != 'view' or et != 'click');",
    "@UpdateCounter('other') select 1 from PageView(et not in ('view', 'click'));",
)
SAME_SIDES = example_code(
    "W603",
    "comparison of a thing with itself",
    "both sides are `{side}`",
    "The answer depends on nothing but null. A field of another name is meant, or `is not null`.",
    "@UpdateCounter('same') select 1 from PageView(user = user);",
    "@UpdateCounter('same') select 1 from PageView(user = et);",
)
REPEATED_OPERAND = example_code(
    "W604",
    "condition given twice",
    "`{part}` stands in this `{operator}` already",
    "The second one changes nothing. Mostly a copy in which the name was to be changed.",
    "@UpdateCounter('both') select 1 from PageView(et = 'a' or et = 'a');",
    "@UpdateCounter('both') select 1 from PageView(et = 'a' or et = 'b');",
)


_VARYING = (t.Field, t.SessionProperty, t.Attribute, t.Now, t.Apply, t.AttributeContains, t.AttributeFilter)


def _never_true(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        parts = [part for part in conjuncts(rule, statement) if not _is_switch(context, part)]
        # `x = null` and `x != x` have codes of their own, which say more.
        if not impossible(part.expr for part in parts):
            continue
        # The first condition that leaves nothing: with it and all before it, nothing is left, and later ones change
        # nothing about that, so it can be searched for by halves.
        number = bisect_left(range(len(parts)), True, key=lambda last: impossible(p.expr for p in parts[: last + 1]))
        part = parts[number]
        other = next((before for before in parts[:number] if impossible((before.expr, part.expr))), None)
        if impossible([part.expr]):
            because = ""
        elif other is not None:
            because = f" where `{context.text(other.node)}`"
        else:
            because = " together with the conditions before it"
        yield found(part.node.span, because=because)


def _always_true(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        for part in conjuncts(rule, statement):
            if impossible([opposite(part.expr)]) and not _of_itself(part) and not _is_switch(context, part):
                # An `or` whose parts are about one field is false for nothing, but null for null.
                but = " unless something in it is null" if part.expr.nullable else ""
                yield found(part.node.span, but=but)


def _of_itself(part: Condition) -> bool:
    return isinstance(part.node, ast.Binary) and part.node.left == part.node.right


def _is_switch(context: LintContext, part: Condition) -> bool:
    """True for a condition over variables only: a rule that is switched on or off by a line at the top of the file."""
    if any(isinstance(below, _VARYING) for below in subexpressions(part.expr)):
        return False
    variables = {each.name.text for each in context.statements if isinstance(each, ast.CreateVariable)}
    named = (below.name for below in ast.walk(part.node) if isinstance(below, ast.Reference))
    return any(name in variables for name in named)


def _same_sides(context: LintContext) -> Iterator[Finding]:
    for _, node in context.nodes:
        compares = isinstance(node, ast.Binary) and node.operator in ("=", "!=", "<", "<=", ">", ">=", "is", "is not")
        if compares and isinstance(node, ast.Binary) and node.left == node.right and not _is_literal(node.left):
            yield found(node.span, side=context.text(node.left))


def _is_literal(node: ast.Expression) -> bool:
    return isinstance(node, ast.NumberLiteral | ast.StringLiteral | ast.BooleanLiteral | ast.NullLiteral)


def _repeated_operand(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if not isinstance(node, ast.Chain) or node.operator == "||":
            continue
        before: set[ast.Expression] = set()
        for number, operand in enumerate(node.operands):
            if operand in before:
                fix = _without_operand(context, statement, node, number)
                yield found(operand.span, fix=fix, part=context.text(operand), operator=node.operator)
            before.add(operand)


def _without_operand(context: LintContext, statement: ast.Statement, node: ast.Chain, number: int) -> Fix | None:
    operands = node.operands
    rest = (*operands[:number], *operands[number + 1 :])
    new = rest[0] if len(rest) == 1 else replace(node, operands=rest)
    edits = [without(context, operands[number - 1], operands[number])]
    return rewritten(context, statement, node, new, "remove the repeated condition", edits)


NEVER_TRUE_RULES = (
    LintRule(NEVER_TRUE, _never_true),
    LintRule(ALWAYS_TRUE, _always_true),
    LintRule(SAME_SIDES, _same_sides),
    LintRule(REPEATED_OPERAND, _repeated_operand),
)
