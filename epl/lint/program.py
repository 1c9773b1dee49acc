"""Linting one rule set: all rules over it, less what its comments suppress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from epl.diagnostics import Code, Diagnostic, Problems
from epl.lint.context import LintContext
from epl.lint.rules import RULES
from epl.lint.suppressions import suppressed


def lint_program(context: LintContext, fixable: Callable[[Code], bool] = lambda _: True) -> list[Diagnostic]:
    """The warnings of every family, in the order of their places; which of them to show is the caller's choice.

    Fixes that take a while to prove are only looked for where a code is `fixable`.
    """
    problems = Problems(context.source)
    for rule in RULES:
        if rule.whole and not context.complete:
            continue
        for finding in rule.check(replace(context, fixes=fixable(rule.code))):
            problems.add_fixable(rule.code, finding.span, finding.fields, finding.hint, finding.fix)
    kept, unused = suppressed(context, problems, frozenset(rule.code.id for rule in RULES))
    # Where rules could not look, a comment may well be about what they would have found.
    reported = [*kept, *unused] if context.complete else kept
    return sorted(reported, key=lambda found: (found.span.start, found.code.id))
