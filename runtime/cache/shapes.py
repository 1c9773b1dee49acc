"""What a rule set keeps in its sessions, and how a newer one reads it: by name, since state outlives its rules.

An attribute that is new is null; one that is gone is dropped; one of another type is converted where that loses
nothing, which for numbers may depend on the value, and else dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from epl.java.arithmetic import RANGES, to_float32
from epl.layout import SessionLayout, Slot
from epl.typed import Namespace
from epl.types import Kind

_NUMBERS = (Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT, Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL)
_WHOLE = _NUMBERS[:5]
_ALWAYS = {
    **{kind: frozenset(_WHOLE[place:]) | {Kind.DECIMAL} for place, kind in enumerate(_WHOLE)},
    Kind.FLOAT: frozenset({Kind.FLOAT, Kind.DOUBLE}),
    Kind.DOUBLE: frozenset({Kind.DOUBLE}),
    Kind.DECIMAL: frozenset({Kind.DECIMAL}),
}
"""The kinds of number that hold every value of a kind; an int or less is also exact as a double."""

SUBS_AT = 10
"""Where a session's row has its sub-sessions."""
SUB_HEAD = 11
"""The elements of a sub-session's row before its attributes."""


class Attribute(msgspec.Struct, frozen=True, array_like=True):
    """An attribute of sessions: `kind` None where rules write several kinds, `element` where lists hold one kind."""

    name: str
    namespace: str
    kind: str | None
    element: str | None = None

    def __str__(self) -> str:
        if self.kind is None:
            return "of several types"
        return self.kind if self.element is None else f"{self.kind} of {self.element}"


class Shape(msgspec.Struct, frozen=True, array_like=True):
    """The attributes of the sessions of a profile, and of each kind of its sub-sessions by name."""

    attributes: tuple[Attribute, ...]
    subs: tuple[tuple[str, tuple[Attribute, ...]], ...] = ()

    @classmethod
    def of(cls, layout: SessionLayout, subs: Sequence[tuple[str, SessionLayout]] = ()) -> Shape:
        """The shape of layouts."""
        return cls(_attributes(layout), tuple((name, _attributes(sub)) for name, sub in subs))


class Change(Enum):
    """What becomes of an attribute when rules change."""

    ADDED = "added"
    KEPT = "kept"
    CONVERTED = "converted"
    WHERE_IT_FITS = "converted where it fits"
    DROPPED = "dropped"


def change(before: Attribute | None, after: Attribute | None) -> Change:
    """What becomes of an attribute that was `before`, None for none."""
    if before is None:
        return Change.ADDED
    if after is None:
        return Change.DROPPED
    if (before.kind, before.element) == (after.kind, after.element) or after.kind in (None, Kind.OBJECT.value):
        return Change.KEPT
    if before.kind in (None, Kind.OBJECT.value):
        return Change.WHERE_IT_FITS
    old, new = Kind(before.kind), Kind(after.kind)
    if {old, new} <= {Kind.LIST, Kind.ARRAY}:
        if after.element is None or before.element == after.element:
            return Change.KEPT
        return Change.WHERE_IT_FITS
    if (old, new) == (Kind.CHAR, Kind.STRING):
        return Change.KEPT
    if (old, new) == (Kind.STRING, Kind.CHAR):
        return Change.WHERE_IT_FITS
    if old in _NUMBERS and new in _NUMBERS:
        exact = new in _ALWAYS[old] or (new is Kind.DOUBLE and old in _WHOLE[:3])
        return Change.CONVERTED if exact else Change.WHERE_IT_FITS
    return Change.DROPPED


def migrate(row: Sequence[Any], before: Shape, after: Shape, head: int, subs_at: int) -> tuple[list[Any], int]:
    """A row of an older rule set as this one writes it, and how many values there is no place for.

    `head`: the elements before the attributes; the sub-sessions are at `subs_at`, and have `SUB_HEAD` of them.
    """
    made, dropped = _carried(row[head:], before.attributes, after.attributes)
    whole = [*row[:head], *made]
    numbers = {name: number for number, (name, _) in enumerate(after.subs)}
    subs = []
    for sub in row[subs_at] or ():
        name, old = before.subs[sub[0]]
        number = numbers.get(name)
        if number is None:
            dropped += 1
            continue
        made, lost = _carried(sub[SUB_HEAD:], old, after.subs[number][1])
        subs.append([number, *sub[1:SUB_HEAD], *made])
        dropped += lost
    whole[subs_at] = subs or None
    return whole, dropped


def _carried(values: Sequence[Any], before: Sequence[Attribute], after: Sequence[Attribute]) -> tuple[list[Any], int]:
    held = {}
    place = 0
    for attribute in before:
        kind = attribute.kind
        value = values[place]
        place += 1
        if kind is None:
            kind = values[place]
            place += 1
        if value is not None:
            held[attribute.namespace, attribute.name] = (attribute, kind, value)
    made: list[Any] = []
    dropped = 0
    for attribute in after:
        old, kind, value = held.pop((attribute.namespace, attribute.name), (attribute, None, None))
        if (old.kind, old.element) != (attribute.kind, attribute.element):
            value = _converted(value, attribute.kind, attribute.element)
            dropped += value is None
        made.append(value)
        if attribute.kind is None:
            made.append(None if value is None else kind)
    return made, dropped + len(held)


def _converted(value: Any, wanted: str | None, element: str | None = None) -> Any:
    """A value as another type has it; None when it would lose something."""
    if wanted is None or wanted == Kind.OBJECT.value:
        return value
    kind = Kind(wanted)
    match value:
        case bool():
            return value if kind is Kind.BOOLEAN else None
        case int() | float() | Decimal() if kind in _NUMBERS:
            return _number(value, kind)
        case str() if kind is Kind.STRING or (kind is Kind.CHAR and len(value) == 1):
            return value
        case datetime() if kind is Kind.DATE:
            return value
        case dict() if kind is Kind.MAP:
            return value
        case list() if kind in (Kind.LIST, Kind.ARRAY):
            if element is None:
                return value
            items = [None if item is None else _converted(item, element) for item in value]
            lost = any(now is None and item is not None for now, item in zip(items, value, strict=True))
            return None if lost else items
    return None


def _number(value: float | Decimal, kind: Kind) -> Any:
    try:
        if kind in _WHOLE:
            low, high = RANGES.get(kind, (-math.inf, math.inf))
            whole = int(value)
            return whole if whole == value and low <= whole <= high else None
        if kind is Kind.DECIMAL:
            # As the language widens: a double is the number that its digits say, if it is one.
            found = value if isinstance(value, Decimal) else Decimal(str(value))
            return found if found.is_finite() else None
        real = float(value)
    except (OverflowError, ValueError):
        return None
    if isinstance(value, float) and math.isnan(value):
        return value
    fits = real == value and (kind is Kind.DOUBLE or to_float32(real) == real)
    return real if fits else None


def _attributes(layout: SessionLayout) -> tuple[Attribute, ...]:
    spaces = ((Namespace.STATE, layout.state), (Namespace.METADATA, layout.metadata))
    return tuple(_attribute(space, slot) for space, slots in spaces for slot in slots.values())


def _attribute(space: Namespace, slot: Slot) -> Attribute:
    kind = None if slot.kind is None else slot.kind.value
    element = None if slot.element is None else slot.element.kind.value
    return Attribute(slot.name, space.value, kind, element)
