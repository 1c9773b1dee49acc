"""Can several conditions be true of one event? Sure answers only: what is not understood counts as possible.

A condition that compares a field, a property or an attribute with constants leaves it a set of values. Conditions
exclude each other when nothing is left, or when one is the other's opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from epl import typed as t
from epl.typed_walk import subexpressions

_HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_BRANCHES = 64  # combinations of `or` that are looked at
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_LEAST = {"eventCount": 1, "duration": 0, "botEventCount": 0}
_STABLE = (t.Field, t.SessionProperty, t.Attribute, t.MapValue, t.Const)


@dataclass(slots=True)
class _Left:
    """What is left of the values of one subject."""

    integral: bool
    among: set[Any] | None = None
    excluded: set[Any] = field(default_factory=set)
    low: float | None = None
    low_included: bool = True
    high: float | None = None
    high_included: bool = True
    is_null: bool = False
    is_present: bool = False

    def nothing(self) -> bool:
        if self.is_null:
            return self.is_present
        if self.among is not None:
            return not any(self._holds(value) for value in self.among)
        if self.low is None or self.high is None:
            return False
        low, high = self.low, self.high
        if self.integral:
            low = _next_up(low, self.low_included)
            high = _next_down(high, self.high_included)
            return low > high or (low == high and low in self.excluded)
        return low > high or (low == high and not (self.low_included and self.high_included))

    def _holds(self, value: Any) -> bool:
        if value in self.excluded:
            return False
        if isinstance(value, str | bool):
            return True
        above = self.low is None or value > self.low or (self.low_included and value == self.low)
        below = self.high is None or value < self.high or (self.high_included and value == self.high)
        return above and below

    def only(self, values: set[Any]) -> None:
        self.is_present = True
        self.among = values if self.among is None else self.among & values

    def without(self, values: set[Any]) -> None:
        self.is_present = True
        self.excluded |= values

    def at_least(self, bound: float, included: bool) -> None:
        self.is_present = True
        if self.low is None or bound > self.low or (bound == self.low and not included):
            self.low, self.low_included = bound, included

    def at_most(self, bound: float, included: bool) -> None:
        self.is_present = True
        if self.high is None or bound < self.high or (bound == self.high and not included):
            self.high, self.high_included = bound, included


def _next_up(bound: float, included: bool) -> float:
    whole = int(bound // 1)
    return whole if included and whole == bound else whole + 1


def _next_down(bound: float, included: bool) -> float:
    whole = int(bound // 1)
    return whole if included or whole != bound else whole - 1


class _TooManyCases(Exception):
    """More combinations of `or` than are looked at."""


def impossible(conditions: Iterable[t.Expr]) -> bool:
    """True when no event and no session makes all of these true."""
    try:
        cases = list(islice(_cases(list(conditions)), _BRANCHES + 1))
    except _TooManyCases:
        return False
    # Within the first so many branches: any one that is possible, or that was not looked at, decides.
    return len(cases) <= _BRANCHES and all(_contradictory(case) for case in cases)


def exclusive(first: Iterable[t.Expr], second: Iterable[t.Expr]) -> bool:
    """True when two rules of these conditions never run on the same event."""
    return impossible((*first, *second))


def opposite(expr: t.Expr) -> t.Expr:
    """What is true where a condition is false; nulls, where neither is true, aside."""
    match expr:
        case t.Compare(type_, nullable, operator, left, right, by_kind):
            return t.Compare(type_, nullable, _OPPOSITE[operator], left, right, by_kind)  # type: ignore[arg-type]
        case t.Is(type_, nullable, left, right, negated, by_kind):
            return t.Is(type_, nullable, left, right, not negated, by_kind)
        case t.Not(_, _, operand):
            return operand
        case t.And(type_, nullable, operands):
            return t.Or(type_, nullable, tuple(map(opposite, operands)))
        case t.Or(type_, nullable, operands):
            return t.And(type_, nullable, tuple(map(opposite, operands)))
        case t.Const(type_, _, bool(value)):
            return t.Const(type_, False, not value)
        case _:
            return t.Not(expr.type, expr.nullable, expr)


def simple_and(condition: t.Expr | None) -> tuple[t.Expr, ...]:
    """A condition as the parts that must all be true."""
    match condition:
        case None:
            return ()
        case t.And(_, _, operands):
            return tuple(part for operand in operands for part in simple_and(operand))
        case t.Not(_, _, (t.And() | t.Or() | t.Not() | t.Compare() | t.Is()) as operand):
            return simple_and(opposite(operand))
        case _:
            return (condition,)


def is_stable(expr: t.Expr) -> bool:
    """True when an expression has one value for a whole pass: no clock, and no function that may have none."""
    return all(isinstance(part, _STABLE) and _is_plain(part) for part in subexpressions(expr))


def _is_plain(part: t.Expr) -> bool:
    return not isinstance(part, t.Const) or part.value is None or isinstance(part.value, str | int | float)


def _cases(conditions: list[t.Expr]) -> Iterator[list[t.Expr]]:
    """The conditions without `or`: one list for each way to make all of them true. Raises _TooManyCases."""
    parts = [part for condition in conditions for part in simple_and(condition)]
    choices = [part for part in parts if isinstance(part, t.Or)]
    if not choices:
        yield parts
        return
    if prod(len(choice.operands) for choice in choices) > _BRANCHES:
        raise _TooManyCases
    choice = choices[0]
    rest = [part for part in parts if part is not choice]
    for operand in choice.operands:
        yield from _cases([*rest, operand])


def _contradictory(parts: list[t.Expr]) -> bool:
    subjects: dict[t.Expr, _Left] = {}
    stable = {part for part in parts if _comparable_parts(part)}
    if any(opposite(part) in stable for part in stable):
        return True
    for part in parts:
        if isinstance(part, t.Const) and part.value is False:
            return True
        if _is_false(part):
            return True
        _narrow(part, subjects)
    return any(left.nothing() for left in subjects.values())


def _comparable_parts(part: t.Expr) -> bool:
    match part:
        case t.Compare(_, _, _, left, right, _) | t.Is(_, _, left, right, _, _):
            return is_stable(left) and is_stable(right)
        case _:
            return False


def _is_false(part: t.Expr) -> bool:
    """A comparison of two constants that does not hold."""
    match part:
        case t.Compare(_, _, operator, t.Const(_, _, left), t.Const(_, _, right), _):
            if left is None or right is None or isinstance(left, str) != isinstance(right, str):
                return False
            if isinstance(left, str) and operator not in ("=", "!="):
                return False
            return not _HOLDS[operator](left, right)
        case _:
            return False


def _of(subject: t.Expr, subjects: dict[t.Expr, _Left]) -> _Left | None:
    if isinstance(subject, t.Const) or not is_stable(subject):
        return None
    if subject not in subjects:
        left = subjects[subject] = _Left(subject.type.is_integral)
        if isinstance(subject, t.SessionProperty) and subject.name in _LEAST:
            left.at_least(_LEAST[subject.name], True)
        left.is_present = not subject.nullable
    return subjects[subject]


def _narrow(part: t.Expr, subjects: dict[t.Expr, _Left]) -> None:
    """Takes from the values of a subject those for which a condition is not true."""
    match part:
        case t.Compare(_, _, operator, t.Const() as constant, subject, _):
            _compare(_of(subject, subjects), _MIRRORED[operator], constant.value)
        case t.Compare(_, _, operator, subject, t.Const() as constant, _):
            _compare(_of(subject, subjects), operator, constant.value)
        case t.Is(_, _, subject, t.Const(_, _, None), negated, _):
            left = _of(subject, subjects)
            if left is not None:
                left.is_present, left.is_null = left.is_present or negated, left.is_null or not negated
        case t.Is(_, _, subject, t.Const(_, _, value), False, _):
            _compare(_of(subject, subjects), "=", value)
        case t.In(_, _, subject, options, _):
            left, values = _of(subject, subjects), _values(options)
            if left is not None and values is not None:
                left.only(values)
        case t.Not(_, _, t.In(_, _, subject, options, _)):
            left, values = _of(subject, subjects), _values(options)
            if left is not None and values is not None:
                left.without(values)
        case t.Range(_, _, subject, t.Const(_, _, low), t.Const(_, _, high), low_included, high_included, False):
            left = _of(subject, subjects)
            numbers = isinstance(low, int | float) and isinstance(high, int | float)
            if left is not None and numbers and low <= high:
                left.at_least(low, low_included)
                left.at_most(high, high_included)
        case t.Not(_, _, operand) if isinstance(operand, t.Field | t.Attribute):
            _compare(_of(operand, subjects), "=", False)
        case t.Field() | t.Attribute():
            _compare(_of(part, subjects), "=", True)
        case _:
            pass


def _values(options: tuple[t.Expr, ...]) -> set[Any] | None:
    values = [option.value for option in options if isinstance(option, t.Const)]
    plain = all(isinstance(value, str | int | float) for value in values)
    return set(values) if plain and len(values) == len(options) else None


def _compare(left: _Left | None, operator: str, value: Any) -> None:
    if left is None or not isinstance(value, str | int | float):
        return
    match operator:
        case "=":
            left.only({value})
        case "!=":
            left.without({value})
        case "<" | "<=" if not isinstance(value, str):
            left.at_most(value, operator == "<=")
        case ">" | ">=" if not isinstance(value, str):
            left.at_least(value, operator == ">=")
        case _:
            left.is_present = True
