"""Nulls that decide without being seen: comparisons that give null, and values that vanish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.compiler.analysis import implied
from epl.diagnostics import Fix
from epl.lint.constraints import simple_and
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import Condition, column_node, column_span, comparisons, conjuncts, effects
from epl.lint.rewrites import operator_edit, rewritten
from epl.structs import replace
from epl.typed_walk import subexpressions

COMPARED_WITH_NULL = example_code(
    "W605",
    "comparison with null",
    "a comparison with `null` is null, which counts as false",
    "`=`, `!=`, `<` and `in` give null where either side is null. `is null` and `is not null` ask the question.",
    "@UpdateCounter('anonymous') select 1 from PageView(user = null);",
    "@UpdateCounter('anonymous') select 1 from PageView(user is null);",
    "write `is null` or `is not null`",
)
ABSENT_ATTRIBUTE = example_code(
    "W606",
    "attribute that is null until it is written, compared by `!=`",
    "while `{attribute}` is not written, this is null and counts as false",
    "An attribute is null until a rule writes it, and `!=` and `not in` of a null are null. So the rule is silent on a "
    "session that has no value yet, where a difference is what it looks for.",
    "@UpdateState select url as last from PageView;\n"
    "@UpdateCounter('moves') select 1 from PageView(session.string('last') != url);",
    "@UpdateState select url as last from PageView;\n"
    "@UpdateCounter('moves') select 1 from PageView(session.string('last') is not url);",
    "`is not` counts a missing value as different; or say `… is not null` beside it when it should not count",
)
SWALLOWED_TEXT = example_code(
    "W607",
    "text that one null makes null",
    "`||` gives null when `{operand}` is null: {consequence}",
    "A single absent field takes the whole text with it.",
    "@UpdateState select et || url as step from PageView(et is not null);",
    "@UpdateState select et || coalesce(url, '') as step from PageView(et is not null);",
    "filter by `… is not null`, or give a default by coalesce(…, '')",
)
CASE_WITHOUT_ELSE = example_code(
    "W608",
    "`case` without `else` that removes an attribute",
    "where no `when` holds, this is null and removes `{name}`",
    "A null written to state or metadata removes the attribute. Keep the value, or say `else null` if it is to go.",
    "@UpdateState select case et when 'buy' then 'buyer' end as kind from PageView;",
    "@UpdateState select case et when 'buy' then 'buyer' else 'visitor' end as kind from PageView;",
)


def _compared_with_null(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        match node:
            case ast.Binary("=" | "!=" | "<" | "<=" | ">" | ">=", left, right):
                operands: tuple[ast.Expression, ...] = (left, right)
            case ast.Contained(_, options) | ast.Quantified(_, _, _, options):
                operands = options
            case ast.Between(_, low, high) | ast.InRange(_, low, high):
                operands = (low, high)
            case _:
                continue
        if any(isinstance(operand, ast.NullLiteral) for operand in operands):
            yield found(node.span, fix=_asks(context, statement, node))


def _asks(context: LintContext, statement: ast.Statement, node: ast.Node) -> Fix | None:
    """`x = null` to `x is null`."""
    match node:
        case ast.Binary("=" | "!=" as written, left, ast.NullLiteral() as right):
            operator = "is" if written == "=" else "is not"
            new = replace(node, operator=operator)
            edits = [operator_edit(context, left, right, operator)]
            return rewritten(context, statement, node, new, f"write `{operator} null`", edits)
        case _:
            return None


def _absent_attribute(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        parts = conjuncts(rule, statement)
        handled = {expr for part in parts for inner in comparisons(part) for expr in _checked_for_null(inner.expr)}
        present = Counter(expr for part in parts for expr in implied(part.expr))
        for part in parts:
            own_implied = implied(part.expr)
            for inner in comparisons(part):
                attribute = _differing_attribute(inner.expr)
                own = int(attribute in own_implied)
                asked = attribute is not None and _is_asked_for(attribute, parts)
                if attribute is not None and not asked and attribute not in handled and present[attribute] == own:
                    yield found(inner.node.span, attribute=attribute.name)


def _is_asked_for(attribute: t.Attribute, parts: tuple[Condition, ...]) -> bool:
    """True when a condition says that the attribute is there, by `session.contains('n')`."""
    asked = (attribute.scope, attribute.namespace, attribute.name)
    return any(
        isinstance(part.expr, t.AttributeContains)
        and isinstance(part.expr.name, t.Const)
        and (part.expr.scope, part.expr.namespace, part.expr.name.value) == asked
        for part in parts
    )


def _checked_for_null(expr: t.Expr) -> tuple[t.Expr, ...]:
    match expr:
        case t.Is(_, _, left, t.Const(_, _, None), _, _):
            return (left,)
        case _:
            return ()


def _differing_attribute(expr: t.Expr) -> t.Attribute | None:
    match expr:
        case t.Compare(_, _, "!=", left, right, _):
            sides = [side for side in (left, right) if isinstance(side, t.Attribute)]
            return sides[0] if sides else None
        case t.Not(_, _, t.In(_, _, t.Attribute() as value, _, _)):
            return value
        case _:
            return None


_CONSEQUENCE = {
    t.Decorate: "the event is not decorated",
    t.WriteAttributes: "the attribute is removed",
    t.RouteToProfile: "the event has no session",
    t.OpenSubSession: "there is no sub-session",
    t.AppendToList: "nothing is appended",
}


def _swallowed_text(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        present = {expr for condition in simple_and(rule.condition) for expr in implied(condition)}
        # A marker always has its own fields.
        own = context.surroundings.markers.get(rule.event_type, frozenset())
        present |= {
            t.Field(type_, True, name) for name, type_ in context.fields(rule.event_type).items() if name in own
        }
        reported: set[str] = set()
        for effect, _ in effects(rule, statement):
            consequence = _CONSEQUENCE.get(type(effect))
            for name, expr in _columns(effect):
                node = column_node(statement, name)
                if consequence is None or node is None or name in reported:
                    continue
                if not isinstance(expr, t.Concat) or not isinstance(node.expression, ast.Chain):
                    continue
                for operand, typed in zip(node.expression.operands, expr.operands, strict=False):
                    if typed.nullable and not _is_present(typed, present):
                        reported.add(name)
                        yield found(operand.span, operand=context.text(operand), consequence=consequence)
                        break


def _is_present(expr: t.Expr, present: set[t.Expr]) -> bool:
    """What a condition says is there; `cast(f, string)` is, where `f` is."""
    if isinstance(expr, t.Const):
        return expr.value is not None
    while isinstance(expr, t.Convert):
        expr = expr.operand
    return expr in present or not expr.nullable or any(part in present for part in subexpressions(expr))


def _columns(effect: t.Effect) -> Iterator[tuple[str, t.Expr]]:
    match effect:
        case t.Decorate(columns) | t.WriteAttributes(_, columns):
            yield from ((column.name, column.expr) for column in columns)
        case t.RouteToProfile(_, key) | t.OpenSubSession(_, key):
            yield "_pk_", key
        case _:
            pass


def _case_without_else(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        written = [each for each, _ in effects(rule, statement) if isinstance(each, t.WriteAttributes)]
        for name in {column.name: None for effect in written for column in effect.columns}:
            node = column_node(statement, name)
            if node is not None and isinstance(node.expression, ast.Case) and node.expression.otherwise is None:
                yield found(column_span(statement, name), name=name)


NULL_RULES = (
    LintRule(COMPARED_WITH_NULL, _compared_with_null),
    LintRule(ABSENT_ATTRIBUTE, _absent_attribute),
    LintRule(SWALLOWED_TEXT, _swallowed_text),
    LintRule(CASE_WITHOUT_ELSE, _case_without_else),
)
