"""Dead letters: the fields of one, and what each code means."""

from __future__ import annotations

from runtime.io import CODES, RAW_LIMIT_BYTES
from runtime.reference.markdown import code, page, table

_LEAD = (
    "An event that cannot be used is a dead letter: it is written to `--dead-letters FILE` with the reason, and the "
    "stream goes on. `sojourn dlq ls` and `show` look at them; once rules or events are mended, `sojourn dlq replay` "
    "takes them through again."
)
_FIELDS = (
    ("reason", "Why, in words; a place in the event is named as `$.field`, or by its byte."),
    ("code", "The kind of reason, one of those below."),
    ("tenant", "Whose event it is; empty when nobody knows."),
    ("source", "The file that it came from, or `stdin`."),
    ("line", "Its line there, from 1."),
    ("raw", "The event as it came, when it is UTF-8."),
    ("raw_base64", "The event as it came, when it is not."),
    ("raw_bytes", f"Only when the event is cut, to {RAW_LIMIT_BYTES // 1024} KiB or less: its whole length."),
)


def dead_letters_page() -> str:
    """The page of dead letters."""
    return page(
        "Dead letters",
        _LEAD,
        "## Fields",
        table(("field", "meaning"), [(code(name), meaning) for name, meaning in _FIELDS]),
        "## Codes",
        table(("code", "meaning", "what to do"), [(code(each.code), each.meaning, each.remedy) for each in CODES]),
    )
