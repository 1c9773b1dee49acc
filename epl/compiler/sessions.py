"""Reads of sessions to Python text: properties, attributes in their slots, `contains`, `filter`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from epl import typed as t
from epl.compiler.writer import Writer
from epl.layout import Slot
from epl.session_schema import PROPERTIES
from epl.types import Kind, Type

SessionRead = t.SessionProperty | t.Attribute | t.AttributeContains | t.AttributeFilter

_SESSION = {t.Scope.SESSION: "s", t.Scope.PARENT: "p"}


class SessionReads(Writer):
    """Writes what rules read of sessions."""

    def _session(self, expr: SessionRead) -> str:
        session = _SESSION[expr.scope]
        if isinstance(expr, t.SessionProperty):
            return f"{session}.{PROPERTIES[expr.name].slot}"
        layout = self._layouts.get(expr.scope)
        slots = {} if layout is None else layout.of(expr.namespace)
        match expr:
            case t.Attribute(type_, _, _, _, name):
                return self._attribute(session, slots.get(name), type_)
            case t.AttributeContains(_, _, _, _, t.Const(_, _, name), item):
                return self._contains(session, slots.get(name), item)
            case t.AttributeContains(_, _, _, _, name, item):
                found = f"attribute({session}, {self._all(slots)}, {self.value(name)})"
                return f"({found} is not None)" if item is None else f"has_item({found}, {self.value(item)})"
            case t.AttributeFilter():
                return self._filtered(session, slots, expr)
            case _:
                assert_never(expr)

    def _attribute(self, session: str, slot: Slot | None, wanted: Type) -> str:
        if slot is None:
            return "None"
        place = f"{session}.{slot.attribute}"
        if wanted.kind is Kind.OBJECT or slot.kind is wanted.kind:
            return f"copied({place})" if slot.grows else place
        if slot.kind is Kind.OBJECT:
            return f"of_kind({place}, {self._module.constant(wanted.kind, wanted.kind.value)})"
        if slot.kind is not None:
            return "None"
        return f"({place} if {session}.{slot.kind_attribute} == {wanted.kind.value!r} else None)"

    def _contains(self, session: str, slot: Slot | None, item: t.Expr | None) -> str:
        if slot is None:
            return "False"
        place = f"{session}.{slot.attribute}"
        if item is None:
            return f"({place} is not None)"
        if slot.kind not in (Kind.LIST, None, Kind.OBJECT):
            return "False"
        if slot.element is not None and Kind.OBJECT not in (slot.element.kind, item.type.kind):
            if slot.element != item.type:
                return "False"
            if slot.kind is Kind.LIST:
                # None is never in a list of one type: appending ignores null.
                return f"({place} is not None and {self.value(item)} in {place})"
        return f"has_item({place}, {self.value(item)})"

    def filtered(self, expr: t.AttributeFilter) -> list[tuple[Slot, str]] | None:
        """The slots that a filter picks and where they are, or None where only a run shows which."""
        layout = self._layouts.get(expr.scope)
        slots = {} if layout is None else layout.of(expr.namespace)
        names = expr.names
        if names is None:
            wanted = list(slots)
        elif isinstance(names, t.ArrayOf) and all(isinstance(item, t.Const) for item in names.items):
            given = dict.fromkeys(item.value for item in names.items if isinstance(item, t.Const))
            wanted = [name for name in given if name in slots]
        else:
            return None
        return [(slots[name], f"{_SESSION[expr.scope]}.{slots[name].attribute}") for name in wanted]

    def _filtered(self, session: str, slots: Mapping[str, Slot], expr: t.AttributeFilter) -> str:
        wanted = self.filtered(expr)
        if wanted is None:
            assert expr.names is not None
            return f"picked({session}, {self._all(slots)}, {self.value(expr.names)})"
        pairs = tuple((slot.name, slot.attribute) for slot, _ in wanted)
        return f"present({session}, {self._module.constant(pairs, 'slots')})"

    def _all(self, slots: Mapping[str, Slot]) -> str:
        return self._module.constant({name: slot.attribute for name, slot in slots.items()}, "slots")
