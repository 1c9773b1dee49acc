"""Sessions as objects: one generated class a profile, with a slot for each attribute that its rules write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from epl.layout import SessionLayout

_UNSIGNED = (1 << 64) - 1


def session_id(key: str, first_event_ms: int) -> str:
    """Key and 16 hexadecimal digits of the first event's time, a negative one as two's complement (engine.md §2)."""
    return f"{key}{first_event_ms & _UNSIGNED:016x}"


class SessionBase(msgspec.Struct, gc=False):
    """What every session has; times in epoch ms, `gap_ms` the inactivity that ends it.

    `due_ms` is when the time wheel will look at it next; `touched` is the number of the last event that changed it.
    """

    key: str
    first_event_ms: int
    created_ms: int
    modified_ms: int
    expires_at_ms: int
    gap_ms: int
    count: int = 0
    bot_type: int = 0
    bot_count: int = 0

    @property
    def duration_ms(self) -> int:
        """From the first to the latest event, by arrival."""
        return self.modified_ms - self.created_ms

    @property
    def session_id(self) -> str:
        """The id that markers carry."""
        return session_id(self.key, self.first_event_ms)


class MainSession(SessionBase, kw_only=True, gc=False):
    """A session of a profile. `active_until_ms`: the last ms at which `max_active` lets it live."""

    profile: ClassVar[int] = 0

    active_until_ms: int
    due_ms: int = 0
    touched: int = 0
    sub_sessions: list[Any] | None = None


class SubSession(SessionBase, kw_only=True, gc=False):
    """A sub-session, held by its session; `number` is its place among the profile's kinds of sub-sessions."""

    number: ClassVar[int] = 0

    parent_key: str

    @property
    def session_id(self) -> str:
        """The parent's key comes first."""
        return session_id(self.parent_key + self.key, self.first_event_ms)


def session_class(name: str, base: type[SessionBase], layout: SessionLayout, constants: Mapping[str, Any]) -> type[Any]:
    """The class of a profile's sessions: `base` and the slots of a layout, all None at first."""
    slots = [(attribute, Any, None) for attribute in layout.attributes]
    return msgspec.defstruct(name, slots, bases=(base,), namespace=dict(constants), kw_only=True, gc=False)
