"""`sojourn lint`: the problems of rules, as a compiler reports them."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from epl.diagnostics import as_data
from runtime.cli.errors import FINDINGS, fail, show
from runtime.lint import Linted, NothingToLint, lint

_EPILOG = """\b
Examples:
  sojourn lint                         every tenant and rule file below this folder
  sojourn lint profiles/pulsar         one tenant
  sojourn lint rules.epl               one file that declares its events by `create schema`
  sojourn lint --format json | jq .    for machines

\b
Exit codes: 0 no problems, 1 problems, 2 nothing to check."""


@click.command("lint", epilog=_EPILOG, short_help="Check rules and configurations.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or machines.",
)
def lint_command(paths: tuple[Path, ...], format_: str) -> None:
    """Check the rules of tenants, folders of tenants, and single .epl files.

    All problems of all files are reported in one run. PATHS defaults to the current folder.
    """
    try:
        linted = lint(list(paths) or [Path()])
    except NothingToLint as error:
        fail(str(error))
    if format_ == "json":
        click.echo(json.dumps([as_data(found) for found in linted.diagnostics], indent=2))
    else:
        console = Console(highlight=False)
        show(linted.diagnostics, console)
        if linted.diagnostics:
            console.print()
        console.print(_summary(linted))
    if linted.diagnostics:
        raise SystemExit(FINDINGS)


def _summary(linted: Linted) -> str:
    files = f"{linted.files} file{'' if linted.files == 1 else 's'}"
    if not linted.diagnostics:
        return f"[bold green]✓[/] {files}, no problems"
    errors = f"{linted.errors} error{'' if linted.errors == 1 else 's'}"
    warnings = f"{linted.warnings} warning{'' if linted.warnings == 1 else 's'}"
    return f"[bold red]✗[/] {files}: {errors}, {warnings}"
