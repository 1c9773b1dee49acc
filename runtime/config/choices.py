"""The words that some keys choose between, as enums, so that no code compares strings."""

from __future__ import annotations

from enum import StrEnum


class UnknownEvents(StrEnum):
    """What happens to an event of a type that nobody declared."""

    PASS = "pass"
    DEAD_LETTER = "dead_letter"


class TimeDomain(StrEnum):
    """Which clock `now` comes from: the wall clock, or the events' own times."""

    PROCESSING = "processing"
    EVENT = "event"


class Late(StrEnum):
    """What happens to an event that is behind the watermark and outside its session."""

    EXTEND = "extend"
    NEW = "new"
    DROP = "drop"
    DEAD_LETTER = "dead_letter"


class StoreKind(StrEnum):
    """Where sessions are kept beyond this process."""

    NONE = "none"
    EMBEDDED = "embedded"
    VALKEY = "valkey"
