"""How the command line ends: exit codes, and errors as messages, never as tracebacks.

0 fine, 1 findings or failures, 2 usage or crash.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from epl import Diagnostic, InvalidInput
from epl.diagnostics import segments
from runtime.io import SinkClosed, SinkError, SourceError
from runtime.parallel.errors import WorkerFailed
from runtime.snapshot import SnapshotError

FINDINGS = 1
USAGE = 2
_STYLES = {"error": "bold red", "warning": "bold yellow", "hint": "bold cyan", "gutter": "blue", "bold": "bold"}


def show(diagnostics: Iterable[Diagnostic], console: Console) -> None:
    """Prints diagnostics with their excerpts, a blank line between them."""
    for number, diagnostic in enumerate(diagnostics):
        if number:
            console.print()
        text = Text()
        for piece, style in segments(diagnostic):
            text.append(piece, _STYLES.get(style, ""))
        console.print(text, end="", soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Ends the command with a message on stderr and exit code 2."""
    raise _Usage(message)


class _Usage(click.ClickException):
    exit_code = USAGE


class Sojourn(click.Group):
    """The command group; turns what commands raise into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            show(error.diagnostics, Console(stderr=True, highlight=False))
            ctx.exit(FINDINGS)
        except SinkClosed:
            # Whoever read our output went away (`| head`): nothing is wrong.
            ctx.exit(0)
        except (SourceError, SinkError, SnapshotError, WorkerFailed) as error:
            raise _Usage(str(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            # click ends quietly when whoever read our output went away.
            raise
        except Exception as error:
            if os.environ.get("SOJOURN_TRACEBACK"):
                traceback.print_exc(file=sys.stderr)
            message = (
                f"internal error: {type(error).__name__}: {error}\n"
                "This is a defect of Sojourn. Run again with SOJOURN_TRACEBACK=1 and report what it prints."
            )
            raise _Usage(message) from error
