"""Event types: the names and types of the fields that events carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from epl.types import Type


@dataclass(frozen=True, slots=True)
class EventType:
    """A declared or inferred type of events. Every field may be absent, which reads as null."""

    name: str
    fields: Mapping[str, Type]
