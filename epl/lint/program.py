"""Linting one rule set: all rules over it, less what its comments suppress."""

from __future__ import annotations

from epl.diagnostics import Diagnostic, Problems
from epl.lint.context import LintContext
from epl.lint.rules import RULES
from epl.lint.suppressions import suppressed


def lint_program(context: LintContext) -> list[Diagnostic]:
    """The warnings of every family, in the order of their places; which of them to show is the caller's choice."""
    problems = Problems(context.source)
    for rule in RULES:
        if rule.whole and not context.complete:
            continue
        for finding in rule.check(context):
            problems.add(rule.code, finding.span, hint=finding.hint, **finding.fields)
    kept, unused = suppressed(context, problems)
    # Where rules could not look, a comment may well be about what they would have found.
    reported = [*kept, *unused] if context.complete else kept
    return sorted(reported, key=lambda found: (found.span.start, found.code.id))
