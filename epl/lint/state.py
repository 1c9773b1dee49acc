"""What a session keeps: attributes that nothing reads, and more than fits into a block of the cache."""

from __future__ import annotations

from collections.abc import Iterator

from epl import typed as t
from epl.compiler.analysis import expressions_of
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.places import column_span, effects
from epl.source import Span
from epl.stage import Stage
from epl.typed_walk import subexpressions
from epl.types import Kind, Type

NEVER_READ = example_code(
    "W708",
    "state that nothing reads",
    "no rule reads `{name}`, and no marker carries it",
    "State is kept for rules; unlike metadata, it leaves the session only when a rule decorates an event or a marker "
    "with it.",
    "@UpdateState select url as last from PageView;",
    "@UpdateState select url as last from PageView(et = 'view');\n"
    "@DecorateEvent select session.string('last') as came_from from PageView(et = 'buy');",
    "read it in a rule, or write it as metadata by @UpdateMetadata",
)
OVER_A_BLOCK = example_code(
    "W709",
    "session larger than a block",
    "with its lists full, a session takes {size} bytes or more, and `cache.block_size` is {block}",
    "A session that needs many blocks is slower to put and to find; up to 512 bytes nothing is said, since small "
    "blocks are meant to be several a session. The estimate is low: texts count with 8 bytes.",
    "@AppendState(name='pages', colname='url', maxlength=200) select url from PageView;\n"
    "@DecorateEvent select session.list('pages') as pages from PageView(et = 'buy');",
    "@AppendState(name='pages', colname='url', maxlength=20) select url from PageView;\n"
    "@DecorateEvent select session.list('pages') as pages from PageView(et = 'buy');",
    "shorter lists, or a larger block",
)

_SMALL = 512
_FIXED = 64  # key, times and counts
_TEXT = 8
_SIZES = {Kind.BOOLEAN: 1, Kind.BYTE: 1, Kind.SHORT: 2, Kind.INT: 4, Kind.FLOAT: 4, Kind.CHAR: 1}
_NUMBER = 8


def _never_read(context: LintContext) -> Iterator[Finding]:
    opens_subs = any(isinstance(effect, t.OpenSubSession) for rule in context.program.rules for effect in rule.effects)
    if opens_subs and not context.surroundings.known:
        return
    read = _names_read(context)
    if read is None:
        return
    elsewhere = {name for namespace, name in context.surroundings.read_elsewhere if namespace is t.Namespace.STATE}
    reported: set[str] = set()
    for name, span in _states(context):
        if name not in read | elsewhere | reported:
            reported.add(name)
            yield found(span, name=name)


def _names_read(context: LintContext) -> set[str] | None:
    """The state attributes that rules read, or None when they read all there are."""
    names: set[str] = set()
    for rule in context.program.statements():
        for top in expressions_of(rule):
            for part in subexpressions(top):
                match part:
                    case t.Attribute(_, _, t.Scope.SESSION, t.Namespace.STATE, name):
                        names.add(name)
                    case t.AttributeContains(_, _, t.Scope.SESSION, t.Namespace.STATE, t.Const(_, _, str(name)), _):
                        names.add(name)
                    case t.AttributeFilter(_, _, t.Scope.SESSION, t.Namespace.STATE, t.ArrayOf(_, _, items)) if all(
                        isinstance(item, t.Const) for item in items
                    ):
                        names |= {item.value for item in items if isinstance(item, t.Const)}
                    case t.AttributeContains(_, _, t.Scope.SESSION, t.Namespace.STATE) | t.AttributeFilter(
                        _, _, t.Scope.SESSION, t.Namespace.STATE
                    ):
                        return None
                    case _:
                        pass
    return names


def _states(context: LintContext) -> Iterator[tuple[str, Span]]:
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            match effect:
                case t.WriteAttributes(t.Namespace.STATE, columns):
                    for column in columns:
                        yield column.name, column_span(statement, column.name)
                case t.AddToCounter(name, _) | t.AppendToList(name, _, _, _):
                    yield name, annotation.span
                case _:
                    pass


def _over_a_block(context: LintContext) -> Iterator[Finding]:
    block = context.surroundings.block_size
    if block is None or context.stage is Stage.CONTROLLER:
        return
    lengths: dict[str, tuple[int, Span]] = {}
    first: Span | None = None
    for rule, statement in context.rules():
        for effect, annotation in effects(rule, statement):
            if isinstance(effect, t.WriteAttributes | t.AppendToList):
                first = first or annotation.span
            if isinstance(effect, t.AppendToList):
                length = max(lengths.get(effect.name, (1, first))[0], effect.maxlength)
                lengths[effect.name] = (length, annotation.span)
    size = _FIXED
    for namespace in t.Namespace:
        for name, written in context.attributes.of(namespace).items():
            length = lengths[name][0] if namespace is t.Namespace.STATE and name in lengths else 1
            size += max((_size(type_, length) for type_ in written), default=0)
    if size > max(block, _SMALL) and first is not None:
        # The longest list is what there is to shorten.
        span = max(lengths.values(), key=lambda each: each[0])[1] if lengths else first
        yield found(span, size=size, block=block)


def _size(type_: Type, length: int) -> int:
    if type_.is_sequence:
        return length * (_TEXT if type_.element is None else _size(type_.element, 1))
    return _SIZES.get(type_.kind, _NUMBER if type_.is_numeric else _TEXT)


STATE_RULES = (
    LintRule(NEVER_READ, _never_read, whole=True),
    LintRule(OVER_A_BLOCK, _over_a_block, whole=True),
)
