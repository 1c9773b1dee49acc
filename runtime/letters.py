"""Dead letters of events that were refused, and of lines that are no events."""

from __future__ import annotations

from runtime.event import Refused
from runtime.io import DeadLetter


def source_label(name: str) -> str:
    """A source's name in a dead letter."""
    return "stdin" if name == "-" else name


def letter_of(refused: Refused, tenant: str, source: str) -> DeadLetter:
    """The dead letter of an event that was refused."""
    return DeadLetter(refused.reason, refused.code, tenant, source, refused.line, refused.raw)


def too_long_letter(tenant: str, source: str, line: int, size: int, head: bytes, limit: int) -> DeadLetter:
    """The dead letter of a line of `size` bytes."""
    reason = f"the line is {size:,} bytes long; the limit is {limit:,}"
    return DeadLetter(reason, "too_long", tenant, source, line, head, size)
