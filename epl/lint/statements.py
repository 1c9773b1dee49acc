"""Statements that do nothing, do something twice, or do it to every event."""

from __future__ import annotations

from collections.abc import Iterator

from epl import typed as t
from epl import types
from epl.lint.constraints import impossible, opposite
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import effects

NO_EFFECT = example_code(
    "W624",
    "statement without effect",
    "nothing becomes of this row",
    "A select makes a row; what becomes of it is said by an annotation or by `insert into`.",
    "select user, url from PageView(et = 'view');",
    "@UpdateState select user, url from PageView(et = 'view');",
    "put an annotation before it, such as @UpdateState or @DecorateEvent",
)
ROWS_FOR_NOBODY = example_code(
    "W625",
    "rows that no rule reads",
    "no rule of this rule set reads `{name}`",
    "Rows of `insert into` are events for the rules of the same rule set, and leave it nowhere else.",
    "insert into Buy select user from PageView(et = 'buy');",
    "insert into Buy select user from PageView(et = 'buy');\n@UpdateCounter('buys') select 1 from Buy;",
)
PASSIVE_ALONE = example_code(
    "W626",
    "@Passive without @Session",
    "`@Passive` says something about `@Session`, which this statement does not have",
    "It makes the session of this row passive; on any other statement it does nothing.",
    "@Session('Main') select user as _pk_ from PageView;\n@Passive @DecorateEvent select 'x' as tag from PageView;",
    "@Passive @Session('Main') select user as _pk_ from PageView;",
)
SAME_RULE = example_code(
    "W627",
    "rule that stands there twice",
    "the same rule stands in line {line}",
    "Both run: counters count twice, lists get every value twice. Mostly a copy that was to be changed.",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@UpdateCounter('views') select 1 from PageView(et = 'view');",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@UpdateCounter('clicks') select 1 from PageView(et = 'click');",
)
EVERY_EVENT = example_code(
    "W628",
    "every event ends a session",
    "this {what} at every event, so no session has more than one",
    "@SplitSession and @EndSession stand on the few events that end something: a logout, a new campaign.",
    "@SplitSession select 1 from PageView;",
    "@SplitSession select 1 from PageView(et = 'login');",
)

_DOCUMENTING = frozenset({"Name", "Description", "Tag", "Priority", "Hint"})


def _no_effect(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        if not rule.effects and not any(each.name == "Passive" for each in statement.annotations):
            yield found(statement.columns[0].span.to(statement.columns[-1].span))


def _rows_for_nobody(context: LintContext) -> Iterator[Finding]:
    read = {rule.event_type for rule in context.program.rules}
    for _, statement in context.rules():
        into = statement.insert_into
        if into is not None and into.type_name.text not in read:
            yield found(into.type_name.span, name=into.type_name.text)


def _passive_alone(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        if not any(isinstance(effect, t.RouteToProfile) for effect in rule.effects):
            for annotation in statement.annotations:
                if annotation.name == "Passive":
                    yield found(annotation.span)


def _same_rule(context: LintContext) -> Iterator[Finding]:
    lines: dict[object, int] = {}
    for _, statement in context.rules():
        acting = tuple(each for each in statement.annotations if each.name not in _DOCUMENTING)
        text = (acting, statement.insert_into, statement.columns, statement.stream, statement.where)
        if text not in lines:
            lines[text] = context.source.position(statement.span.start).line
        elif acting or statement.insert_into is not None:
            yield found(acting[0].span if acting else statement.span, line=lines[text])


def _every_event(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        # How often a row of `insert into` comes is for the rule to say that makes it.
        if rule.event_type in context.program.routed:
            continue
        for effect, annotation in effects(rule, statement):
            # A split does nothing at a session's first event, so what is asked is the second one.
            if isinstance(effect, t.SplitSession) and _holds_for(rule.condition, 2):
                yield found(annotation.span, what="splits")
            elif isinstance(effect, t.EndSession) and _holds_for(rule.condition, 1):
                yield found(annotation.span, what="ends the session")


def _holds_for(condition: t.Expr | None, count: int) -> bool:
    """True when a condition is sure to hold for the event of this number in its session."""
    if condition is None:
        return True
    counted = t.Compare(
        types.BOOLEAN,
        False,
        "=",
        t.SessionProperty(types.INT, False, t.Scope.SESSION, "eventCount"),
        t.Const(types.INT, False, count),
    )
    return not condition.nullable and impossible((counted, opposite(condition)))


STATEMENT_RULES = (
    LintRule(NO_EFFECT, _no_effect),
    LintRule(ROWS_FOR_NOBODY, _rows_for_nobody, whole=True),
    LintRule(PASSIVE_ALONE, _passive_alone),
    LintRule(SAME_RULE, _same_rule),
    LintRule(EVERY_EVENT, _every_event),
)
