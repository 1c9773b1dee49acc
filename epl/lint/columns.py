"""Columns whose name has a meaning: keys, times and gaps of a type or size that is ignored, fields that they hide."""

from __future__ import annotations

from collections.abc import Iterator

from epl import typed as t
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import column_span, effects
from epl.stage import Stage
from epl.typed_walk import subexpressions
from epl.types import INT, LONG, STRING, Kind, Type

IGNORED_COLUMN = example_code(
    "W629",
    "special column of a type that is ignored",
    "`{name}` must be {needed}; this is {type}, so {consequence}",
    "These columns are taken only when they have exactly the type that is asked for.",
    "@Session('Main') select cast(n, string) as _pk_, n as _timestamp_ from PageView;",
    "@Session('Main') select cast(n, string) as _pk_, total as _timestamp_ from PageView;",
)
IGNORED_DURATION = example_code(
    "W630",
    "gap that has no effect",
    "{reason}",
    "A gap is cut to the longest that the configuration allows, and one of 0 or less is none. @UpdateDuration above "
    "the longest is not taken at all.",
    "@UpdateDuration select 86400000 as _duration_ from PageView(et = 'away');",
    "@UpdateDuration select 600000 as _duration_ from PageView(et = 'away');",
)
RAW_FIELD = example_code(
    "W631",
    "decoration in place of the event's own field",
    "this replaces the event's own `{name}`{whose}",
    "Whoever reads the outgoing event cannot tell what it said itself. A decoration that is made from the field it "
    "replaces is taken as meant.",
    "@DecorateEvent select 'web' as et from PageView;",
    "@DecorateEvent select 'web' as channel from PageView;",
    "give it a name of its own",
)

_WANTED: dict[str, tuple[Type, str]] = {
    "_pk_": (STRING, "a string"),
    "_timestamp_": (LONG, "a long"),
    "_duration_": (INT, "an int of ms"),
}
_CONSEQUENCE = {
    "_pk_": "the row has no effect",
    "_timestamp_": "the time of arrival is taken",
    "_duration_": "the configured gap is taken",
}


def _ignored_column(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        for effect, _ in effects(rule, statement):
            if not isinstance(effect, t.RouteToProfile | t.OpenSubSession):
                continue
            # @SubSession has no time of its own.
            names = [name for name in _WANTED if name != "_timestamp_" or isinstance(effect, t.RouteToProfile)]
            for column in rule.columns:
                if column.name not in names:
                    continue
                wanted, needed = _WANTED[column.name]
                if column.expr.type in (wanted,) or column.expr.type.kind in (Kind.OBJECT, Kind.NULL):
                    continue
                hint = f"cast(…, {wanted})" if column.expr.type.is_numeric or column.expr.type == STRING else None
                yield found(
                    column_span(statement, column.name),
                    hint,
                    name=column.name,
                    needed=needed,
                    type=column.expr.type,
                    consequence=_CONSEQUENCE[column.name],
                )


def _ignored_duration(context: LintContext) -> Iterator[Finding]:
    sets_gap = any(isinstance(effect, t.SetDuration) for rule in context.program.rules for effect in rule.effects)
    for rule, statement in context.rules():
        for effect, _ in effects(rule, statement):
            reason = _no_effect(context, effect, sets_gap)
            if reason is not None:
                yield found(column_span(statement, "_duration_"), reason=reason)


def _no_effect(context: LintContext, effect: t.Effect, sets_gap: bool) -> str | None:
    match effect:
        case t.SetDuration(t.Const(_, _, int(value))):
            highest, opens = context.surroundings.max_idle_ms, False
        case t.RouteToProfile(_, _, _, t.Const(_, _, int(value))) | t.OpenSubSession(_, _, t.Const(_, _, int(value))):
            highest, opens = context.surroundings.max_idle_ms, True
        case _:
            return None
    if opens and value <= 0:
        return "a gap of 0 or less is none: the configured one is taken"
    if highest is not None and value > highest:
        rest = "it is cut to that" if opens else "it is ignored"
        return f"the gap of {value} ms is above `limits.max_idle` of {highest} ms: {rest}"
    gap = context.surroundings.gap_ms
    fixed = gap is not None and not sets_gap and not context.surroundings.gap_varies
    if isinstance(effect, t.OpenSubSession) and fixed and gap is not None and value > gap:
        return f"the gap of {value} ms is cut to the session's own of {gap} ms"
    return None


def _raw_field(context: LintContext) -> Iterator[Finding]:
    # Stage 1 hands values to stage 2 in declared fields, a session's rules to those of its sub-sessions, and a profile
    # to the next.
    opens_subs = any(isinstance(each, t.OpenSubSession) for rule in context.program.rules for each in rule.effects)
    if context.stage is Stage.CONTROLLER or opens_subs or context.surroundings.hands_on:
        return
    for rule, statement in context.rules():
        if rule.event_type in context.program.routed:
            continue
        own = context.fields(rule.event_type)
        decorated = context.surroundings.decorated.get(rule.event_type, frozenset())
        for effect, _ in effects(rule, statement):
            if not isinstance(effect, t.Decorate):
                continue
            for column in effect.columns:
                if column.name not in own or column.expr.type.kind is Kind.MAP or _reads(column.expr, column.name):
                    continue
                whose = ", which the controller decorated" if column.name in decorated else ""
                yield found(column_span(statement, column.name), name=column.name, whose=whose)


def _reads(expr: t.Expr, field: str) -> bool:
    return any(isinstance(part, t.Field) and part.name == field for part in subexpressions(expr))


COLUMN_RULES = (
    LintRule(IGNORED_COLUMN, _ignored_column),
    LintRule(IGNORED_DURATION, _ignored_duration),
    LintRule(RAW_FIELD, _raw_field),
)
