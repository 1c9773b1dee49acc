"""Begin and end markers: what they carry (engine.md §2 in the design)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from hashlib import blake2b
from textwrap import indent
from typing import Any

import msgspec

from epl.compiler import Compiled, Handler
from epl.layout import SessionLayout, slot_name
from runtime.config import MarkerKeys
from runtime.event import fits
from runtime.session import EnderSession, SessionBase

_BUILDER = """\
def {function}:
{body}
    return fields
"""
_BODY = """\
sid = {session_id}
fields = {display}
"""
_PARTIAL = """\
if {is_partial}:
    fields = {{name: value for name, value in fields.items() if value is not None}}
"""


class MarkerIds:
    """The ids of the markers of one kind of session; `path` is its tenant, profile type and sub-session name."""

    def __init__(self, path: str) -> None:
        # To copy what all of them begin with takes half the time of a hash that is made anew.
        self._begun = blake2b(f"{path}\0".encode("utf-8", "surrogatepass"), digest_size=12).copy

    def of(self, session_id: str, created_ms: int, kind: str, ordinal: object = 0) -> str:
        """What tells a marker from all others and is the same whenever it is sent again: 24 hexadecimal digits.

        A session id may be that of a session of another kind, too, which the path tells apart; `ordinal` tells apart
        those of one key that begin in one millisecond.
        """
        text = f"{session_id}\0{created_ms}\0{kind}"
        if ordinal:
            text = f"{text}\0{ordinal}"
        digest = self._begun()
        # A key may hold half a surrogate pair, from `fromJson`.
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


class Marker:
    """One type of marker of one kind of session, and the rules that run on it before it leaves.

    `begin(session)` and `end(session, reason)` give its fields: its type, the session's metadata, and the marker's own
    keys, which win over metadata of the same name. They are generated for the attributes of the layout, since a
    session in ten events makes two markers.
    """

    def __init__(
        self,
        type_name: str,
        type_field: str,
        path: str,
        keys: MarkerKeys,
        base: type[SessionBase],
        layout: SessionLayout,
        compiled: Compiled,
    ) -> None:
        self.type_name = type_name
        self.handler: Handler | None = compiled.handlers.get(type_name)
        self._fields = dict(compiled.fields.get(type_name, {}))
        slots = [(slot_name(name), Any, None) for name in self._fields]
        self._event_class = msgspec.defstruct(f"Marker_{slot_name(type_name)}", slots, gc=False)
        self._nothing_read = None if slots else self._event_class()
        metadata: dict[str | None, str] = {
            slot.name: f"s.{slot.attribute}" for slot in layout.metadata.values() if slot.name != type_field
        }
        first: dict[str | None, str] = {type_field: repr(type_name), **metadata}
        own = {keys.id: "sid", keys.start: "s.created_ms"}
        at_end = {
            keys.end: "s.modified_ms",
            keys.duration: "s.modified_ms - s.created_ms",
            keys.count: "s.count",
            keys.reason: "reason",
        }
        marker_id = "marker_id(sid, s.created_ms, {!r}, s.ordinal)"
        last = {keys.user: "s.user_ms"} if issubclass(base, EnderSession) else {}
        begin: dict[str | None, str] = {**own, keys.marker: marker_id.format("begin")}
        end: dict[str | None, str] = {**own, **at_end, keys.marker: marker_id.format("end"), **last}
        self.begin_source, self.end_source = (
            _source(base.ID_SOURCE, {**first, **fields}, metadata.keys() - fields.keys()) for fields in (begin, end)
        )
        """Statements that make `fields` of `s`, and of `reason` at its end, as `begin` and `end` do; for other code."""
        self.names: dict[str, Any] = {"marker_id": MarkerIds(path).of}
        """What is in scope there."""
        namespace = dict(self.names)
        builders = (("begin(s)", self.begin_source), ("end(s, reason)", self.end_source))
        exec("\n".join(_BUILDER.format(function=head, body=indent(body, "    ")) for head, body in builders), namespace)
        self.begin: Callable[[SessionBase], dict[str, Any]] = namespace["begin"]
        self.end: Callable[[SessionBase, str], dict[str, Any]] = namespace["end"]

    @property
    def reads_nothing(self) -> bool:
        """True when its rules read none of its fields."""
        return self._nothing_read is not None

    def as_event(self, fields: Mapping[str, Any]) -> Any:
        """The marker as rules see it: the fields that they read, null where absent or of another type."""
        if self._nothing_read is not None:
            return self._nothing_read
        values = {}
        for name, type_ in self._fields.items():
            value = fields.get(name)
            if value is not None and fits(value, type_):
                values[slot_name(name)] = value
        return self._event_class(**values)


def _source(session_id: str, fields: Mapping[str | None, str], metadata: Set[str | None]) -> str:
    """One display makes the dict in its full size; metadata that a session has not is taken out again.

    `fields` are expressions by name; what has no name is left out.
    """
    places = {name: f"v{place}" for place, name in enumerate(sorted(map(str, metadata)))}
    shown = {
        name: f"({places[name]} := {value})" if name in places else value
        for name, value in fields.items()
        if name is not None
    }
    display = "{" + ", ".join(f"{name!r}: {value}" for name, value in shown.items()) + "}"
    made = _BODY.format(session_id=session_id, display=display)
    if not places:
        return made
    return made + _PARTIAL.format(is_partial=" or ".join(f"{local} is None" for local in places.values()))
