"""Declarations that nothing uses, and names that something else hides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl import ast
from epl.checker.scope import SESSION_VARIABLES
from epl.diagnostics import Fix
from epl.lint.comments import comments
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.rewrites import removal
from epl.source import Span
from epl.stage import Stage

_END = re.compile(r"\s*(?:;|\Z)")

HIDDEN_NAME = example_code(
    "W635",
    "name hidden by a field",
    "in rules on `{type}`, `{name}` is the event's field and not {what}",
    "A field of the event comes before any other name, so the rule reads something else than it looks like.",
    "create variable int n = 5;\n@UpdateCounter('many') select 1 from PageView(n > 3, n < 7);",
    "create variable int least = 5;\n@UpdateCounter('many') select 1 from PageView(n > least);",
    "give it another name, or write the field with the alias of its stream",
)
UNUSED_EXPRESSION = example_code(
    "W803",
    "expression that nothing uses",
    "no rule uses the expression `{name}`",
    "It is checked only where it is used.",
    "create expression twice { x => x * 2 };\n@UpdateCounter('views') select 1 from PageView;",
    "create expression twice { x => x * 2 };\n@UpdateState select twice(n) as n2 from PageView;",
)
UNUSED_VARIABLE = example_code(
    "W804",
    "variable that nothing uses",
    "no rule uses the variable `{name}`",
    "A number that was to be used may stand in a rule as a literal instead.",
    "create variable int least = 5;\n@UpdateCounter('many') select 1 from PageView(n > 5);",
    "create variable int least = 5;\n@UpdateCounter('many') select 1 from PageView(n > least);",
)
UNUSED_SCHEMA = example_code(
    "W805",
    "schema that nothing uses",
    "no rule uses the schema `{name}`",
    "An event type that is declared is decoded, even when no rule looks at it.",
    "create schema Click (user string);\n@UpdateCounter('views') select 1 from PageView;",
    "create schema Click (user string);\n@UpdateCounter('views') select 1 from PageView;\n"
    "@UpdateCounter('clicks') select 1 from Click;",
)


def _names_used(context: LintContext) -> set[str]:
    used: set[str] = set()
    for statement in context.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Reference | ast.Call):
                used.add(node.name)
    return used


def _unused_expression(context: LintContext) -> Iterator[Finding]:
    declared = [each for each in context.statements if isinstance(each, ast.CreateExpression)]
    used = _names_used(context) if declared else set()
    for statement in declared:
        if statement.name.text not in used:
            yield found(statement.name.span, fix=_removed(context, statement), name=statement.name.text)


def _unused_variable(context: LintContext) -> Iterator[Finding]:
    declared = [each for each in context.statements if isinstance(each, ast.CreateVariable)]
    used = _names_used(context) if declared else set()
    for statement in declared:
        if statement.name.text not in used:
            yield found(statement.name.span, fix=_removed(context, statement), name=statement.name.text)


def _removed(context: LintContext, statement: ast.Statement) -> Fix | None:
    """The fix that removes a declaration; None where a comment in it or beside it would be left about nothing."""
    source = context.source
    ends = _END.match(source.text, statement.span.end)
    if ends is None:
        return None
    span = Span(statement.span.start, ends.end())
    first, last = source.position(span.start).line, source.position(span.end).line
    # A comment says which it is about by standing next to it. A schema stays: its events are known by it.
    for comment in comments(source):
        if source.position(comment.end).line >= first - 1 and source.position(comment.start).line <= last:
            return None
    return Fix("remove the declaration", (removal(source, span),))


def _unused_schema(context: LintContext) -> Iterator[Finding]:
    # What the controller declares is known to all rules of the tenant.
    if context.stage is Stage.CONTROLLER and not context.surroundings.known:
        return
    used = set(context.surroundings.types_elsewhere) | context.environment.marker_types
    for statement in context.statements:
        match statement:
            case ast.Select(_, into, _, stream):
                used |= {stream.type_name.text, *(() if into is None else (into.type_name.text,))}
            case ast.Update(_, type_name):
                used.add(type_name.text)
            case _:
                pass
    for statement in context.statements:
        if isinstance(statement, ast.CreateSchema) and statement.name.text not in used:
            yield found(statement.name.span, name=statement.name.text)


def _hidden_name(context: LintContext) -> Iterator[Finding]:
    variables = {each.name.text for each in context.statements if isinstance(each, ast.CreateVariable)}
    aliases = {each.name.text for each in context.statements if isinstance(each, ast.CreateExpression) and each.alias}
    for _, statement in context.rules():
        type_name = statement.stream.type_name.text
        fields = context.fields(type_name)
        reported: set[str] = set()
        for node in ast.walk(statement):
            match node:
                case ast.Reference(name) if name in variables | aliases:
                    what = "the variable" if name in variables else "the expression"
                case ast.Member(ast.Reference(name)) | ast.MethodCall(ast.Reference(name)) if name in SESSION_VARIABLES:
                    what = "the session"
                case _:
                    continue
            if name in fields and name not in reported:
                reported.add(name)
                yield found(node.span, type=type_name, name=name, what=what)


UNUSED_RULES = (
    LintRule(HIDDEN_NAME, _hidden_name),
    LintRule(UNUSED_EXPRESSION, _unused_expression, whole=True),
    LintRule(UNUSED_VARIABLE, _unused_variable, whole=True),
    LintRule(UNUSED_SCHEMA, _unused_schema, whole=True),
)
