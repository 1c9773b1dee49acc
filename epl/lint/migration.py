"""Places where a rule file of eBay Pulsar's sessionizer gives another answer here (engine.md §9 in the design)."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.checker.scope import SESSION_VARIABLES
from epl.diagnostics import Fix
from epl.lint.collisions import pairs, special_case, written_values
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import effects, simple_type
from epl.lint.rewrites import between, proven, removal, rewritten
from epl.structs import replace
from epl.types import Kind

UNARY_MINUS = example_code(
    "W901",
    "minus that Pulsar ignores",
    "here `-{operand}` negates; Pulsar's sessionizer takes the value as it is",
    "Its engine loses a unary minus before anything but a literal.",
    "@UpdateState select -n as less from PageView;",
    "@UpdateState select 0 - n as less from PageView;",
    "`0 - …` means the same in both",
)
FILE_ORDER = example_code(
    "W902",
    "rules that rely on the order of the file",
    "for some events `{name}` is written in line {line} and here: the later line wins",
    "Effects are applied in file order. Pulsar's sessionizer applies them in the order of its filter index, which no "
    "rule file shows.",
    "@UpdateState select 'web' as channel from PageView;\n@UpdateState select 'app' as channel from PageView(n > 1);",
    "@UpdateState select case when n > 1 then 'app' else 'web' end as channel from PageView;",
)
WILDCARD_AND_COLUMN = example_code(
    "W903",
    "column beside `*`",
    "here the row has `{name}` beside all fields; Pulsar's sessionizer drops it",
    "There, `select *, expression as name` gives the fields of the event and nothing else.",
    "@DecorateEvent select *, n + 1 as more from PageView;",
    "@DecorateEvent select n + 1 as more from PageView;",
)
ENGINE_CLOCK = example_code(
    "W904",
    "clock of the engine",
    "here this is the engine's clock: the events' own time in a replay",
    "In Pulsar's sessionizer it is the wall clock of the machine, whatever is replayed.",
    "@UpdateState select current_timestamp as seen from PageView;",
    "@UpdateState select total as seen from PageView;",
)
SEMICOLON = example_code(
    "W905",
    "`;` inside a string",
    "Pulsar's sessionizer cuts the statement at this `;`",
    "It splits rule files at every `;`; here one inside a string or a comment does not separate.",
    "@UpdateState select 'a;b' as pair from PageView;",
    "@UpdateState select 'a,b' as pair from PageView;",
)
NO_MEANING = example_code(
    "W906",
    "annotation without meaning here",
    "`@{name}` is read and has no effect: statements run in file order",
    "It steers Esper's engine, which does not run here.",
    "@Priority(3) @UpdateCounter('views') select 1 from PageView;",
    "@UpdateCounter('views') select 1 from PageView;",
)
NO_OVERFLOW = example_code(
    "W907",
    "product that overflows in Java",
    "this product of two {type} values does not wrap here",
    "Java's integers wrap at 32 or 64 bits without a word; here they grow. A hash that relies on it differs.",
    "@UpdateState select n * n as square from PageView;",
    "@UpdateState select n * 10 as tenfold from PageView;",
)
SNAPSHOT = example_code(
    "W908",
    "all attributes as they were",
    "here `filter(null)` is a snapshot; in Pulsar's sessionizer it is the live map",
    "There, a map of all attributes shows what later rules write; here it is what the pass read.",
    "@UpdateCounter('views') select 1 from PageView;\n"
    "@DecorateEvent select session.filter(null) as everything from PageView(et = 'buy');",
    "@UpdateCounter('views') select 1 from PageView;\n"
    "@DecorateEvent select session.filter({'views'}) as few from PageView(et = 'buy');",
)
RICHER_STATE = example_code(
    "W909",
    "state that Pulsar cannot hold",
    "Pulsar's sessionizer cannot keep {type} in `{name}`",
    "There, arrays and decimals are no attributes; the same rules give another state there.",
    "@UpdateState select tags as labels from PageView;",
    "@UpdateState select tags[0] as label from PageView;",
)


def _unary_minus(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Minus) and not isinstance(node.operand, ast.NumberLiteral):
            fix = _subtracted(context, statement, node)
            yield found(node.span, fix=fix, operand=context.text(node.operand))


def _subtracted(context: LintContext, statement: ast.Statement, node: ast.Minus) -> Fix | None:
    """`-n` to `0 - n`."""
    start = node.span.start
    zero = ast.NumberLiteral(0, "int", span=node.span)
    new = ast.Binary("-", zero, node.operand, span=node.span)
    return rewritten(context, statement, node, new, "subtract from 0", [between(start, start + 1, "0 - ")])


def _file_order(context: LintContext) -> Iterator[Finding]:
    # Overlaps of other kinds are wrong here, too, and have a code of their own.
    for first, second in pairs(written_values(context)):
        if special_case(first.rule, second.rule):
            assert isinstance(second.name, tuple)
            line = context.source.position(first.span.start).line
            yield found(second.span, name=second.name[1], line=line)


def _wildcard_and_column(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        wild = any(isinstance(each, ast.Wildcard) for each in statement.columns)
        for column in statement.columns if wild and rule.effects else ():
            if isinstance(column, ast.Column):
                name = context.text(column) if column.name is None else column.name.text
                yield found(column.span, name=name)


def _engine_clock(context: LintContext) -> Iterator[Finding]:
    for _, node in context.nodes:
        match node:
            case ast.Reference("current_timestamp") | ast.Call("current_timestamp"):
                yield found(node.span)
            case ast.MethodCall(ast.Reference("System"), "currentTimeMillis"):
                yield found(node.span)
            case _:
                pass


def _semicolon(context: LintContext) -> Iterator[Finding]:
    for _, node in context.nodes:
        text = node.value if isinstance(node, ast.StringLiteral | ast.AnnotationArgument) else None
        if isinstance(text, str) and ";" in text:
            yield found(node.span)


def _no_meaning(context: LintContext) -> Iterator[Finding]:
    for statement in context.statements:
        for annotation in statement.annotations:
            if annotation.name in ("Priority", "Hint"):
                rest = tuple(each for each in statement.annotations if each is not annotation)
                fix = Fix(f"remove `@{annotation.name}`", (removal(context.source, annotation.span),))
                proof = proven(context, statement, replace(statement, annotations=rest), fix)
                yield found(annotation.span, fix=proof, name=annotation.name)


def _no_overflow(context: LintContext) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Binary) and node.operator == "*":
            types = [simple_type(context, statement, side) for side in (node.left, node.right)]
            literal = any(isinstance(side, ast.NumberLiteral) for side in (node.left, node.right))
            if not literal and all(type_ is not None and type_.kind in (Kind.INT, Kind.LONG) for type_ in types):
                yield found(node.span, type=types[0])


def _snapshot(context: LintContext) -> Iterator[Finding]:
    for _, node in context.nodes:
        match node:
            case ast.MethodCall(ast.Reference(name), "filter", (ast.NullLiteral(),)) if name in SESSION_VARIABLES:
                yield found(node.span)
            case _:
                pass


def _richer_state(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            for column in effect.columns if isinstance(effect, t.WriteAttributes) else ():
                if column.expr.type.kind in (Kind.ARRAY, Kind.DECIMAL, Kind.BIGINT):
                    yield found(annotation.span, type=column.expr.type, name=column.name)


MIGRATION_RULES = (
    LintRule(UNARY_MINUS, _unary_minus),
    LintRule(FILE_ORDER, _file_order),
    LintRule(WILDCARD_AND_COLUMN, _wildcard_and_column),
    LintRule(ENGINE_CLOCK, _engine_clock),
    LintRule(SEMICOLON, _semicolon),
    LintRule(NO_MEANING, _no_meaning),
    LintRule(NO_OVERFLOW, _no_overflow),
    LintRule(SNAPSHOT, _snapshot),
    LintRule(RICHER_STATE, _richer_state),
)
