"""Sessions as objects: one generated class a profile, with a slot for each attribute that its rules write.

Plain slotted classes: rules store several attributes an event, and a store takes 9 ns here against 25 ns in a
msgspec Struct. Their constructors are generated too: 0.4 µs instead of 2.6 µs for a dataclass of 26 slots.
"""

from __future__ import annotations

from typing import Any, ClassVar

from epl.layout import SessionLayout

_UNSIGNED = (1 << 64) - 1
# A third of the time of `:016x`.
_SESSION_ID = f"{{key}} + (s.first_event_ms & {_UNSIGNED:#x}).to_bytes(8).hex()"


def session_id(key: str, first_event_ms: int) -> str:
    """Key and 16 hexadecimal digits of the first event's time, a negative one as two's complement (engine.md §2)."""
    return key + (first_event_ms & _UNSIGNED).to_bytes(8).hex()


class SessionBase:
    """What sessions and sub-sessions have; times in epoch ms, `gap_ms` the inactivity that ends one.

    Few slots change with an event, since each number that an event leaves behind is a cold place in memory to free
    at the next one: the expiry is worked out when asked for.

    `number` is the
    place of its kind: of the profile in the configuration, of the sub-session in its profile.
    """

    __slots__ = (
        "bot_count",
        "bot_type",
        "count",
        "created_ms",
        "first_event_ms",
        "gap_ms",
        "held_until_ms",
        "key",
        "modified_ms",
    )
    ID_SOURCE: ClassVar[str] = _SESSION_ID.format(key="s.key")
    """`session_id` of `s` as an expression, for generated code."""
    number: ClassVar[int]
    ordinal: Any = 0
    """What tells it from another of its kind with the same key and the same times; few need it, so few have a slot."""

    bot_count: int
    bot_type: int
    count: int
    created_ms: int
    first_event_ms: int
    gap_ms: int
    held_until_ms: int | None
    key: str
    modified_ms: int

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
    """A session of a profile, made as `session_class(key, event_ms, now_ms, gap_ms)`.

    `due_ms` is when the time wheel will look at it next, so nothing of it ends before; `sub_sessions` are the live
    ones in the order in which they opened; `turn` is the place of its latest event among those of one millisecond.

    The cache's own: `block` is where it is stored, 0 for nowhere yet; `slot` is where it stands in a wheel as an
    object; `spared_ms` its latest event when the cache last looked whether to keep it as an object.
    """

    __slots__ = ("block", "due_ms", "slot", "spared_ms", "sub_sessions", "turn")

    block: int
    due_ms: int
    slot: Any
    spared_ms: int
    sub_sessions: list[SubSession] | None
    turn: int


class EnderSession(MainSession):
    """A session under the ender's policy: `batch_ms` is its highest batch time, `user_ms` the highest user's time."""

    __slots__ = ("batch_ms", "user_ms")

    batch_ms: int
    user_ms: int


class SubSession(SessionBase):
    """A sub-session, held by its session; made as a session is, with `parent_key` at the end."""

    __slots__ = ("parent_key",)

    ID_SOURCE = _SESSION_ID.format(key="s.parent_key + s.key")
    parent_key: str

    @property
    def session_id(self) -> str:
        """The parent's key comes first."""
        return session_id(self.parent_key + self.key, self.first_event_ms)


_CLASS = """\
class Session(Base):
    __slots__ = {slots!r}
    number = {number}

    def __init__(self, key, event_ms, now_ms, gap_ms, parent_key=None):
        self.key = key
        self.first_event_ms = event_ms
        self.created_ms = self.modified_ms = now_ms
        self.gap_ms = gap_ms
        self.held_until_ms = None
        self.count = self.bot_type = self.bot_count = 0
        {own}
        {attributes}

class Again(Session):
    __slots__ = ("ordinal",)
"""
_OWN = {
    MainSession: "self.block = self.due_ms = self.spared_ms = self.turn = 0; self.slot = self.sub_sessions = None",
    EnderSession: (
        "self.block = self.due_ms = self.spared_ms = self.turn = self.user_ms = 0; "
        "self.slot = self.sub_sessions = None; self.batch_ms = event_ms"
    ),
    SubSession: "self.parent_key = parent_key",
}


_BEGUN = """\
s = new(Session)
s.key = key
s.first_event_ms = event_ms
s.created_ms = s.modified_ms = s.spared_ms = now
s.gap_ms = {gap_ms}
s.count = 1
s.turn = turn
s.block = s.bot_type = s.bot_count = 0
s.held_until_ms = s.sub_sessions = {targets}None
"""


def begun(layout: SessionLayout, gap_ms: int) -> str:
    """Statements that make `s` a session of the first event of `key`, but for its place in a wheel; for other code.

    `new` is that of `object`: a constructor that is called takes three times as long.
    """
    return _BEGUN.format(gap_ms=gap_ms, targets="".join(f"s.{attribute} = " for attribute in layout.attributes))


def session_class(base: type[SessionBase], layout: SessionLayout, number: int) -> type[Any]:
    """The class of the sessions of one kind: `base` and the slots of a layout, all None at first.

    Its `again` is the class of those that need an `ordinal`.
    """
    targets = "".join(f"self.{attribute} = " for attribute in layout.attributes)
    source = _CLASS.format(
        slots=layout.attributes, number=number, own=_OWN[base], attributes=f"{targets}None" if targets else "pass"
    )
    namespace: dict[str, Any] = {"Base": base, "__name__": __name__}
    exec(source, namespace)
    made: type[Any] = namespace["Session"]
    made.again = namespace["Again"]
    return made
