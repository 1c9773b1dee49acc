"""A session as it is stored, by name: for whoever looks into a snapshot without the rules that wrote it.

The codec of a profile knows the same rows by the attributes of its classes; here they are read by their shape alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epl.typed import Namespace
from runtime.cache.shapes import SUB_HEAD, SUBS_AT, Attribute, Shape
from runtime.cache.strange import unpack_any
from runtime.session import session_id


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session, or a sub-session of the kind `kind`; times in epoch ms. Attributes that are null are left out.

    `rule_set` is the number, in its snapshot, of the one that wrote it.
    """

    key: str
    kind: str | None
    rule_set: int
    session_id: str
    first_event_ms: int
    created_ms: int
    modified_ms: int
    expires_at_ms: int
    gap_ms: int
    events: int
    bot_type: int
    bot_events: int
    state: Mapping[str, Any]
    metadata: Mapping[str, Any]
    sub_sessions: tuple[StoredSession, ...] = ()


def rule_set(payload: bytes) -> int:
    """The number of the rule set that wrote a session."""
    number: int = unpack_any(payload)[0]
    return number


def stored_session(key: str, payload: bytes, shapes: Mapping[int, Shape]) -> StoredSession:
    """The session that a codec wrote by one of these shapes. Raises LookupError, TypeError or msgspec.MsgspecError."""
    row = unpack_any(payload)
    number = row[0]
    shape = shapes[number]
    # Its attributes are at the end, behind what its policy of time has of its own.
    values = row[len(row) - _width(shape.attributes) :]
    subs = []
    for sub in row[SUBS_AT] or ():
        kind, attributes = shape.subs[sub[0]]
        times = [number, *sub[2:SUB_HEAD]]
        subs.append(_session(sub[1], kind, key + sub[1], times, sub[SUB_HEAD:], attributes))
    return _session(key, None, key, row, values, shape.attributes, tuple(subs))


def _session(
    key: str,
    kind: str | None,
    id_start: str,
    row: Sequence[Any],
    values: Sequence[Any],
    attributes: Sequence[Attribute],
    subs: tuple[StoredSession, ...] = (),
) -> StoredSession:
    number, first_event_ms, created_ms, modified_ms, gap_ms, held_until_ms, count, bot_type, bot_count = row[:9]
    found = _named(values, attributes)
    return StoredSession(
        key=key,
        kind=kind,
        rule_set=number,
        session_id=session_id(id_start, first_event_ms),
        first_event_ms=first_event_ms,
        created_ms=created_ms,
        modified_ms=modified_ms,
        expires_at_ms=modified_ms + gap_ms if held_until_ms is None else held_until_ms,
        gap_ms=gap_ms,
        events=count,
        bot_type=bot_type,
        bot_events=bot_count,
        state=found[Namespace.STATE.value],
        metadata=found[Namespace.METADATA.value],
        sub_sessions=subs,
    )


def _width(attributes: Sequence[Attribute]) -> int:
    """The elements of a row that hold attributes: one of several types has its type beside it."""
    return sum(1 if attribute.kind is not None else 2 for attribute in attributes)


def _named(values: Sequence[Any], attributes: Sequence[Attribute]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {space.value: {} for space in Namespace}
    place = 0
    for attribute in attributes:
        if values[place] is not None:
            found[attribute.namespace][attribute.name] = values[place]
        place += _width((attribute,))
    return found
