"""A command with subcommands: `sojourn bench PROFILE EVENTS` beside `sojourn bench cache`."""

from __future__ import annotations

from typing import Any

import click


class CommandGroup(click.Group):
    """A group that is a command of its own as well, with arguments, when the first word names no subcommand.

    A file or folder of a subcommand's name is written `./name`.
    """

    # As commands have it: options may follow arguments, and nothing may be left over.
    allow_extra_args = False
    allow_interspersed_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the command's own arguments, or leaves those of a subcommand to it."""
        if args and args[0] in self.commands:
            ctx.args = args
            return args
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command itself, or the subcommand."""
        if not ctx.args:
            return click.Command.invoke(self, ctx)
        name, command, rest = self.resolve_command(ctx, ctx.args)
        assert command is not None
        ctx.invoked_subcommand = name
        with command.make_context(name, rest, parent=ctx) as inner:
            return inner.command.invoke(inner)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own; a subcommand's usage line, which asks as well, has none of them in it."""
        return super().get_params(ctx) if ctx.command is self else []

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The command's own; subcommands are listed further down."""
        return click.Command.collect_usage_pieces(self, ctx)
