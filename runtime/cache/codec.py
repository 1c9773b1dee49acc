"""Sessions to bytes and back: a msgpack array, its first element the version of the rule set that wrote it.

Times are written as differences, which are short. The functions are generated for the attributes of a layout, since
a cold session is read and written at each of its events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from epl.layout import SessionLayout, Slot
from epl.types import Kind
from runtime.cache.shapes import SUBS_AT, Shape, migrate
from runtime.cache.strange import FLAT, NOT_PLAIN, pack_plain, pack_strange, plain, unpack_plain, unpack_strange
from runtime.cache.wheel import NEVER_MS
from runtime.session import EnderSession, MainSession

_SIMPLE = (
    *(Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT, Kind.FLOAT, Kind.DOUBLE),
    *(Kind.STRING, Kind.CHAR, Kind.BOOLEAN, Kind.DATE),
)
"""Kinds of which every value is one that msgpack takes, or makes the whole row a strange one."""

_TIMES = (
    "s.first_event_ms, s.created_ms - s.first_event_ms, s.modified_ms - s.created_ms, s.gap_ms, "
    "None if s.held_until_ms is None else s.held_until_ms - s.modified_ms, "
    "s.count, s.bot_type, s.bot_count, s.ordinal"
)
_READ_TIMES = "f, c, m, s.gap_ms, h, s.count, s.bot_type, s.bot_count, o"
_SET_TIMES = """\
    if o: s.ordinal = o
    s.first_event_ms = f
    s.created_ms = c = c + f
    s.modified_ms = m = m + c
    s.held_until_ms = None if h is None else h + m"""
_SOURCE = f"""\
{{subs}}
def encode(s, pack=pack, plain=plain):
    subs = s.sub_sessions
    try:
        return pack((
            {{version}}, {_TIMES}, [encode_sub[sub.number](sub, plain) for sub in subs] if subs else None, s.turn,
            {{attributes}}
        ))
    except NOT_PLAIN:
        return encode(s, pack_strange, as_it_is)

def decode(key, data, block=0):
    row = unpack_strange(data) if data[0] == {FLAT[0]} else unpack(data)
    if row[0] != {{version}}: row = migrated(row)
    s = new(Session if not row[9] else Session.again)
    (_, {_READ_TIMES}, subs, s.turn, {{targets}}) = row
{_SET_TIMES}
    {{set_due}}
    s.key = key
    s.sub_sessions = None if subs is None else [decode_sub[sub[0]](key, sub) for sub in subs]
    s.block = block
    s.slot = None
    s.spared_ms = m
    return s
"""
_SUB_SOURCE = f"""\
def encode_sub_{{number}}(s, plain):
    return ({{number}}, s.key, {_TIMES}, {{attributes}})

def decode_sub_{{number}}(parent_key, row):
    s = new(Sub{{number}} if not row[10] else Sub{{number}}.again)
    (_, s.key, {_READ_TIMES}, {{targets}}) = row
{_SET_TIMES}
    s.parent_key = parent_key
    return s
"""


class Codec:
    """Encodes and decodes the sessions of one profile.

    `kind` is the class of its sessions, `subs` those of its sub-sessions, each with its layout. `older` gives what
    rule sets before this one have written, by version; `version` is this one's.
    """

    def __init__(
        self,
        kind: tuple[type[MainSession], SessionLayout],
        subs: Sequence[tuple[str, type[Any], SessionLayout]] = (),
        *,
        version: int = 0,
        older: Mapping[int, Shape] | None = None,
    ) -> None:
        self._kind, self._subs = kind, subs
        session_class, layout = kind
        self.version = version
        self.shape = Shape.of(layout, [(name, sub_layout) for name, _, sub_layout in subs])
        self.shapes = {**(older or {}), version: self.shape}
        self.dropped = 0
        """Attributes and sub-sessions of older rule sets that this one has no place for."""
        is_ender = issubclass(session_class, EnderSession)
        # Under the ender's policy nothing is due at a time of its own.
        own = ["s.batch_ms", "s.user_ms"] if is_ender else ["s.due_ms - s.modified_ms"]
        own_targets = own if is_ender else ["d"]
        self._head = SUBS_AT + 2 + len(own)
        source = _SOURCE.format(
            subs="\n".join(_sub_source(number, sub[2]) for number, sub in enumerate(subs)),
            version=version,
            set_due="s.due_ms = NEVER_MS" if is_ender else "s.due_ms = d + m",
            attributes=", ".join([*own, *_values(layout), ""]),
            targets=", ".join([*own_targets, *(f"s.{name}" for name in layout.attributes), ""]),
        )
        namespace: dict[str, Any] = {
            "Session": session_class,
            "new": object.__new__,
            "pack": pack_plain,
            "pack_strange": pack_strange,
            "NOT_PLAIN": NOT_PLAIN,
            "plain": plain,
            "as_it_is": _as_it_is,
            "unpack": unpack_plain,
            "unpack_strange": unpack_strange,
            "migrated": self._migrated,
            "NEVER_MS": NEVER_MS,
            **{f"Sub{number}": sub[1] for number, sub in enumerate(subs)},
        }
        exec(source, namespace)
        for way in ("encode", "decode"):
            namespace[f"{way}_sub"] = [namespace[f"{way}_sub_{number}"] for number in range(len(subs))]
        self.encode: Callable[[MainSession], bytes] = namespace["encode"]
        """All of a session but its key."""
        self.decode: Callable[..., MainSession] = namespace["decode"]
        """`decode(key, data, block=0)`: the session of a block as it was encoded, by these rules or by older ones."""

    def after(self, older: Mapping[int, Shape]) -> Codec:
        """The same with what other rule sets have written; its version is that of its own shape, or the next one."""
        same = [version for version, shape in older.items() if shape == self.shape]
        version = same[0] if same else max(older, default=-1) + 1
        return Codec(self._kind, self._subs, version=version, older=older)

    def _migrated(self, row: Sequence[Any]) -> Sequence[Any]:
        made, dropped = migrate(row, self.shapes[row[0]], self.shape, self._head, SUBS_AT)
        self.dropped += dropped
        return made


def _sub_source(number: int, layout: SessionLayout) -> str:
    return _SUB_SOURCE.format(
        number=number,
        attributes=", ".join([*_values(layout), ""]),
        targets=", ".join([*(f"s.{name}" for name in layout.attributes), ""]),
    )


def _values(layout: SessionLayout) -> list[str]:
    """Expressions for the attributes of a session, in the order of the layout."""
    found = []
    for slot in (*layout.state.values(), *layout.metadata.values()):
        found.append(f"s.{slot.attribute}" if _is_simple(slot) else f"plain(s.{slot.attribute})")
        if slot.kind_attribute is not None:
            found.append(f"s.{slot.kind_attribute}")
    return found


def _is_simple(slot: Slot) -> bool:
    if slot.kind in (Kind.LIST, Kind.ARRAY) and slot.element is not None:
        return slot.element.kind in _SIMPLE
    return slot.kind in _SIMPLE


def _as_it_is(value: Any) -> Any:
    return value
