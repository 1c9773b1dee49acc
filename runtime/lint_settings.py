"""What linting reports: the command line over `sessionizer.yaml` over `sojourn.toml` over the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from epl import Diagnostic, Severity
from epl.diagnostics import Code
from runtime.config import LintConfig, LintSeverity

DEFAULT_SELECT = ("E", "W6", "W7")
"""Errors, correctness and cost; style (W8) and migration (W9) are for those who ask."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which diagnostics count: all errors, and the warnings whose code begins with one of `select`, none of `ignore`.

    `strict`: warnings that count are a failure, as errors always are.
    """

    select: tuple[str, ...] = DEFAULT_SELECT
    ignore: tuple[str, ...] = ()
    errors_only: bool = False
    strict: bool = False

    @classmethod
    def of(cls, *settings: LintConfig) -> Selection:
        """What settings say, each one over those behind it."""
        select = next((each.select for each in settings if each.select is not None), DEFAULT_SELECT)
        ignore = next((each.ignore for each in settings if each.ignore is not None), ())
        severity = next((each.severity for each in settings if each.severity is not None), None)
        strict = next((each.strict for each in settings if each.strict is not None), False)
        return cls(select, ignore, severity is LintSeverity.ERROR, strict)

    def takes(self, diagnostic: Diagnostic) -> bool:
        """True when a diagnostic counts."""
        return self.takes_code(diagnostic.code)

    def takes_code(self, code: Code) -> bool:
        """True when the diagnostics of a code count."""
        if code.severity is Severity.ERROR:
            return True
        return not self.errors_only and code.id.startswith(self.select) and not code.id.startswith(self.ignore)
