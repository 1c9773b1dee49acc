"""What a command says beside its output, made when there is something to say.

Rich takes 0.03 s to load, a tenth of a short replay, and most runs of a script say nothing.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class Stderr:
    """The standard error output of a command."""

    @cached_property
    def console(self) -> Console:
        """Writes to it; one for all, so that lines do not run into a progress bar."""
        from rich.console import Console  # not before there is something to say

        return Console(stderr=True, highlight=False)


def log_to(errors: Stderr) -> None:
    """Shows what the engine logs, such as a rule's first failure."""
    logging.basicConfig(format="%(message)s", handlers=[_Logged(errors)])


class _Logged(logging.Handler):
    """Shows records as rich does."""

    def __init__(self, errors: Stderr) -> None:
        super().__init__()
        self._errors = errors

    @cached_property
    def _handler(self) -> logging.Handler:
        from rich.logging import RichHandler  # not before there is something to say

        handler = RichHandler(console=self._errors.console, show_path=False, show_time=False)
        handler.setFormatter(self.formatter)
        return handler

    def emit(self, record: logging.LogRecord) -> None:
        """Shows one."""
        self._handler.emit(record)
