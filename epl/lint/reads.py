"""Reads of attributes that can only give null, or not what they seem to give."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast, types
from epl import typed as t
from epl.checker.scope import SESSION_VARIABLES
from epl.diagnostics import did_you_mean
from epl.lint.constraints import impossible, simple_and
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import column_node, effects, getter_name, session_call
from epl.session_schema import GETTERS, PROPERTIES
from epl.types import Kind

NEVER_WRITTEN = example_code(
    "W619",
    "attribute that no rule writes",
    "no rule writes `{name}` to {where}, so this is always null",
    "The getters take any name. A misspelt one reads as null, silently.",
    "@UpdateCounter('views') select 1 from PageView;\n"
    "@DecorateEvent select session.int('veiws') as seen from PageView(et = 'buy', session.int('views') > 0);",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@DecorateEvent select session.int('views') as seen from PageView(et = 'buy');",
)
OTHER_TYPE = example_code(
    "W620",
    "getter of another type than what is written",
    "`{name}` is written as {written}, so this is always null",
    "A getter gives null for a value of another type; nothing is converted.",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@DecorateEvent select session.long('views') as seen from PageView(et = 'buy');",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@DecorateEvent select session.int('views') as seen from PageView(et = 'buy');",
)
FIRST_EVENT = example_code(
    "W621",
    "attribute read at the first event",
    "at a session's first event nothing is written yet, so `{name}` is null here",
    "All rules of a pass read the state as it was before the event, and a new session has none.",
    "@UpdateMetadata select url as landing from PageView(session.eventCount = 1);\n"
    "@DecorateEvent select metadata.string('landing') as first_page from PageView(session.eventCount = 1);",
    "@UpdateMetadata select url as landing from PageView(session.eventCount = 1);\n"
    "@DecorateEvent select metadata.string('landing') as first_page from PageView(session.eventCount > 1);",
    "read the event's own field instead",
)
COUNTED_LATER = example_code(
    "W622",
    "counter shown without the event that it counts",
    "this event counts in `{name}` (line {line}), but only after this is read",
    "All rules of a pass read the state as it was before the event: here the counter is always one event behind.",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@DecorateEvent select session.int('views') as views from PageView(et = 'view');",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');\n"
    "@DecorateEvent select coalesce(session.int('views'), 0) + 1 as views from PageView(et = 'view');",
)
NOT_A_LIST = example_code(
    "W623",
    "`contains` on what is no list",
    "`{name}` is written as {written}, so this is always false",
    "`contains('list', value)` looks into lists; it is false for anything else.",
    "@UpdateState select url as page from PageView;\n"
    "@UpdateCounter('again') select 1 from PageView(session.contains('page', url));",
    "@AppendState(name='pages', colname='url', maxlength=9) select url from PageView;\n"
    "@UpdateCounter('again') select 1 from PageView(session.contains('pages', url));",
)


def _getters(context: LintContext) -> Iterator[tuple[ast.MethodCall, str, str, t.Scope, t.Namespace]]:
    """Every getter and every `contains` with a literal name: node, method, attribute, scope, namespace."""
    for statement, node in context.nodes:
        if not isinstance(node, ast.MethodCall) or not isinstance(node.target, ast.Reference):
            continue
        variable = node.target.name
        # A field of that name hides the session.
        hidden = isinstance(statement, ast.Select) and variable in context.fields(statement.stream.type_name.text)
        if variable not in SESSION_VARIABLES or hidden or not node.arguments:
            continue
        name, method = node.arguments[0], getter_name(node.name)
        if isinstance(name, ast.StringLiteral) and (method in GETTERS or method == "contains"):
            yield node, method, name.value, *SESSION_VARIABLES[variable]


def _never_written(context: LintContext) -> Iterator[Finding]:
    for node, method, name, scope, namespace in _getters(context):
        attributes = context.written(scope)
        if attributes is None or name in attributes.of(namespace):
            continue
        other = t.Namespace.METADATA if namespace is t.Namespace.STATE else t.Namespace.STATE
        if name in attributes.of(other):
            hint: str | None = (
                f"`{name}` is {_where(other)}: read it by `{_variable(scope, other)}.{node.name}('{name}')`"
            )
        elif namespace is t.Namespace.STATE and name in PROPERTIES and method in GETTERS:
            hint = f"write `{_variable(scope, namespace)}.{name}`"
        else:
            hint = did_you_mean(name, attributes.of(namespace))
        yield found(node.span, hint, name=name, where=_where(namespace))


def _where(namespace: t.Namespace) -> str:
    return "metadata" if namespace is t.Namespace.METADATA else "the session's state"


def _variable(scope: t.Scope, namespace: t.Namespace) -> str:
    return next(name for name, known in SESSION_VARIABLES.items() if known == (scope, namespace))


def _written_kinds(context: LintContext, scope: t.Scope, namespace: t.Namespace, name: str) -> set[Kind]:
    """The kinds of what is written to an attribute; empty when any kind may be."""
    attributes = context.written(scope)
    kinds = set() if attributes is None else {type_.kind for type_ in attributes.of(namespace).get(name, ())}
    return set() if kinds & {Kind.OBJECT, Kind.NULL} else kinds


def _shown(kinds: set[Kind]) -> str:
    return " or ".join(sorted(kind.value for kind in kinds))


def _other_type(context: LintContext) -> Iterator[Finding]:
    for node, method, name, scope, namespace in _getters(context):
        kinds = _written_kinds(context, scope, namespace, name)
        if method == "contains" or not kinds or GETTERS[method].kind in kinds:
            continue
        fitting = next((getter for getter, type_ in GETTERS.items() if type_.kind in kinds), None)
        owner = _variable(scope, namespace)
        hint = f"write `{owner}.{name}`" if fitting is None else f"write `{owner}.{fitting}('{name}')`"
        yield found(node.span, hint, name=name, written=_shown(kinds))


def _not_a_list(context: LintContext) -> Iterator[Finding]:
    for node, method, name, scope, namespace in _getters(context):
        kinds = _written_kinds(context, scope, namespace, name)
        if method == "contains" and len(node.arguments) == 2 and kinds and Kind.LIST not in kinds:
            yield found(node.span, name=name, written=_shown(kinds))


def _first_event(context: LintContext) -> Iterator[Finding]:
    # A passive event does not count: a session of one event may have seen several, and written something. A marker
    # comes when something is written, so it must be known which types are markers.
    markers_known = context.surroundings.known or context.environment.marker_types
    if context.surroundings.has_passive_events or not markers_known:
        return
    later = t.Compare(
        types.BOOLEAN,
        False,
        ">",
        t.SessionProperty(types.INT, False, t.Scope.SESSION, "eventCount"),
        t.Const(types.INT, False, 1),
    )
    for rule, statement in context.rules():
        # Rows of `insert into` run after the event's own pass, markers after the event.
        made = rule.event_type in context.program.routed or rule.event_type in context.environment.marker_types
        if made or rule.condition is None:
            continue
        calls = ((node, session_call(node)) for node in ast.walk(statement))
        reads = [
            (node, read[2])
            for node, read in calls
            if read is not None and read[0] in ("session", "metadata") and read[2] in context.attributes.of(read[1])
        ]
        if reads and impossible((rule.condition, later)):
            for node, name in reads:
                yield found(node.span, name=name)


def _counted_later(context: LintContext) -> Iterator[Finding]:
    counters = [
        (effect, rule, annotation)
        for rule, statement in context.rules()
        for effect, annotation in effects(rule, statement)
        if isinstance(effect, t.AddToCounter)
    ]
    for rule, statement in context.rules():
        for effect, _ in effects(rule, statement):
            if not isinstance(effect, t.Decorate):
                continue
            for column in effect.columns:
                node = column_node(statement, column.name)
                counter = _plainly_read(column.expr)
                for added, counting, annotation in counters:
                    if node is not None and added.name == counter and _always_with(rule, counting):
                        line = context.source.position(annotation.span.start).line
                        amount = "1" if added.amount is None else "what it adds"
                        hint = f"to include this event: coalesce(…, 0) + {amount}"
                        yield found(node.span, hint, name=counter, line=line)
                        break


def _plainly_read(expr: t.Expr) -> str | None:
    """The state attribute that a column shows as it is; one that computes with it is taken to know what it does."""
    match expr:
        case t.Attribute(_, _, t.Scope.SESSION, t.Namespace.STATE, name):
            return name
        case t.Coalesce(_, _, (first, t.Const())):
            return _plainly_read(first)
        case _:
            return None


def _always_with(reading: t.Rule, counting: t.Rule) -> bool:
    """True when every event of one rule also counts in the other."""
    conditions = frozenset(simple_and(counting.condition)), frozenset(simple_and(reading.condition))
    return reading.event_type == counting.event_type and conditions[0] <= conditions[1]


READ_RULES = (
    LintRule(NEVER_WRITTEN, _never_written, whole=True),
    LintRule(OTHER_TYPE, _other_type, whole=True),
    LintRule(FIRST_EVENT, _first_event),
    LintRule(COUNTED_LATER, _counted_later),
    LintRule(NOT_A_LIST, _not_a_list, whole=True),
)
