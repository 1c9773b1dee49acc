"""Names to slots: which attribute of an event, row or session object holds what.

Generated code reads and writes attributes of objects; whoever makes those objects asks here for their shape.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from msgspec import Struct

from epl.session_schema import Attributes
from epl.typed import Namespace
from epl.types import Kind, Type


def slot_name(name: str, prefix: str = "") -> str:
    """A Python attribute for any name: the name itself where it is one, else its letters and the code of the rest."""
    plain = prefix + name
    usual = name.isascii() and plain.isidentifier() and not keyword.iskeyword(plain)
    if usual and not name.startswith("x0_") and not plain.startswith("__"):
        return plain
    spelled = "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name)
    return f"{prefix}x0_{spelled}"


class Slot(Struct, frozen=True):
    """Where one attribute of a session lives.

    `kind`: what every value of it is, or None when rules write values of several kinds; then `kind_attribute` holds
    the kind's name beside the value. `element`: what a list of it holds, None when mixed or no list. `grows`: a list
    that is changed in place, so that whoever keeps what it reads takes a copy.
    """

    name: str
    attribute: str
    kind: Kind | None
    element: Type | None
    kind_attribute: str | None
    grows: bool = False


class SessionLayout(Struct, frozen=True):
    """The slots of a session's attributes, in the order in which rules first write them."""

    state: Mapping[str, Slot]
    metadata: Mapping[str, Slot]

    def of(self, namespace: Namespace) -> Mapping[str, Slot]:
        """The slots of one namespace by attribute name."""
        return self.state if namespace is Namespace.STATE else self.metadata

    @property
    def attributes(self) -> tuple[str, ...]:
        """All object attributes, those of kinds included."""
        slots = [*self.state.values(), *self.metadata.values()]
        return tuple(a for slot in slots for a in (slot.attribute, slot.kind_attribute) if a is not None)


def session_layout(attributes: Attributes) -> SessionLayout:
    """The layout for what a rule set writes."""
    return SessionLayout(_slots(attributes.state, "st_", attributes.appended), _slots(attributes.metadata, "md_"))


def _slots(
    written: Mapping[str, frozenset[Type]], prefix: str, appended: frozenset[str] = frozenset()
) -> Mapping[str, Slot]:
    return {name: _slot(name, types, prefix, name in appended) for name, types in written.items()}


def _slot(name: str, types: frozenset[Type], prefix: str, grows: bool) -> Slot:
    kinds = {type_.kind for type_ in types} or {Kind.NULL}
    attribute = slot_name(name, prefix)
    if len(kinds) > 1:
        return Slot(name, attribute, None, None, slot_name(name, f"kind_{prefix}"))
    elements = {type_.element for type_ in types}
    (kind,) = kinds
    return Slot(name, attribute, kind, elements.pop() if len(elements) == 1 else None, None, grows)
