"""What leaves one tenant's engine: gathered as lines, handed on, and refused while nobody takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from runtime.output import LineOutput
from runtime.service.delivery import Delivery
from runtime.service.numbered import Numbered

RECENT = 100


class Ended(NamedTuple):
    """An end marker that left, and when."""

    at_ms: int
    fields: dict[str, Any]


class Outlet(LineOutput):
    """The `Output` of a tenant. `recent` holds the end markers that left last, newest first.

    `is_open` says whether it takes end markers. It is set before each operation and holds to its end, so that the same
    operation comes to the same when it is done again.
    """

    def __init__(self, deliveries: Sequence[Delivery], *, wants_events: bool) -> None:
        super().__init__(wants_events=wants_events)
        self.deliveries = deliveries
        self.sequence = Numbered(deliveries)
        self.recent: deque[Ended] = deque(maxlen=RECENT)
        self.is_open = True
        self.noted_by: Callable[[Sequence[bytes]], None] | None = None
        """Who else is told of lines that leave; nobody while they come again after a restart."""

    @property
    def lines_out(self) -> int:
        """Lines so far, since the tenant began."""
        return self.sequence.number

    @property
    def is_ready(self) -> bool:
        """False while a delivery is stuck."""
        return all(delivery.is_ready for delivery in self.deliveries)

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """Takes an end marker, unless a delivery is stuck: then the engine keeps the session and tries again."""
        if not self.is_open:
            return False
        self.recent.appendleft(Ended(now_ms, fields))
        return super().end_marker(fields, now_ms)

    def flush(self) -> None:
        """Hands on what has gathered."""
        lines = self.take()
        if lines:
            self.sequence.give(lines)
            if self.noted_by is not None:
                self.noted_by(lines)
