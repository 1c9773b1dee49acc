"""What came of a reload: for whoever asked for it, for the page, and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from epl import Diagnostic
from epl.diagnostics import as_data, as_text
from runtime.plan import Plan
from runtime.protocol import reload_answers


class Result(StrEnum):
    """In a word. After all but the first two the rules that ran before run on."""

    RELOADED = "reloaded"
    UNCHANGED = "unchanged"
    BAD_RULES = "bad_rules"
    REFUSED = "refused"
    FAILED = "failed"


class Trigger(StrEnum):
    """Who asked."""

    API = "api"
    FILE = "file"
    SIGNAL = "signal"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt. `version` is what runs after it, and `wanted` what was to run, where that has a number.

    `reason` is why it came to nothing, in words; `diagnostics` are problems of the rules, also such as do not stop
    them. `pause_ms` is how long no event of any tenant was processed for it.
    """

    result: Result
    trigger: Trigger
    at_ms: int
    version: int | None
    wanted: int | None = None
    reason: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    plan: Plan | None = None
    sessions: int = 0
    dropped_sessions: int = 0
    pause_ms: float | None = None

    @property
    def is_done(self) -> bool:
        """True when what was wanted runs."""
        return self.result in (Result.RELOADED, Result.UNCHANGED)

    def data(self) -> reload_answers.Outcome:
        """The same for machines."""
        return {
            "result": self.result.value,
            "trigger": self.trigger.value,
            "at_ms": self.at_ms,
            "version": self.version,
            "wanted": self.wanted,
            "reason": self.reason,
            "diagnostics": diagnostics_data(self.diagnostics),
            "plan": None if self.plan is None else cast("reload_answers.Plan", self.plan.data()),
            "sessions": self.sessions,
            "dropped_sessions": self.dropped_sessions,
            "pause_ms": None if self.pause_ms is None else round(self.pause_ms, 1),
        }


def diagnostics_data(diagnostics: Iterable[Diagnostic]) -> list[reload_answers.Diagnostic]:
    """Problems as `sojourn lint --format json` gives them, and with the text that it prints."""
    found = [{**as_data(each), "excerpt": as_text(each)} for each in diagnostics]
    return cast("list[reload_answers.Diagnostic]", found)
