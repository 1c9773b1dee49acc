"""Rules on markers that wait for what never comes: a field they lack, a marker of others, a session that is over."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast
from epl import typed as t
from epl.compiler.analysis import writes
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import effects
from epl.stage import Stage

ABSENT_FIELD = example_code(
    "W632",
    "field that the marker does not carry",
    "`{marker}` carries no `{name}`, so this is always null",
    "A marker has its own fields (id, times, count, reason) and the session's metadata. What else an event had, it "
    "does not know.",
    "@DecorateEvent select coalesce(user, 'nobody') as who from SessionEndEvent;",
    "@UpdateMetadata select user from PageView(session.eventCount = 1);\n"
    "@DecorateEvent select coalesce(user, 'nobody') as who from SessionEndEvent;",
    "write it to metadata by @UpdateMetadata, or read the session's state",
)
FOREIGN_MARKER = example_code(
    "W633",
    "rule on a marker that never comes here",
    "`{marker}` runs other rules: this never gives a row",
    "A marker runs the rules of the profile or sub-session that it is about, and no others.",
    "@UpdateCounter('carts') select 1 from CartEnd;",
    "@DecorateEvent select 1 as seen from SessionEndEvent;",
)
WRITTEN_AT_END = example_code(
    "W634",
    "state written at a session's end",
    "after `{marker}` the session is forgotten, and what this writes with it",
    "The end marker is made before its rules run, so that not even metadata is in it. Decorate the marker instead.",
    "@UpdateState select 1 as over from SessionEndEvent;",
    "@DecorateEvent select 1 as over from SessionEndEvent;",
)


def _absent_field(context: LintContext) -> Iterator[Finding]:
    for rule, statement in context.rules():
        carried = context.surroundings.markers.get(rule.event_type)
        if carried is None:
            continue
        updated = {
            each.name
            for update in context.program.updates
            if update.event_type == rule.event_type
            for each in update.assignments
        }
        known = carried | updated | context.attributes.metadata.keys()
        alias = {rule.event_type, "" if statement.stream.alias is None else statement.stream.alias.text}
        for node in ast.walk(statement):
            match node:
                case ast.Reference(name) if name in context.fields(rule.event_type):
                    pass
                case ast.Member(ast.Reference(owner), name) if owner in alias:
                    pass
                case _:
                    continue
            if name not in known:
                yield found(node.span, marker=rule.event_type, name=name)


def _foreign_marker(context: LintContext) -> Iterator[Finding]:
    own = context.surroundings.markers
    for rule, statement in context.rules():
        if rule.event_type not in context.surroundings.other_markers or rule.event_type in own:
            continue
        if rule.event_type not in context.program.routed:
            yield found(statement.stream.type_name.span, marker=rule.event_type)


def _written_at_end(context: LintContext) -> Iterator[Finding]:
    # Rows that a marker's rules insert still read what it wrote; a session's rules run after those of its subs.
    if context.program.routed or context.stage is Stage.CONTROLLER:
        return
    for rule, statement in context.rules():
        if rule.event_type not in context.surroundings.end_markers or not writes(rule):
            continue
        for effect, annotation in effects(rule, statement):
            if isinstance(effect, t.WriteAttributes | t.AddToCounter | t.AppendToList):
                yield found(annotation.span, marker=rule.event_type)


MARKER_RULES = (
    LintRule(ABSENT_FIELD, _absent_field, whole=True),
    LintRule(FOREIGN_MARKER, _foreign_marker),
    LintRule(WRITTEN_AT_END, _written_at_end),
)
