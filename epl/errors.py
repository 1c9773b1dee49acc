"""What a rule may raise while it runs."""


class RuleError(Exception):
    """A rule that cannot give a value for this event: its statement yields no row (engine.md §7 in the design)."""
