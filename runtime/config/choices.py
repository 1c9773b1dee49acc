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


class TimePolicy(StrEnum):
    """What ends a session: its own inactivity, or the rules of OpenReplay's session ender, in two versions."""

    GAP = "gap"
    ENDER = "ender"
    ENDER_2022 = "ender-2022"


class Start(StrEnum):
    """Where to begin in a stream of which nothing was read yet."""

    EARLIEST = "earliest"
    LATEST = "latest"


class StoreKind(StrEnum):
    """Where sessions are kept beyond this process."""

    NONE = "none"
    EMBEDDED = "embedded"
    VALKEY = "valkey"


class LintSeverity(StrEnum):
    """The least that linting reports."""

    ERROR = "error"
    WARNING = "warning"


class Sync(StrEnum):
    """When the log of a tenant is on the disk, and not only in the system's memory."""

    EACH_BATCH = "each_batch"
    EACH_SECOND = "each_second"
