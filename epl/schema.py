"""Event types: the names and types of the fields that events carry."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from epl.types import Type

_UNREADABLE = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')


class EventType(Struct, frozen=True):
    """A declared or inferred type of events. Every field may be absent, which reads as null."""

    name: str
    fields: Mapping[str, Type]


def is_readable(field: str) -> bool:
    """True when events can be decoded with a field of this name: JSON spells the others in more than one way."""
    return _UNREADABLE.search(field) is None
