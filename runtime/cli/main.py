"""The command line: one module a command, gathered here and loaded when it is called."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from runtime.cli.errors import Sojourn

_EPILOG = """\b
Start here:
  sojourn generate shop --out shop.ndjson      made-up events
  sojourn replay examples/shop shop.ndjson     rules over them
  sojourn lint examples/shop                   the rules, checked
  sojourn function coalesce                    what rules can call, explained"""


_COMMANDS = {
    "annotation": "annotation:annotation_command",
    "bench": "bench:bench_command",
    "cache": "cache:cache",
    "completion": "completion:completion_command",
    "dlq": "dlq:dlq",
    "explain": "explain:explain_command",
    "fmt": "fmt:fmt_command",
    "function": "function:function_command",
    "generate": "generate:generate",
    "lint": "lint:lint_command",
    "plan": "plan:plan_command",
    "profiles": "profiles:profiles_command",
    "reference": "reference:reference_command",
    "replay": "replay:replay_command",
    "rule": "rule:rule_command",
    "serve": "serve:serve_command",
    "tap": "tap:tap_command",
    "top": "top:top_command",
}
"""Module and name of each command."""


class _Commands(Sojourn):
    """A command needs its own modules only: all together take longer to load than a small file to replay."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, loaded when it is asked for first."""
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            module, name = _COMMANDS[cmd_name].split(":")
            with _loading():
                self.add_command(getattr(import_module(f"runtime.cli.{module}"), name))
        return super().get_command(ctx, cmd_name)


@contextmanager
def _loading() -> Iterator[None]:
    """Within: modules are loaded, and nobody looks for garbage among what they make, now or later.

    It stays as long as the process, and looking through it again and again takes a twentieth of a short command.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sojourn", message="sojourn %(version)s")
def main() -> None:
    """Event streams into sessions, by rules."""
