"""Walking typed expressions: all parts of one, and how large it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from epl.structs import annotations_of
from epl.typed import Expr


class Extent(NamedTuple):
    """Parts and levels of an expression, counted as a tree: a part used twice counts twice."""

    size: int
    depth: int


def subexpressions(expr: Expr) -> Iterator[Expr]:
    """The expression and all below it, in no order, without recursion."""
    pending = [expr]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(_parts(current))


def extent(expr: Expr) -> Extent:
    """How large an expression is; parts that are one object are looked at once, so a small graph is cheap."""
    known: dict[int, Extent] = {}

    def measure(part: Expr) -> Extent:
        if id(part) not in known:
            below = [measure(each) for each in _parts(part)]
            size = 1 + sum(each.size for each in below)
            known[id(part)] = Extent(size, 1 + max((each.depth for each in below), default=0))
        return known[id(part)]

    return measure(expr)


_part_names: dict[type, tuple[str, ...]] = {}
"""The fields of each kind that are declared to hold expressions; most kinds have few, and constants none."""


def _parts(expr: Expr) -> Iterator[Expr]:
    kind = type(expr)
    if kind not in _part_names:
        declared = annotations_of(kind)
        _part_names[kind] = tuple(name for name, type_ in declared.items() if re.search("Expr|Subject", type_))
    for name in _part_names[kind]:
        yield from _expressions(getattr(expr, name))


def _expressions(value: Any) -> Iterator[Expr]:
    if isinstance(value, Expr):
        yield value
    elif isinstance(value, tuple):  # operands, or the branches of a case: pairs
        for item in value:
            yield from _expressions(item)
