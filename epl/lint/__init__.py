"""Warnings beyond the errors: rules that look at a checked rule set."""

from epl.lint.context import LintContext, Surroundings
from epl.lint.errors import ERROR_FIXES, with_fixes
from epl.lint.model import Finding, LintRule
from epl.lint.program import lint_program
from epl.lint.rules import LINT_CODES, RULES

__all__ = [
    "ERROR_FIXES",
    "LINT_CODES",
    "RULES",
    "Finding",
    "LintContext",
    "LintRule",
    "Surroundings",
    "lint_program",
    "with_fixes",
]
