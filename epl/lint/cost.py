"""What grows without bound or costs more than it gives: lists, counters by value, logs, everything written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import column_span, effects
from epl.typed_walk import subexpressions
from epl.types import Kind

UNBOUNDED_LIST = example_code(
    "W702",
    "list without a limit",
    "`{name}` grows with every event of a session",
    "A session of a crawler has a hundred thousand events. With `maxlength`, the oldest goes when the list is full.",
    "@AppendState(name='pages', colname='url') select url from PageView;",
    "@AppendState(name='pages', colname='url', maxlength=50) select url from PageView;",
    "add maxlength=…",
)
MANY_COUNTERS = example_code(
    "W703",
    "counter for each of many values",
    "`{column}` takes a great many values, and each makes a counter of its own",
    "The counters of @DebugSession live as long as the process, and metrics systems pay for each series.",
    "@DebugSession(counter='pages', colname='url') select url from PageView;",
    "@DebugSession(counter='types', colname='et') select et from PageView;",
    "count by something that takes few values",
)
AUDIT = example_code(
    "W704",
    "audit left on",
    "`audit` writes every row to the log",
    "It is for looking at a rule while it is made.",
    "@DebugSession(counter='buys', audit=true) select user, et from PageView(et = 'buy');",
    "@DebugSession(counter='buys') select user, et from PageView(et = 'buy');",
)
LONG_UNIQUE_LIST = example_code(
    "W705",
    "long list without repeats",
    "each event is compared with up to {length} elements",
    "`unique` looks through the whole list before it appends.",
    "@AppendState(name='pages', colname='et', maxlength=5000) select et from PageView;",
    "@AppendState(name='pages', colname='et', unique=false, maxlength=5000) select et from PageView;",
    "a shorter list, or unique=false",
)
WHOLE_EVENT_KEPT = example_code(
    "W706",
    "whole event written to the session",
    "`*` writes all {count} fields of the event to the session",
    "Every field that is named is decoded and kept; a field that is added to the schema later is kept as well.",
    "@UpdateState select * from PageView;",
    "@UpdateState select et, url from PageView;",
    "name the columns that are needed",
)
EVERYTHING_EVERY_TIME = example_code(
    "W707",
    "all attributes on every event",
    "`filter(null)` copies all attributes, for every event",
    "The whole state is copied and written out each time. On markers it costs little; on events, name what is needed.",
    "@UpdateCounter('views') select 1 from PageView;\n"
    "@DecorateEvent select session.filter(null) as everything from PageView;",
    "@UpdateCounter('views') select 1 from PageView;\n"
    "@DecorateEvent select session.filter({'views'}) as few from PageView;",
    "name the attributes: filter({'a', 'b'})",
)

# The last word decides: `page_url` identifies, `url_kind` does not; and of ids, those of things that there are many of.
_IDENTIFYING = re.compile(
    r"(?:.*_)?(?:uuid|guid|urls?|uri|href|user|username|login|email|ip|ipv4|ipv6|sid|si|ts|timestamp|referrer|referer|ua"
    r"|agent|useragent|query|phone|token|hash)"
    r"|(?:(?:.*_)?(?:user|visitor|session|client|device|event|request|order|cart|item|product|message|trace|account"
    r"|customer)_?)?ids?"
)
_FEW_VALUED_PROPERTIES = ("eventCount", "botType", "botEventCount")
_LONG = 1_000


def _lists(context: LintContext) -> Iterator[tuple[t.AppendToList, ast.Annotation]]:
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            if isinstance(effect, t.AppendToList):
                yield effect, annotation


def _unbounded_list(context: LintContext) -> Iterator[Finding]:
    for effect, annotation in _lists(context):
        # Without repeats, two or three values are all there can be.
        few = effect.unique and (effect.item.type.kind is Kind.BOOLEAN or isinstance(effect.item, t.Const))
        if effect.maxlength == 0 and not few:
            yield found(annotation.span, name=effect.name)


def _long_unique_list(context: LintContext) -> Iterator[Finding]:
    for effect, annotation in _lists(context):
        if effect.unique and effect.maxlength > _LONG:
            yield found(annotation.span, length=effect.maxlength)


def _many_counters(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            if isinstance(effect, t.CountDebug) and effect.value is not None and _takes_many_values(effect.value):
                name = next(column.name for column in rule.columns if column.expr == effect.value)
                yield found(annotation.span, column=name)


def _takes_many_values(expr: t.Expr) -> bool:
    """True for what identifies something; a value computed from it may take few, so only plain ones are judged."""
    match expr:
        case t.Convert(_, _, operand, _, _):
            return _takes_many_values(operand)
        case t.SessionProperty(_, _, _, name):
            return name not in _FEW_VALUED_PROPERTIES
        case t.Field(type_, _, name):
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            named = _IDENTIFYING.fullmatch(snake) is not None
            return type_.is_fractional or (named and type_.kind is not Kind.BOOLEAN)
        case t.Now():
            return True
        case _:
            return False


def _audit(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            if isinstance(effect, t.CountDebug) and effect.audit is not None:
                argument = next((each for each in annotation.arguments if each.name == "audit"), annotation)
                yield found(argument.span)


def _whole_event_kept(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        wildcard = next((each for each in statement.columns if isinstance(each, ast.Wildcard)), None)
        kept = any(isinstance(effect, t.WriteAttributes) for effect in rule.effects)
        # A row of `insert into` has the columns that its rule named.
        if wildcard is not None and kept and rule.event_type not in context.program.routed:
            yield found(wildcard.span, count=len(context.fields(rule.event_type)))


def _everything_every_time(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        if rule.condition is not None or rule.event_type in context.environment.marker_types:
            continue
        for column in rule.columns:
            if any(isinstance(part, t.AttributeFilter) and part.names is None for part in subexpressions(column.expr)):
                yield found(column_span(statement, column.name))


COST_RULES = (
    LintRule(UNBOUNDED_LIST, _unbounded_list),
    LintRule(MANY_COUNTERS, _many_counters),
    LintRule(AUDIT, _audit),
    LintRule(LONG_UNIQUE_LIST, _long_unique_list),
    LintRule(WHOLE_EVENT_KEPT, _whole_event_kept),
    LintRule(EVERYTHING_EVERY_TIME, _everything_every_time),
)
