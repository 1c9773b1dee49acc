"""Begin and end markers: what they carry (engine.md §2 in the design)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from epl.compiler import Compiled, Handler
from epl.layout import SessionLayout, slot_name
from runtime.config import MarkerKeys
from runtime.event import fits
from runtime.session import SessionBase


class Marker:
    """One type of marker of one kind of session, and the rules that run on it before it leaves."""

    def __init__(self, type_name: str, keys: MarkerKeys, layout: SessionLayout, compiled: Compiled) -> None:
        self.type_name = type_name
        self._keys = keys
        self._metadata = tuple((slot.name, slot.attribute) for slot in layout.metadata.values())
        self.handler: Handler | None = compiled.handlers.get(type_name)
        self._fields = {name: type_ for name, type_ in compiled.fields.get(type_name, {}).items()}
        slots = [(slot_name(name), Any, None) for name in self._fields]
        self._event_class = msgspec.defstruct(f"Marker_{slot_name(type_name)}", slots, gc=False)

    def begin(self, session: SessionBase) -> dict[str, Any]:
        """The fields of a begin marker: metadata, id and arrival of the first event."""
        return self._fields_of(session)

    def end(self, session: SessionBase, reason: str) -> dict[str, Any]:
        """The fields of an end marker: those of a begin marker, and how the session went."""
        fields = self._fields_of(session)
        keys = self._keys
        for key, value in (
            (keys.end, session.modified_ms),
            (keys.duration, session.duration_ms),
            (keys.count, session.count),
            (keys.reason, reason),
        ):
            if key is not None:
                fields[key] = value
        return fields

    def _fields_of(self, session: SessionBase) -> dict[str, Any]:
        fields = {}
        for name, attribute in self._metadata:
            value = getattr(session, attribute)
            if value is not None:
                fields[name] = value
        keys = self._keys
        if keys.id is not None:
            fields[keys.id] = session.session_id
        if keys.start is not None:
            fields[keys.start] = session.created_ms
        return fields

    def as_event(self, fields: Mapping[str, Any]) -> Any:
        """The marker as rules see it: its declared fields, null where absent or of another type."""
        values = {}
        for name, type_ in self._fields.items():
            value = fields.get(name)
            if value is not None and fits(value, type_):
                values[slot_name(name)] = value
        return self._event_class(**values)


def marker(type_name: str | None, keys: MarkerKeys, layout: SessionLayout, compiled: Compiled) -> Marker | None:
    """The marker of a name, or None where the configuration names none."""
    return None if type_name is None else Marker(type_name, keys, layout, compiled)
