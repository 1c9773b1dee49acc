"""Sessions to bytes and back: a msgpack array, its first element the version of the rule set that wrote it.

A session is a Struct whose fields are the elements of its row, so both ways are one step of C for nearly all of them.
What is left to Python: attributes that may hold decimals, values that msgpack does not take, rows of older rules, and
sub-sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from epl.layout import SessionLayout, Slot
from epl.types import Kind
from runtime.cache.shapes import SUBS_AT, Shape, migrate
from runtime.cache.strange import NOT_PLAIN, from_extension, pack_into, pack_plain, pack_strange, plain, unpack_any
from runtime.session import MainSession, SessionBase, SubSession

_SIMPLE = (
    *(Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT, Kind.FLOAT, Kind.DOUBLE),
    *(Kind.STRING, Kind.CHAR, Kind.BOOLEAN, Kind.DATE),
)
"""Kinds of which every value is one that msgpack takes, or makes the whole row a strange one."""


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
        self.version = version
        self.shape = Shape.of(kind[1], [(name, sub_layout) for name, _, sub_layout in subs])
        self.shapes = {**(older or {}), version: self.shape}
        self.dropped = 0
        """Attributes and sub-sessions of older rule sets that this one has no place for."""
        self._main = _Rows(*kind)
        self._sub_rows = [_Rows(sub_class, sub_layout) for _, sub_class, sub_layout in subs]
        self._is_simple = not any(rows.plain_at for rows in (self._main, *self._sub_rows))
        self._buffer = bytearray()
        self._read = msgspec.msgpack.Decoder(kind[0], ext_hook=from_extension).decode

    def after(self, older: Mapping[int, Shape]) -> Codec:
        """The same with what other rule sets have written; its version is that of its own shape, or the next one."""
        same = [version for version, shape in older.items() if shape == self.shape]
        version = same[0] if same else max(older, default=-1) + 1
        return Codec(self._kind, self._subs, version=version, older=older)

    def encode(self, session: MainSession) -> bytes:
        """All of a session but its key."""
        return bytes(self.encode_shortly(session))

    def encode_shortly(self, session: MainSession) -> bytes | bytearray:
        """The same, until the next session is encoded.

        In a buffer that is used again: 20 % less than new bytes, of which msgspec wants so many at first that they
        are the system's, who takes 3 µs for them at times.
        """
        session.version = self.version
        try:
            if self._is_simple:
                pack_into(session, self._buffer)
                return self._buffer
            return pack_plain(self._row(session, plain))
        except NOT_PLAIN:
            return pack_strange(self._row(session, _as_it_is))

    def decode(self, key: str, data: bytes, block: int = 0) -> MainSession:
        """The session of a block as it was encoded, by these rules or by older ones."""
        try:
            session = self._read(data)
            if session.version != self.version:
                session = self._migrated(unpack_any(data))
        except msgspec.MsgspecError:
            # Shorter than a row of these rules, or strange.
            session = self._migrated(unpack_any(data))
        session.key = key
        session.block = block
        session.slot = None
        session.spared_ms = session.modified_ms
        rows: Any = session.sub_sessions
        if rows is not None:
            session.sub_sessions = [self._sub_session(key, *row) for row in rows]
        return session

    def _row(self, session: MainSession, made_plain: Callable[[Any], Any]) -> list[Any]:
        row = self._main.row(session, made_plain)
        if session.sub_sessions:
            row[SUBS_AT] = [[sub.number, *self._sub_rows[sub.number].row(sub, made_plain)] for sub in row[SUBS_AT]]
        return row

    def _migrated(self, row: Sequence[Any]) -> MainSession:
        if row[0] != self.version:
            row, dropped = migrate(row, self.shapes[row[0]], self.shape, self._main.head, SUBS_AT)
            self.dropped += dropped
        session: MainSession = self._main.kind(*row)
        return session

    def _sub_session(self, parent_key: str, number: int, *row: Any) -> SubSession:
        sub: SubSession = self._sub_rows[number].kind(*row)
        sub.parent_key = parent_key
        return sub


class _Rows:
    """Sessions of a kind as rows. Decimals may be at `plain_at`, and msgpack would make strings of them."""

    def __init__(self, kind: type[SessionBase], layout: SessionLayout) -> None:
        self.kind: type[Any] = kind
        self.head = len(kind.STORED)
        places = {name: place for place, name in enumerate(layout.attributes, self.head)}
        slots = (*layout.state.values(), *layout.metadata.values())
        self.plain_at = [places[slot.attribute] for slot in slots if not _is_simple(slot)]

    def row(self, session: Any, made_plain: Callable[[Any], Any]) -> list[Any]:
        row = list(msgspec.structs.astuple(session))
        for place in self.plain_at:
            row[place] = made_plain(row[place])
        return row


def _is_simple(slot: Slot) -> bool:
    if slot.kind in (Kind.LIST, Kind.ARRAY) and slot.element is not None:
        return slot.element.kind in _SIMPLE
    return slot.kind in _SIMPLE


def _as_it_is(value: Any) -> Any:
    return value
