"""The command `sojourn`."""

from runtime.cli.main import main

__all__ = ["main"]
