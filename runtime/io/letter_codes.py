"""The codes of dead letters, in one place: what refuses an event names one of them, and the pages tell what they mean.

A code is what scripts and dashboards count by, so none is ever renamed or used for something else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LetterCode:
    """One kind of refusal: what it means, and what to do before the events are replayed.

    `reason` is the text of a letter where it says no more than the code does; else whoever refuses writes one.
    """

    code: str
    meaning: str
    remedy: str
    reason: str = ""


CODES: tuple[LetterCode, ...] = (
    LetterCode(
        "bad_json",
        "The line is no JSON object, or its bytes are not UTF-8.",
        "Mend whatever writes the events; the letter says at which byte it went wrong.",
    ),
    LetterCode(
        "bad_type",
        "A field that rules read has a value that its declared type does not allow.",
        "Declare the field as it comes, or mend whatever writes it; then replay.",
    ),
    LetterCode(
        "too_long",
        "The line is longer than `limits.max_line`.",
        "Raise `limits.max_line` and read the source again: the letter holds only the head of the event.",
    ),
    LetterCode(
        "unknown_type",
        "No event type of this name is declared, and `unknown_events` is `dead_letter`.",
        "Declare the type, or pass unknown events on; then replay.",
        "no event type of this name is declared",
    ),
    LetterCode(
        "late",
        "The event is behind the watermark and outside its session, and `time.late` is `dead_letter`.",
        "Raise `time.allowed_lateness`; replayed alone, it makes a session of its own.",
        "it is behind the watermark, and its session has ended",
    ),
    LetterCode(
        "throttled",
        "The tenant had as many events in this second as `limits.rate` allows.",
        "Raise `limits.rate`, or find out who floods; then replay.",
        "the tenant has had as many events in this second as `limits.rate` allows",
    ),
    LetterCode(
        "failed",
        "The event failed in a way for which there is no rule: a defect of Sojourn, or of a module that rules import.",
        "Report the reason; replay when it is mended.",
    ),
    LetterCode(
        "unknown_tenant",
        "Of several tenants, none has the name that the event gives, or it gives none.",
        "Add the tenant, or name the right field with `--tenant-field`; then replay.",
    ),
    LetterCode(
        "disabled",
        "The tenant was switched off after a defect of Sojourn; its other events wait here.",
        "Report the defect that the reason names; once it is mended, replay.",
    ),
)
"""All codes, in the order in which an event meets them."""

REASONS: dict[str, str] = {each.code: each.reason for each in CODES if each.reason}
"""The texts of those refusals that are always the same."""
