"""What rules read and write, and which can fail: the compiler orders reads before writes by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from epl import typed as t
from epl.types import Kind

_EVERYTHING = (None, "*")
Slots = frozenset[tuple[object, str]]


def subexpressions(expr: t.Expr) -> Iterator[t.Expr]:
    """The expression and all below it."""
    yield expr
    for part in fields(expr):
        value = getattr(expr, part.name)
        if isinstance(value, t.Expr):
            yield from subexpressions(value)
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, t.Expr):
                    yield from subexpressions(item)
                elif isinstance(item, tuple):
                    for inner in item:
                        if isinstance(inner, t.Expr):
                            yield from subexpressions(inner)


def operands(effect: t.Effect) -> tuple[t.Expr, ...]:
    """The expressions that an effect takes from the row."""
    match effect:
        case t.WriteAttributes(_, columns) | t.Decorate(columns) | t.Insert(_, columns) | t.Report(columns):
            return tuple(column.expr for column in columns)
        case t.AddToCounter(_, amount):
            return () if amount is None else (amount,)
        case t.AppendToList(_, item, _, _):
            return (item,)
        case t.SetDuration(duration):
            return (duration,)
        case t.RouteToProfile(_, key, timestamp, duration, _):
            return tuple(expr for expr in (key, timestamp, duration) if expr is not None)
        case t.OpenSubSession(_, key, duration):
            return (key,) if duration is None else (key, duration)
        case t.CountDebug(_, value, audit):
            audited = tuple(column.expr for column in audit or ())
            return audited if value is None else (value, *audited)
        case t.MarkBot(bot_type):
            return (bot_type,)
        case _:
            return ()


def expressions_of(rule: t.Rule | t.Update) -> Iterator[t.Expr]:
    """The condition of a rule and the expressions that its effects take; columns that no effect takes are unused."""
    if rule.condition is not None:
        yield rule.condition
    if isinstance(rule, t.Update):
        yield from (column.expr for column in rule.assignments)
    else:
        for effect in rule.effects:
            yield from operands(effect)


def reads(rule: t.Rule) -> Slots:
    """The slots of the session that a rule reads."""
    found: set[tuple[object, str]] = set()
    for top in expressions_of(rule):
        for expr in subexpressions(top):
            match expr:
                case t.Attribute(_, _, t.Scope.SESSION, namespace, name):
                    found.add((namespace, name))
                case t.AttributeContains(_, _, t.Scope.SESSION, namespace, t.Const(_, _, name), _):
                    found.add((namespace, name))
                case t.AttributeContains(_, _, t.Scope.SESSION) | t.AttributeFilter(_, _, t.Scope.SESSION):
                    found.add(_EVERYTHING)
                case t.SessionProperty(_, _, t.Scope.SESSION, name):
                    found.add((None, name))
                case _:
                    pass
    return frozenset(found)


def writes(rule: t.Rule) -> Slots:
    """The slots of the session that a rule writes."""
    found: set[tuple[object, str]] = set()
    for effect in rule.effects:
        match effect:
            case t.WriteAttributes(namespace, columns):
                found |= {(namespace, column.name) for column in columns}
            case t.AddToCounter(name, _) | t.AppendToList(name, _, _, _):
                found.add((t.Namespace.STATE, name))
            case t.SetDuration():
                found.add((None, "expirationTime"))
            case t.MarkBot():
                found.add((None, "botType"))
            case _:
                pass
    return frozenset(found)


def meet(read: Slots, written: Iterable[tuple[object, str]]) -> bool:
    """True when something read is among what is written."""
    slots = frozenset(written)
    return bool(slots) and (_EVERYTHING in read or not read.isdisjoint(slots))


def can_fail(exprs: Iterable[t.Expr]) -> bool:
    """True when evaluating may raise for some event."""
    for top in exprs:
        for expr in subexpressions(top):
            match expr:
                case t.Convert(_, _, _, _, True):
                    return True
                case t.Apply(_, _, _, signature, _, _) if signature.can_fail:
                    return True
                case t.Arithmetic(type_, _, "%", _, right):
                    if not type_.is_fractional and not (isinstance(right, t.Const) and right.value):
                        return True
                case t.Match(_, _, _, _, pattern, _) if not isinstance(pattern, t.Const):
                    return True
                case t.Arithmetic(type_, _, _, _, _) if type_.kind in (Kind.BIGINT, Kind.DECIMAL):
                    return True
                case _:
                    pass
    return False


def fields_read(rules: Iterable[t.Rule | t.Update]) -> set[str]:
    """The event fields that rules use."""
    return {
        expr.name
        for rule in rules
        for top in expressions_of(rule)
        for expr in subexpressions(top)
        if isinstance(expr, t.Field)
    }
