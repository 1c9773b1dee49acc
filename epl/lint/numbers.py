"""Numbers that cannot be what is meant: bounds out of reach or the wrong way round, divisions."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast, types
from epl import typed as t
from epl.diagnostics import Edit, Fix
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import comparisons, conjuncts, simple_type
from epl.lint.rewrites import rewritten
from epl.structs import replace
from epl.types import Kind

OUT_OF_RANGE = example_code(
    "W609",
    "constant that the field can never reach",
    "an event's `{name}` is of type {type}, which ends before {value}",
    "An event whose value does not fit its declared type is refused before any rule sees it.",
    "@UpdateCounter('big') select 1 from PageView(n > 3000000000);",
    "@UpdateCounter('big') select 1 from PageView(total > 3000000000);",
    "declare the field as long",
)
REVERSED_BOUNDS = example_code(
    "W610",
    "bounds the wrong way round",
    "the lower bound {low} is above the upper one, {high}",
    "Reversed bounds are swapped without a word, as EPL has it; whoever reads the rule expects it to match nothing.",
    "@UpdateCounter('some') select 1 from PageView(n between 10 and 1);",
    "@UpdateCounter('some') select 1 from PageView(n between 1 and 10);",
)
FRACTION_COMPARED = example_code(
    "W611",
    "quotient compared with a whole number",
    "`/` gives a double, so `{quotient}` is rarely a whole number",
    "`7 / 2` is 3.5 and not 3, also for two integers.",
    "@UpdateCounter('third') select 1 from PageView(n / 2 = 3);",
    "@UpdateCounter('third') select 1 from PageView(Math.floor(n / 2) = 3);",
    "round by Math.floor(…), or use `%`",
)
DIVIDED_BY_ZERO = example_code(
    "W612",
    "division by zero",
    "this {what}",
    "`/ 0` gives infinity, which is written as null; `% 0` is an error of the rule at every event.",
    "@UpdateState select n % 0 as rest from PageView;",
    "@UpdateState select n % 10 as rest from PageView;",
)

_BITS = {Kind.BYTE: 8, Kind.SHORT: 16, Kind.INT: 32, Kind.LONG: 64}


def _out_of_range(context: LintContext) -> Iterator[Finding]:
    # What an update or another rule makes is not held to its type's range.
    changed = {(update.event_type, each.name) for update in context.program.updates for each in update.assignments}
    for rule, statement in context.rules():
        if rule.event_type in context.program.routed:
            continue
        for part in conjuncts(rule, statement):
            for inner in comparisons(part):
                match inner.expr:
                    case t.Compare(_, _, _, t.Field() as field, t.Const() as constant, False):
                        pass
                    case t.Compare(_, _, _, t.Const() as constant, t.Field() as field, False):
                        pass
                    case _:
                        continue
                bits, value = _BITS.get(field.type.kind), constant.value
                if bits is None or not isinstance(value, int | float) or (rule.event_type, field.name) in changed:
                    continue
                if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
                    yield found(inner.node.span, name=field.name, type=field.type, value=value)


def _number(node: ast.Expression) -> int | float | None:
    match node:
        case ast.NumberLiteral(value):
            return value
        case ast.Minus(ast.NumberLiteral(value)):
            return -value
        case _:
            return None


def _reversed_bounds(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Between | ast.InRange):
            low, high = _number(node.low), _number(node.high)
            if low is not None and high is not None and low > high:
                yield found(node.span, fix=_swapped(context, statement, node), low=low, high=high)


def _swapped(context: LintContext, statement: ast.Statement, node: ast.Between | ast.InRange) -> Fix | None:
    """`between 10 and 1` to `between 1 and 10`."""
    # Which bound an open end belongs to, once they are swapped, is not for us to say.
    if isinstance(node, ast.InRange) and node.low_included != node.high_included:
        return None
    low, high, source = node.low.span, node.high.span, context.source
    edits = [Edit(low, source.slice(high)), Edit(high, source.slice(low))]
    new = replace(node, low=node.high, high=node.low)
    return rewritten(context, statement, node, new, "swap the bounds", edits)


def _fraction_compared(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if not isinstance(node, ast.Binary) or node.operator not in ("=", "!=", "is", "is not"):
            continue
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(side, ast.Binary) or side.operator != "/" or not isinstance(_number(other), int):
                continue
            kinds = [simple_type(context, statement, part) for part in (side.left, side.right)]
            if all(kind is not None and kind.is_integral for kind in kinds) and _number(other) != 0:
                yield found(side.span, quotient=context.text(side))


def _divided_by_zero(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Binary) and node.operator in "/%" and _number(node.right) == 0:
            fails = node.operator == "%" and simple_type(context, statement, node.left) != types.DOUBLE
            yield found(node.span, what="fails for every event" if fails else "is never a number")


NUMBER_RULES = (
    LintRule(OUT_OF_RANGE, _out_of_range),
    LintRule(REVERSED_BOUNDS, _reversed_bounds),
    LintRule(FRACTION_COMPARED, _fraction_compared),
    LintRule(DIVIDED_BY_ZERO, _divided_by_zero),
)
