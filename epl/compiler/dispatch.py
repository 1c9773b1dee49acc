"""Many rules on one event type that want a field to be this or that: only those of its value are looked at.

`et = 'view'` and `et = 'click'` never hold of one event, so of neighbouring rules that ask so, those of one value may
stand together, and one look into a dictionary finds them. A rule's own condition stays as it is: what is left out could
not have held, so that no result depends on it. Few values are compared faster one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from epl import typed as t
from epl.compiler.analysis import can_fail
from epl.compiler.module import Module
from epl.compiler.writer import Writer
from epl.types import STRING, Kind

_INDENT = "    "
_FEWEST = 8
"""Values from which on a dictionary is faster: a comparison that fails takes 13 ns, to find one of 8 places 70."""


_MOST_COPIES = 4
"""The code of a rule stands at each of its values."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Code of a rule; `wanted` is a field and those values of it without which the rule's condition does not hold."""

    rule: int
    lines: list[str]
    wanted: tuple[str, tuple[str, ...]] | None


def wanted_by(condition: t.Expr | None) -> tuple[str, tuple[str, ...]] | None:
    """The field of type string that a condition wants to be one of few values; nothing before it can fail."""
    for operand in condition.operands if isinstance(condition, t.And) else (condition,):
        match operand:
            case t.Compare(_, _, "=", t.Field() as field, t.Const(value=str() as value), False) | t.Compare(
                _, _, "=", t.Const(value=str() as value), t.Field() as field, False
            ) if field.type.kind is Kind.STRING:
                return field.name, (value,)
            case t.In(_, _, t.Field() as field, options, False) if field.type.kind is Kind.STRING:
                values = [each.value for each in options if isinstance(each, t.Const) and isinstance(each.value, str)]
                if len(values) == len(options) <= _MOST_COPIES:
                    return field.name, tuple(dict.fromkeys(values))
        if operand is None or can_fail([operand]):
            break
    return None


def dispatched(
    evaluated: Sequence[Piece], applied: Sequence[Piece], write: Writer, module: Module
) -> tuple[list[str], list[str]]:
    """The code of what rules read and of what they do, each in file order where that matters.

    What a rule does tests what it has read, so its reading is passed over only where its doing is.
    """
    runs = _runs(applied)
    passed_over = {piece.rule for run in runs if _is_long(run) for piece in run}
    free = [piece if piece.rule in passed_over else replace(piece, wanted=None) for piece in evaluated]
    first, second = ([line for run in each for line in _lines(run, write, module)] for each in (_runs(free), runs))
    return first, second


def _runs(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Neighbours that want the same field, or none."""
    shown = (piece for piece in pieces if piece.lines)
    return [list(run) for _, run in groupby(shown, lambda piece: piece.wanted and piece.wanted[0])]


def _is_long(run: Sequence[Piece]) -> bool:
    return len({value for piece in run if piece.wanted is not None for value in piece.wanted[1]}) >= _FEWEST


def _lines(run: Sequence[Piece], write: Writer, module: Module) -> list[str]:
    if not _is_long(run):
        return [line for piece in run for line in piece.lines]
    blocks: dict[str, list[str]] = {}
    for piece in run:
        assert piece.wanted is not None
        field, values = piece.wanted
        for value in values:
            blocks.setdefault(value, []).extend(piece.lines)
    place = write.temporary()
    places = module.constant({value: number for number, value in enumerate(blocks)}, "places")
    look = f"{place} = {places}.get({write.value(t.Field(STRING, True, field))})"
    return [look, f"if {place} is not None:", *_indented(_found(list(blocks.values()), place, 0))]


def _found(blocks: Sequence[list[str]], place: str, first: int) -> list[str]:
    """The block at a place, found by halves: a chain of comparisons would be as long as what it saves."""
    if len(blocks) == 1:
        return blocks[0]
    half = len(blocks) // 2
    return [
        f"if {place} < {first + half}:",
        *_indented(_found(blocks[:half], place, first)),
        "else:",
        *_indented(_found(blocks[half:], place, first + half)),
    ]


def _indented(lines: Iterable[str]) -> list[str]:
    return [_INDENT + line for line in lines]
