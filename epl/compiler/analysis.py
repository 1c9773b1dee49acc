"""What rules read and write, which can fail, and what a condition rules out: the compiler orders reads by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from epl import typed as t
from epl.registry.model import Nulls
from epl.typed_walk import subexpressions
from epl.types import Kind

_EVERYTHING = (None, "*")
Slots = frozenset[tuple[object, str]]


def operands(effect: t.Effect) -> tuple[t.Expr, ...]:
    """The expressions that an effect takes from the row."""
    match effect:
        case (
            t.WriteAttributes(_, columns)
            | t.Decorate(columns)
            | t.Insert(_, columns)
            | t.Call(_, columns)
            | t.Report(columns)
        ):
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


def row_of(rule: t.Rule) -> Iterator[t.Expr]:
    """What making the row of a rule evaluates: what its effects take, and whatever else in it can fail.

    Other columns that no effect takes are unused. One that fails leaves the rule without a row, used or not.
    """
    for effect in rule.effects:
        yield from operands(effect)
    yield from (column.expr for column in rule.columns if can_fail([column.expr]))


def expressions_of(rule: t.Rule | t.Update) -> Iterator[t.Expr]:
    """The condition of a rule, and what its row or its assignments evaluate."""
    if rule.condition is not None:
        yield rule.condition
    if isinstance(rule, t.Update):
        yield from (column.expr for column in rule.assignments)
    else:
        yield from row_of(rule)


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


def meet(read: Slots, written: AbstractSet[tuple[object, str]]) -> bool:
    """True when something read is among what is written."""
    return bool(written) and (_EVERYTHING in read or not read.isdisjoint(written))


def can_fail(exprs: Iterable[t.Expr]) -> bool:
    """True when evaluating may raise for some event."""
    return any(_may_raise(expr) for top in exprs for expr in subexpressions(top))


def _may_raise(expr: t.Expr) -> bool:
    match expr:
        case t.Convert(type_, _, operand, _, fails):
            if type_.kind is Kind.DECIMAL and operand.type.is_fractional:
                return True  # NaN has no decimal
            # An integer of any size has no float, and beyond 4300 digits no text.
            return fails or (not type_.is_integral and may_be_huge(operand))
        case t.Apply(_, _, _, signature, _, _):
            return signature.can_fail
        case t.Match(_, _, _, _, pattern, _):
            return not isinstance(pattern, t.Const)
        case t.Arithmetic(type_) if type_.kind in (Kind.BIGINT, Kind.DECIMAL):
            return True
        case t.Arithmetic(type_, _, "%", _, right) if type_.is_integral:
            return not (isinstance(right, t.Const) and right.value)
        case t.Arithmetic(type_, _, operator, left, right):
            return type_.is_fractional and operator != "/" and (may_be_huge(left) or may_be_huge(right))
        case _:
            return False


def may_be_huge(expr: t.Expr) -> bool:
    """True for an integer that may be beyond all floats: integers do not wrap, and the state may hold a large one."""
    if not expr.type.is_integral:
        return False
    return any(
        isinstance(part, t.Attribute)
        or (isinstance(part, t.Arithmetic) and part.operator == "*")
        or part.type.kind is Kind.BIGINT
        for part in subexpressions(expr)
    )


def implied(expr: t.Expr) -> frozenset[t.Expr]:
    """What is not null when a condition is true."""
    match expr:
        case t.And(_, _, operands):
            return frozenset().union(*map(implied, operands))
        case t.Compare(_, _, _, left, right, _):
            return frozenset((left, right))
        case t.Is(_, _, left, right, True, _) if isinstance(right, t.Const) and right.value is None:
            return frozenset((left,))
        case t.In(_, _, value, _, _) | t.Match(_, _, _, value, _, _) | t.Quantified(_, _, _, _, value, _, _):
            return frozenset((value,))
        case t.Range(_, _, value, _, _, _, _, _):
            return frozenset((value,))
        case t.Not(_, _, t.Compare() | t.In() | t.Match() as operand):
            return implied(operand)
        case t.Apply(_, _, _, _, Nulls.PROPAGATE, arguments):
            return frozenset(arguments)
        case _:
            return frozenset()


def fields_read(rules: Iterable[t.Rule | t.Update]) -> set[str]:
    """The event fields that rules use."""
    return {
        expr.name
        for rule in rules
        for top in expressions_of(rule)
        for expr in subexpressions(top)
        if isinstance(expr, t.Field)
    }
