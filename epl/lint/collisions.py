"""Two rules that write one thing in one pass: only the last one in the file counts, or neither means what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from epl import ast
from epl import typed as t
from epl.lint.constraints import exclusive, simple_and
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import column_span, effects
from epl.source import Span
from epl.types import Kind

WRITTEN_TWICE = example_code(
    "W615",
    "attribute written by two rules for one event",
    "the rule of line {line} writes `{name}` for the same events",
    "All rules of a pass see the state as it was; then they write in file order. The last one counts, the others wrote "
    "for nothing. A special case after a general one is fine and not reported.",
    "@UpdateState select url as page from PageView(et = 'view');\n"
    "@UpdateState select user as page from PageView(n > 1);",
    "@UpdateState select url as page from PageView(et = 'view');\n"
    "@UpdateState select user as page from PageView(et = 'click', n > 1);",
    "make the conditions exclude each other",
)
DECORATED_TWICE = example_code(
    "W616",
    "event decorated twice with one name",
    "the rule of line {line} decorates the same events with `{name}`",
    "The later one wins. A special case after a general one is fine and not reported.",
    "@DecorateEvent select url as page from PageView(et = 'view');\n"
    "@DecorateEvent select user as page from PageView(n > 1);",
    "@DecorateEvent select url as page from PageView(et = 'view');\n"
    "@DecorateEvent select user as who from PageView(n > 1);",
)
TWO_SESSIONS = example_code(
    "W617",
    "two session keys for one profile and event",
    "the rule of line {line} gives the same events to `{profile}`",
    "An event belongs to one session of a profile: the last row with a key counts.",
    "@Session('Main') select user as _pk_ from PageView(user is not null);\n"
    "@Session('Main') select url as _pk_ from PageView(url is not null);",
    "@Session('Main') select user as _pk_ from PageView(user is not null);\n"
    "@Session('Main') select url as _pk_ from PageView(user is null);",
    "make the conditions exclude each other",
)
MIXED_COUNTER = example_code(
    "W618",
    "counter whose name holds something else",
    "`{name}` is a counter in line {line}, and {kind} here",
    "A counter leaves a value that is no number as it is, and counts as an error of its rule; an append replaces what "
    "is no list.",
    "@UpdateCounter('page') select 1 from PageView;\n@UpdateState select url as page from PageView(et = 'view');",
    "@UpdateCounter('pages') select 1 from PageView;\n@UpdateState select url as page from PageView(et = 'view');",
    "give the two different names",
)


_COMPARED = 64
"""Rules that write one name and are compared with each other: generated files may have thousands."""


@dataclass(frozen=True, slots=True)
class Write:
    """One rule's claim on a name."""

    rule: t.Rule
    name: object
    value: t.Expr
    span: Span

    @property
    def conditions(self) -> tuple[t.Expr, ...]:
        return simple_and(self.rule.condition)


def special_case(general: t.Rule, special: t.Rule) -> bool:
    """True when one rule says all that the other says, and more: a default and its exception."""
    return frozenset(simple_and(general.condition)) < frozenset(simple_and(special.condition))


def pairs(writes: list[Write]) -> Iterator[tuple[Write, Write]]:
    """The pairs of different rules that write one name at events of one type, the earlier rule first."""
    by_name: dict[object, list[Write]] = {}
    for write in writes:
        by_name.setdefault((write.rule.event_type, write.name), []).append(write)
    for claims in by_name.values():
        for first, second in combinations(claims[:_COMPARED], 2):
            if first.rule is not second.rule:
                yield first, second


def _colliding(writes: list[Write]) -> Iterator[tuple[Write, Write]]:
    """The pairs that write one name for one event with different values, each later one once."""
    seen: set[int] = set()
    for first, second in pairs(writes):
        if id(second) in seen or first.value == second.value or special_case(first.rule, second.rule):
            continue
        if not exclusive(first.conditions, second.conditions):
            seen.add(id(second))
            yield first, second


def _line(context: LintContext, write: Write) -> int:
    return context.source.position(write.span.start).line


def written_values(context: LintContext) -> list[Write]:
    """What @UpdateState and @UpdateMetadata write, in file order."""
    return [
        Write(rule, (effect.namespace, column.name), column.expr, column_span(statement, column.name))
        for rule, statement in context.rules()
        for effect, _ in effects(rule, statement)
        if isinstance(effect, t.WriteAttributes)
        for column in effect.columns
    ]


def _written_twice(context: LintContext) -> Iterator[Finding]:
    for first, second in _colliding(written_values(context)):
        assert isinstance(second.name, tuple)
        yield found(second.span, line=_line(context, first), name=second.name[1])


def _decorated_twice(context: LintContext) -> Iterator[Finding]:
    writes = [
        Write(rule, column.name, column.expr, column_span(statement, column.name))
        for rule, statement in context.rules()
        for effect, _ in effects(rule, statement)
        if isinstance(effect, t.Decorate)
        for column in effect.columns
        if column.expr.type.kind is not Kind.MAP  # a map is spread: its own name is not used
    ]
    for first, second in _colliding(writes):
        yield found(second.span, line=_line(context, first), name=second.name)


def _two_sessions(context: LintContext) -> Iterator[Finding]:
    writes = [
        Write(rule, effect.profile, effect.key, column_span(statement, "_pk_"))
        for rule, statement in context.rules()
        for effect, _ in effects(rule, statement)
        # A key that is no string gives the event to nobody, and has a code of its own.
        if isinstance(effect, t.RouteToProfile) and not isinstance(effect.key, t.Const)
    ]
    for first, second in _colliding(writes):
        yield found(second.span, line=_line(context, first), profile=second.name)


def _mixed_counter(context: LintContext) -> Iterator[Finding]:
    counters: dict[str, ast.Annotation] = {}
    others: list[tuple[str, str, Span]] = []
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            match effect:
                case t.AddToCounter(name, _):
                    counters.setdefault(name, annotation)
                case t.AppendToList(name, _, _, _):
                    others.append((name, "a list", annotation.span))
                case t.WriteAttributes(t.Namespace.STATE, columns):
                    for column in columns:
                        type_ = column.expr.type
                        if not type_.is_numeric and type_.kind not in (Kind.OBJECT, Kind.NULL):
                            others.append((column.name, f"a {type_.kind.value}", column_span(statement, column.name)))
                case _:
                    pass
    for name, kind, span in others:
        if name in counters:
            line = context.source.position(counters[name].span.start).line
            yield found(span, name=name, line=line, kind=kind)


COLLISION_RULES = (
    LintRule(WRITTEN_TWICE, _written_twice),
    LintRule(DECORATED_TWICE, _decorated_twice),
    LintRule(TWO_SESSIONS, _two_sessions),
    LintRule(MIXED_COUNTER, _mixed_counter),
)
