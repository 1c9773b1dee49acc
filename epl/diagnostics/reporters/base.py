"""What every format of diagnostics has in common: the one interface, and how files and messages are given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import PurePath

from epl.diagnostics.model import Diagnostic


class Reporter(ABC):
    """Diagnostics as one text, which ends with a line break unless it is empty."""

    name: str
    """What the command line calls it."""

    @abstractmethod
    def render(self, found: Sequence[Diagnostic]) -> str:
        """The text."""


def file_of(diagnostic: Diagnostic) -> str:
    """The file of a diagnostic with `/`; rules within a YAML file are named by a part behind `#`, which goes."""
    return PurePath(diagnostic.source.name.partition("#")[0]).as_posix()


def full_message(diagnostic: Diagnostic) -> str:
    """The message, and the hint if there is one."""
    return diagnostic.message if diagnostic.hint is None else f"{diagnostic.message} ({diagnostic.hint})"
