"""Diagnostics as the formats that machines read."""

from epl.diagnostics.reporters.base import Reporter
from epl.diagnostics.reporters.formats import REPORTERS, reporter_named

__all__ = ["REPORTERS", "Reporter", "reporter_named"]
