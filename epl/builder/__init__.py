"""From Lark's trees to our nodes. One method a grammar rule; a rule without one is a defect, not a silent tree."""

from epl.builder.statements import Builder

__all__ = ["Builder"]
