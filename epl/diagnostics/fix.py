"""What mends a diagnostic: edits of the text that are safe to make without asking.

Safe means that the rules mean the same afterwards, or what they were plainly meant to. A guess, such as "did you
mean", is a hint and no fix.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from epl.source import Span


class Edit(Struct, frozen=True):
    """The text of a span is replaced; an empty span inserts."""

    span: Span
    text: str


class Fix(Struct, frozen=True):
    """Edits that belong together: all of them are made, or none. `description` says what they do, as an order."""

    description: str
    edits: tuple[Edit, ...]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text after edits that do not overlap; of two at one place, the earlier one in the list stands first."""
    parts = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        parts += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join((*parts, text[at:]))
