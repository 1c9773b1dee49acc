"""Where a rule set runs, and what is known there."""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """The value is how messages name the stage."""

    CONTROLLER = "the controller (stage 1)"
    MAIN = "the rules of a profile"
    SUB = "the rules of a sub-session"
