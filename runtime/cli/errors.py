"""How the command line ends: exit codes, and errors as messages, never as tracebacks.

0 fine, 1 findings or failures, 2 usage or crash.
"""

from __future__ import annotations

from typing import Any, NoReturn

import click

FINDINGS = 1
USAGE = 2


class Usage(click.ClickException):
    """Ends a command with a message on stderr and exit code 2."""

    exit_code = USAGE


def fail(message: str) -> NoReturn:
    """Ends the command with a message on stderr and exit code 2."""
    raise Usage(message)


class Sojourn(click.Group):
    """The command group; turns what commands raise into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            # click ends quietly when whoever read our output went away.
            raise
        except Exception as error:
            # Here, since it loads the errors of all parts of Sojourn, and few commands end with one.
            from runtime.cli.failures import end_with

            end_with(error, ctx)
