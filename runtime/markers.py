"""Begin and end markers: what they carry (engine.md §2 in the design)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from epl.compiler import Compiled, Handler
from epl.layout import SessionLayout, slot_name
from runtime.config import MarkerKeys
from runtime.event import fits
from runtime.session import SessionBase

_BUILDERS = """\
def begin(s):
    d = {{{type_field!r}: {type_name!r}}}
{metadata}
{keys}
    return d

def end(s, reason):
    d = begin(s)
{end_keys}
    return d
"""


class Marker:
    """One type of marker of one kind of session, and the rules that run on it before it leaves.

    `begin(session)` and `end(session, reason)` give its fields: its type, the session's metadata, and the marker's own
    keys, which win over metadata of the same name. They are generated for the attributes of the layout, since a
    session in ten events makes two markers.
    """

    def __init__(
        self, type_name: str, type_field: str, keys: MarkerKeys, layout: SessionLayout, compiled: Compiled
    ) -> None:
        self.handler: Handler | None = compiled.handlers.get(type_name)
        self._fields = dict(compiled.fields.get(type_name, {}))
        slots = [(slot_name(name), Any, None) for name in self._fields]
        self._event_class = msgspec.defstruct(f"Marker_{slot_name(type_name)}", slots, gc=False)
        metadata = [
            f"    if s.{slot.attribute} is not None: d[{slot.name!r}] = s.{slot.attribute}"
            for slot in layout.metadata.values()
            if slot.name != type_field
        ]
        own = ((keys.id, "s.session_id"), (keys.start, "s.created_ms"))
        at_end = (
            (keys.end, "s.modified_ms"),
            (keys.duration, "s.duration_ms"),
            (keys.count, "s.count"),
            (keys.reason, "reason"),
        )
        source = _BUILDERS.format(
            type_field=type_field,
            type_name=type_name,
            metadata="\n".join(metadata),
            keys=_assignments(own),
            end_keys=_assignments(at_end),
        )
        namespace: dict[str, Any] = {}
        exec(source, namespace)
        self.begin: Callable[[SessionBase], dict[str, Any]] = namespace["begin"]
        self.end: Callable[[SessionBase, str], dict[str, Any]] = namespace["end"]

    def as_event(self, fields: Mapping[str, Any]) -> Any:
        """The marker as rules see it: its declared fields, null where absent or of another type."""
        values = {}
        for name, type_ in self._fields.items():
            value = fields.get(name)
            if value is not None and fits(value, type_):
                values[slot_name(name)] = value
        return self._event_class(**values)


def _assignments(keys: Iterable[tuple[str | None, str]]) -> str:
    return "\n".join(f"    d[{key!r}] = {value}" for key, value in keys if key is not None)


def marker(
    type_name: str | None, type_field: str, keys: MarkerKeys, layout: SessionLayout, compiled: Compiled
) -> Marker | None:
    """The marker of a name, or None where the configuration names none."""
    return None if type_name is None else Marker(type_name, type_field, keys, layout, compiled)
