"""All lint rules, in the order of their modules."""

from __future__ import annotations

from epl.diagnostics import Code
from epl.lint.collisions import COLLISION_RULES
from epl.lint.columns import COLUMN_RULES
from epl.lint.cost import COST_RULES
from epl.lint.markers import MARKER_RULES
from epl.lint.migration import MIGRATION_RULES
from epl.lint.model import LintRule
from epl.lint.never_true import NEVER_TRUE_RULES
from epl.lint.nulls import NULL_RULES
from epl.lint.numbers import NUMBER_RULES
from epl.lint.patterns import PATTERN_RULES
from epl.lint.reads import READ_RULES
from epl.lint.state import STATE_RULES
from epl.lint.statements import STATEMENT_RULES
from epl.lint.style import STYLE_RULES
from epl.lint.suppressions import UNUSED_NOQA
from epl.lint.unused import UNUSED_RULES

RULES: tuple[LintRule, ...] = (
    *NEVER_TRUE_RULES,
    *NULL_RULES,
    *NUMBER_RULES,
    *PATTERN_RULES,
    *COLLISION_RULES,
    *READ_RULES,
    *STATEMENT_RULES,
    *COLUMN_RULES,
    *MARKER_RULES,
    *COST_RULES,
    *STATE_RULES,
    *UNUSED_RULES,
    *STYLE_RULES,
    *MIGRATION_RULES,
)
"""Every rule that looks at a rule set."""

LINT_CODES: tuple[Code, ...] = tuple(sorted((*(rule.code for rule in RULES), UNUSED_NOQA), key=lambda code: code.id))
"""Every code that linting may report, by number; that of unused suppressions has no rule of its own."""
