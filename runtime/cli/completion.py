"""`sojourn completion`: shell completion, as one line to evaluate."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_EPILOG = """\b
Examples:
  eval "$(sojourn completion bash)"                                     this shell
  sojourn completion zsh > "${fpath[1]}/_sojourn"                       every zsh
  sojourn completion fish > ~/.config/fish/completions/sojourn.fish     every fish"""


@click.command("completion", epilog=_EPILOG, short_help="Print the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL."""
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root()
    click.echo(found(root.command, {}, "sojourn", "_SOJOURN_COMPLETE").source())
