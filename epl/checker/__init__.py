"""Checks names, types, stages and annotations; makes the typed program."""

from epl.checker.statements import Checked, check

__all__ = ["Checked", "check"]
