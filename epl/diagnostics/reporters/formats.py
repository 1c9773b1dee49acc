"""All formats for machines."""

from __future__ import annotations

from epl.diagnostics.reporters.base import Reporter
from epl.diagnostics.reporters.github import GithubReporter
from epl.diagnostics.reporters.junit import JunitReporter
from epl.diagnostics.reporters.plain import CompactReporter, JsonReporter
from epl.diagnostics.reporters.sarif import SarifReporter

REPORTERS: tuple[Reporter, ...] = (
    CompactReporter(),
    JsonReporter(),
    SarifReporter(),
    GithubReporter(),
    JunitReporter(),
)
"""The formats in the order in which the command line offers them."""


def reporter_named(name: str) -> Reporter:
    """The reporter of a format. Raises StopIteration when there is none."""
    return next(reporter for reporter in REPORTERS if reporter.name == name)
