"""Ways to write a rule that read worse than others. Off unless asked for."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.canonical import canonical
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import comparisons, conjuncts, simple_type
from epl.lint.style_fixes import (
    NEGATED,
    plain_boolean,
    plain_equals,
    without_cast,
    without_not,
    without_option,
)
from epl.types import BOOLEAN, parse_type

NO_NAME = example_code(
    "W806",
    "rule without a name",
    "this rule has no `@Name`",
    "Traces, metrics and coverage call it by file and line, which change with every edit.",
    "@UpdateCounter('views') select 1 from PageView;",
    "@Name('views') @UpdateCounter('views') select 1 from PageView;",
)
SAME_NAME = example_code(
    "W807",
    "name used by two rules",
    "the rule of line {line} has the name `{name}`, too",
    "Traces and metrics put rules of one name together.",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@Name('views') @UpdateCounter('clicks') select 1 from PageView(et = 'click');",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@Name('clicks') @UpdateCounter('clicks') select 1 from PageView(et = 'click');",
)
COMPARED_WITH_BOOLEAN = example_code(
    "W808",
    "boolean compared with a constant",
    "`{shorter}` says the same",
    "A boolean is a condition already.",
    "@UpdateCounter('paid') select 1 from PageView(paid = true);",
    "@UpdateCounter('paid') select 1 from PageView(paid);",
)
REDUNDANT_CAST = example_code(
    "W809",
    "cast to the type that it has",
    "`{operand}` is of type {type} already",
    "A cast that does nothing makes the reader look for the reason.",
    "@UpdateState select cast(n, int) as n from PageView;",
    "@UpdateState select cast(n, long) as n from PageView;",
)
NOT_COMPARISON = example_code(
    "W810",
    "`not` before a comparison",
    "`{shorter}` reads better",
    "`not` binds looser than the comparison, which not everyone knows.",
    "@UpdateCounter('others') select 1 from PageView(not et = 'view');",
    "@UpdateCounter('others') select 1 from PageView(et != 'view');",
)
ONE_OPTION = example_code(
    "W811",
    "`in` with one option",
    "`in` with one option is `{operator}`",
    "A list of one suggests that more were meant.",
    "@UpdateCounter('views') select 1 from PageView(et in ('view'));",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');",
)
REPEATED_OPTION = example_code(
    "W812",
    "option given twice",
    "`{option}` stands in this list already",
    "It changes nothing, so perhaps another one was meant.",
    "@UpdateCounter('some') select 1 from PageView(et in ('view', 'click', 'view'));",
    "@UpdateCounter('some') select 1 from PageView(et in ('view', 'click'));",
)
NULL_NOT_DIFFERENT = example_code(
    "W813",
    "field that may be absent, compared by `!=`",
    "an event without `{field}` does not pass this",
    "`!=` and `not in` of a null are null, which counts as false. Every field may be absent.",
    "@UpdateCounter('others') select 1 from PageView(et != 'view');",
    "@UpdateCounter('others') select 1 from PageView(et is not null, et != 'view');",
    "`is not` counts an absent one as different; `… is not null` beside it says that it is to be left out",
)


def _no_name(context: LintContext) -> Iterator[Finding]:
    for statement in context.statements:
        named = any(annotation.name == "Name" for annotation in statement.annotations)
        if isinstance(statement, ast.Select | ast.Update) and not named:
            place = statement.stream.type_name if isinstance(statement, ast.Select) else statement.type_name
            yield found(statement.annotations[0].span if statement.annotations else place.span)


def _same_name(context: LintContext) -> Iterator[Finding]:
    lines: dict[object, int] = {}
    for statement in context.statements:
        for annotation in statement.annotations:
            if annotation.name != "Name" or len(annotation.arguments) != 1:
                continue
            name = annotation.arguments[0].value
            if name in lines:
                yield found(annotation.span, line=lines[name], name=name)
            lines.setdefault(name, context.source.position(annotation.span.start).line)


def _compared_with_boolean(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        match node:
            case ast.Binary("=" | "!=" as operator, operand, ast.BooleanLiteral(value)) as whole:
                pass
            case ast.Binary("=" | "!=" as operator, ast.BooleanLiteral(value), operand) as whole:
                pass
            case _:
                continue
        # An `object`, such as a value of a map, is no condition without a cast.
        if simple_type(context, statement, operand) == BOOLEAN:
            text, negated = canonical(operand), value != (operator == "=")
            fix = plain_boolean(context, statement, whole, operand, negated)
            yield found(node.span, fix=fix, shorter=f"not {text}" if negated else text)


def _redundant_cast(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Cast):
            type_ = simple_type(context, statement, node.value)
            if type_ is not None and type_ == parse_type(node.type.name):
                fix = without_cast(context, statement, node)
                yield found(node.span, fix=fix, operand=context.text(node.value), type=type_)


def _not_comparison(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if not isinstance(node, ast.Negate):
            continue
        match node.operand:
            case ast.Binary(operator, left, right) if operator in NEGATED:
                shorter = f"{canonical(left)} {NEGATED[operator]} {canonical(right)}"
            case ast.Contained(value, _, False):
                shorter = f"{canonical(value)} not in (…)"
            case ast.Like(value, _, _, False):
                shorter = f"{canonical(value)} not like …"
            case ast.Regexp(value, _, False):
                shorter = f"{canonical(value)} not regexp …"
            case _:
                continue
        yield found(node.span, fix=without_not(context, statement, node), shorter=shorter)


def _one_option(context: LintContext) -> Iterator[Finding]:
    literal = (ast.NumberLiteral, ast.StringLiteral)
    for statement, node in context.nodes:
        # One name may be an array, whose elements are the options.
        if isinstance(node, ast.Contained) and len(node.options) == 1 and isinstance(node.options[0], literal):
            fix = plain_equals(context, statement, node)
            yield found(node.span, fix=fix, operator="!=" if node.negated else "=")


def _repeated_option(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Contained | ast.Quantified):
            for number, option in enumerate(node.options):
                if option in node.options[:number]:
                    fix = without_option(context, statement, node, number)
                    yield found(option.span, fix=fix, option=context.text(option))


def _null_not_different(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        parts = [inner for part in conjuncts(rule, statement) for inner in comparisons(part)]
        handled = {part.expr.left for part in parts if isinstance(part.expr, t.Is)}
        for part in parts:
            match part.expr:
                case t.Compare(_, _, "!=", t.Field() as field, _, _) | t.Compare(_, _, "!=", _, t.Field() as field, _):
                    pass
                case t.Not(_, _, t.In(_, _, t.Field() as field, _, _)):
                    pass
                case _:
                    continue
            if field not in handled:
                yield found(part.node.span, field=field.name)


STYLE_RULES = (
    LintRule(NO_NAME, _no_name),
    LintRule(SAME_NAME, _same_name),
    LintRule(COMPARED_WITH_BOOLEAN, _compared_with_boolean),
    LintRule(REDUNDANT_CAST, _redundant_cast),
    LintRule(NOT_COMPARISON, _not_comparison),
    LintRule(ONE_OPTION, _one_option),
    LintRule(REPEATED_OPTION, _repeated_option),
    LintRule(NULL_NOT_DIFFERENT, _null_not_different),
)
