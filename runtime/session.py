"""Sessions as objects: one class a profile, with a slot for each attribute that its rules write.

They are msgspec Structs, so that one step of C makes bytes of a session, or a session of bytes (`runtime.cache.codec`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from epl.layout import SessionLayout

_UNSIGNED = (1 << 64) - 1
# A third of the time of `:016x`.
_SESSION_ID = f"{{key}} + (s.first_event_ms & {_UNSIGNED:#x}).to_bytes(8).hex()"


def session_id(key: str, first_event_ms: int) -> str:
    """Key and 16 hexadecimal digits of the first event's time, a negative one as two's complement (engine.md §2)."""
    return key + (first_event_ms & _UNSIGNED).to_bytes(8).hex()


# What is no part of a session's bytes. These are given by name, or type checkers would miss all that is `STORED`: its
# slots come with the Struct.
_NOTHING: tuple[str, ...] = ()
_OF_THE_CACHE = ("block", "key", "slot", "spared_ms")
_OF_THE_PARENT = ("parent_key",)


class SessionBase:
    """What sessions and sub-sessions have; times in epoch ms, `gap_ms` the inactivity that ends one.

    Few slots change with an event, since each number that an event leaves behind is a cold place in memory to free
    at the next one: the expiry is worked out when asked for.

    `number` is the
    place of its kind: of the profile in the configuration, of the sub-session in its profile. `ordinal` tells it from
    another of its kind with the same key and the same times, which few need.
    """

    __slots__ = _NOTHING
    STORED: ClassVar[tuple[str, ...]] = (
        "first_event_ms",
        "created_ms",
        "modified_ms",
        "gap_ms",
        "held_until_ms",
        "count",
        "bot_type",
        "bot_count",
        "ordinal",
    )
    """What its bytes hold before the attributes of its layout, in this order."""
    ID_SOURCE: ClassVar[str] = _SESSION_ID.format(key="s.key")
    """`session_id` of `s` as an expression, for generated code."""
    number: ClassVar[int]

    bot_count: int
    bot_type: int
    count: int
    created_ms: int
    first_event_ms: int
    gap_ms: int
    held_until_ms: int | None
    key: str
    modified_ms: int
    ordinal: Any

    @property
    def expires_at_ms(self) -> int:
        """When it ends if nothing comes: one gap after its latest event, or `held_until_ms` where that is set."""
        return self.modified_ms + self.gap_ms if self.held_until_ms is None else self.held_until_ms

    @property
    def duration_ms(self) -> int:
        """From the first to the latest event, by arrival."""
        return self.modified_ms - self.created_ms

    @property
    def session_id(self) -> str:
        """The id that markers carry."""
        return session_id(self.key, self.first_event_ms)


class MainSession(SessionBase):
    """A session of a profile, begun as `begin(key, event_ms, now_ms, gap_ms)` of its class.

    `due_ms` is when the time wheel will look at it next, so nothing of it ends before; `sub_sessions` are the live
    ones in the order in which they opened; `turn` is the place of its latest event among those of one millisecond.

    The cache's own: `version` is that of the rules that wrote its bytes; `block` is where it is stored, 0 for nowhere
    yet; `slot` is where it stands in a wheel as an object; `spared_ms` its latest event when the cache last looked
    whether to keep it as an object.
    """

    __slots__ = _OF_THE_CACHE
    STORED = ("version", *SessionBase.STORED, "sub_sessions", "turn", "due_ms")

    block: int
    due_ms: int
    slot: Any
    spared_ms: int
    sub_sessions: list[SubSession] | None
    turn: int
    version: int


class EnderSession(MainSession):
    """A session under the ender's policy: `batch_ms` is its highest batch time, `user_ms` the highest user's time."""

    __slots__ = _NOTHING
    STORED = (*MainSession.STORED, "batch_ms", "user_ms")

    batch_ms: int
    user_ms: int


class SubSession(SessionBase):
    """A sub-session, held by its session; begun as a session is, with `parent_key` at the end."""

    __slots__ = _OF_THE_PARENT
    STORED = ("key", *SessionBase.STORED)

    ID_SOURCE = _SESSION_ID.format(key="s.parent_key + s.key")
    parent_key: str

    @property
    def session_id(self) -> str:
        """The parent's key comes first."""
        return session_id(self.parent_key + self.key, self.first_event_ms)


_TIMES = "event_ms, now_ms, now_ms, gap_ms, None, 0, 0, 0, 0"
_BEGIN = """\
def begin(key, event_ms, now_ms, gap_ms, parent_key=None):
    s = Session({stored}, {attributes})
    {own}
    return s
"""
_STORED = {
    MainSession: f"0, {_TIMES}, None, 0, 0",
    EnderSession: f"0, {_TIMES}, None, 0, 0, event_ms, 0",
    SubSession: f"key, {_TIMES}",
}
_MAIN = "s.key = key; s.block = s.spared_ms = 0; s.slot = None"
_OWN = {MainSession: _MAIN, EnderSession: _MAIN, SubSession: "s.parent_key = parent_key"}


_BEGUN = """\
s = Session(0, event_ms, now, now, {gap_ms}, None, 1, 0, 0, 0, None, turn, 0, {attributes})
s.key = key
s.spared_ms = now
s.block = 0
"""


def begun(layout: SessionLayout, gap_ms: int) -> str:
    """Statements that make `s` a session of the first event of `key`, but for its place in a wheel; for other code."""
    return _BEGUN.format(gap_ms=gap_ms, attributes="None, " * len(layout.attributes))


def session_class(base: type[SessionBase], layout: SessionLayout, number: int) -> type[Any]:
    """The class of the sessions of one kind: `base` and the slots of a layout.

    Its `begin` makes one whose attributes are all None. Sub-sessions are stored with their `number` before all else.

    Nobody compares sessions but by identity. The garbage collector passes them over, since nothing in them can lead
    back to them but the slot of a wheel, which its wheel empties.
    """
    fields = [(name, Any) for name in (*base.STORED, *layout.attributes)]
    made = msgspec.defstruct(
        "Session",
        fields,
        bases=(base, msgspec.Struct),
        namespace={"number": number},
        tag=number if issubclass(base, SubSession) else None,
        array_like=True,
        eq=False,
        gc=False,
    )
    # What rules store in a Struct takes 45 ns, since a Struct looks whether the garbage collector has to know of it;
    # here it takes 9 ns, as in any class with slots.
    made.__setattr__ = object.__setattr__  # type: ignore[method-assign]
    made.__delattr__ = object.__delattr__  # type: ignore[method-assign]
    source = _BEGIN.format(stored=_STORED[base], attributes="None, " * len(layout.attributes), own=_OWN[base])
    namespace: dict[str, Any] = {"Session": made}
    exec(source, namespace)
    made.begin = staticmethod(namespace["begin"])  # type: ignore[attr-defined]
    return made
