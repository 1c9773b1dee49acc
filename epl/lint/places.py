"""From typed parts back to the text: where a condition, a column or an annotation of a rule stands.

The typed program has no spans. It keeps the order of what was written, though, so both can be walked side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from epl import ast
from epl.canonical import canonical
from epl.checker.scope import SESSION_VARIABLES
from epl.lint.context import LintContext
from epl.session_schema import GETTERS, PROPERTIES
from epl.source import Span
from epl.typed import And, Effect, Expr, Namespace, Not, Or, Rule
from epl.types import BOOLEAN, STRING, Type, parse_type


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a condition, as written and as checked."""

    node: ast.Expression
    expr: Expr


def filters_of(statement: ast.Select | ast.Update) -> tuple[ast.Expression, ...]:
    """All conditions of a statement, as written."""
    filters = statement.stream.filters if isinstance(statement, ast.Select) else ()
    return filters if statement.where is None else (*filters, statement.where)


def conjuncts(rule: Rule, statement: ast.Select) -> tuple[Condition, ...]:
    """The conditions that must all be true for a rule to give a row; parts of an `and` count each."""
    nodes = filters_of(statement)
    if rule.condition is None or not nodes:
        return ()
    exprs: tuple[Expr, ...] = (rule.condition,)
    if len(nodes) > 1:
        assert isinstance(rule.condition, And)
        exprs = rule.condition.operands
    return tuple(part for node, expr in zip(nodes, exprs, strict=True) for part in _split(node, expr))


def _split(node: ast.Expression, expr: Expr) -> Iterator[Condition]:
    if isinstance(node, ast.Chain) and node.operator == "and" and isinstance(expr, And):
        for inner, typed in zip(node.operands, expr.operands, strict=True):
            yield from _split(inner, typed)
    else:
        yield Condition(node, expr)


def comparisons(condition: Condition) -> Iterator[Condition]:
    """The parts of a condition below its `and`, `or` and `not`."""
    match condition:
        case Condition(ast.Chain(_, nodes), And(_, _, exprs) | Or(_, _, exprs)):
            for node, expr in zip(nodes, exprs, strict=True):
                yield from comparisons(Condition(node, expr))
        case Condition(ast.Negate(node), Not(_, _, expr)):
            yield from comparisons(Condition(node, expr))
        case _:
            yield condition


def effects(rule: Rule, statement: ast.Select) -> list[tuple[Effect, ast.Annotation]]:
    """The effects of a rule with the annotations that make them."""
    # An `insert into` follows the annotations' effects and has no annotation.
    making = (statement.annotations[place] for place in rule.made_by)
    return list(zip(rule.effects, making, strict=False))


def column_node(statement: ast.Select, name: str) -> ast.Column | None:
    """The column of a name, or None when a wildcard gives it."""
    for column in statement.columns:
        if isinstance(column, ast.Column):
            own = canonical(column.expression) if column.name is None else column.name.text
            if own == name:
                return column
    return None


def column_span(statement: ast.Select, name: str) -> Span:
    """Where a column stands: itself, else the wildcard that gives it."""
    node = column_node(statement, name)
    if node is not None:
        return node.span
    wildcard = next((each for each in statement.columns if isinstance(each, ast.Wildcard)), None)
    return statement.span if wildcard is None else wildcard.span


def session_call(node: ast.Node) -> tuple[str, Namespace, str] | None:
    """Variable, namespace and attribute of `session.int('n')` and `session.n`; None for anything else."""
    match node:
        case ast.MethodCall(ast.Reference(variable), name, (ast.StringLiteral(attribute),)):
            getter = getter_name(name)
            if variable in SESSION_VARIABLES and getter in GETTERS:
                return variable, SESSION_VARIABLES[variable][1], attribute
        case ast.Member(ast.Reference(variable), attribute):
            if variable in SESSION_VARIABLES and attribute not in PROPERTIES:
                return variable, SESSION_VARIABLES[variable][1], attribute
        case _:
            pass
    return None


def getter_name(name: str) -> str:
    """`int` for Java's `getInt`, and so on."""
    return name[3].lower() + name[4:] if name.startswith("get") and len(name) > 3 else name


def simple_type(context: LintContext, statement: ast.Statement, node: ast.Expression) -> Type | None:
    """The type of a literal, a field or a getter; None where it takes the checker to tell."""
    event_type, alias = _stream(statement)
    fields = context.fields(event_type)
    match node:
        case ast.StringLiteral():
            return STRING
        case ast.BooleanLiteral():
            return BOOLEAN
        case ast.NumberLiteral(_, kind):
            return parse_type(kind)
        case ast.Reference(name):
            return fields.get(name)
        case ast.Member(ast.Reference(owner), name) if owner in (event_type, alias):
            return fields.get(name)
        case ast.Member(ast.Reference("session"), name) if name in PROPERTIES:
            return PROPERTIES[name].type
        case ast.MethodCall(_, name, _) if session_call(node) is not None:
            return GETTERS[getter_name(name)]
        case ast.Cast(_, type_name):
            return parse_type(type_name.name)
        case _:
            return None


def _stream(statement: ast.Statement) -> tuple[str, str | None]:
    match statement:
        case ast.Select(_, _, _, stream):
            return stream.type_name.text, None if stream.alias is None else stream.alias.text
        case ast.Update(_, type_name, alias):
            return type_name.text, None if alias is None else alias.text
        case _:
            return "", None
