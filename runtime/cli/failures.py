"""The errors that a command may end with, and what is said of each; loaded when one does."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

import click
from rich.console import Console

from epl import InvalidInput
from runtime.cli.errors import FINDINGS, Usage
from runtime.cli.excerpts import show
from runtime.io import SinkClosed, SinkError, SourceError
from runtime.parallel.errors import WorkerFailed
from runtime.snapshot import SnapshotError


def end_with(error: Exception, ctx: click.Context) -> NoReturn:
    """Ends a command because of an error; called while it is handled."""
    match error:
        case InvalidInput():
            show(error.diagnostics, Console(stderr=True, highlight=False))
            ctx.exit(FINDINGS)
        case SinkClosed():
            # Whoever read our output went away (`| head`): nothing is wrong.
            ctx.exit(0)
        case SourceError() | SinkError() | SnapshotError() | WorkerFailed():
            raise Usage(str(error)) from error
    if os.environ.get("SOJOURN_TRACEBACK"):
        traceback.print_exc(file=sys.stderr)
    message = (
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a defect of Sojourn. Run again with SOJOURN_TRACEBACK=1 and report what it prints."
    )
    raise Usage(message) from error
