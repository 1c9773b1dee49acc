"""`sojourn lint`: the problems of rules, as a compiler reports them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from textwrap import indent
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from epl.diagnostics import Code, did_you_mean
from epl.diagnostics.reporters import REPORTERS, reporter_named
from runtime.cli.errors import FINDINGS, fail, show
from runtime.lint import CODES, DEFAULT_SELECT, Linted, NothingToLint, Selection, lint

_EPILOG = """\b
Examples:
  sojourn lint                         every tenant and rule file below this folder
  sojourn lint profiles/pulsar         one tenant
  sojourn lint rules.epl               one file that declares its events by `create schema`
  sojourn lint --select E,W --strict   all warnings, and they count as problems
  sojourn lint --explain W601          what a code means
  sojourn lint --format json | jq .    for machines

\b
Families: E errors, W6 correctness, W7 cost, W8 style, W9 what differs from Pulsar's sessionizer.
In a rule file, `// noqa: W601 reason` on a line of a statement or above it suppresses a code there.

\b
Exit codes: 0 no errors, 1 errors (or warnings, with --strict), 2 nothing to check."""

_TEXT = "text"


@click.command("lint", epilog=_EPILOG, short_help="Check rules and configurations.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--select", multiple=True, metavar="CODES", help=f"Codes to report [default: {','.join(DEFAULT_SELECT)}]."
)
@click.option("--ignore", multiple=True, metavar="CODES", help="Codes to leave out, such as W7 or W601,W702.")
@click.option("--severity", type=click.Choice(["error", "warning"]), default="warning", help="The least to report.")
@click.option("--strict", is_flag=True, help="Warnings end with exit code 1, too.")
@click.option(
    "--format",
    "format_",
    type=click.Choice([_TEXT, *(reporter.name for reporter in REPORTERS)]),
    default=_TEXT,
    show_default=True,
    help="For people or machines.",
)
@click.option("--statistics", is_flag=True, help="Count by code instead of listing (text and json).")
@click.option("--explain", metavar="CODE", help="Say what a code means, and stop.")
def lint_command(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: str,
    strict: bool,
    format_: str,
    statistics: bool,
    explain: str | None,
) -> None:
    """Check the rules of tenants, folders of tenants, and single .epl files.

    All problems of all files are reported in one run. PATHS defaults to the current folder. CODES are codes or the
    beginnings of codes, with commas between them.
    """
    console = Console(highlight=False)
    if explain is not None:
        _explain(explain, console)
        return
    if statistics and format_ not in (_TEXT, "json"):
        fail(f"--statistics comes as text or json, not as {format_}")
    selection = Selection(_prefixes(select) or DEFAULT_SELECT, _prefixes(ignore), severity == "error")
    try:
        linted = lint(list(paths) or [Path()], selection)
    except NothingToLint as error:
        fail(str(error))
    if statistics:
        _show_statistics(linted, format_, console)
    elif format_ != _TEXT:
        click.echo(reporter_named(format_).render(linted.diagnostics), nl=False)
    else:
        show(linted.diagnostics, console)
        if linted.diagnostics:
            console.print()
    if format_ == _TEXT:
        console.print(_summary(linted))
    if linted.errors or (strict and linted.warnings):
        raise SystemExit(FINDINGS)


def _prefixes(given: tuple[str, ...]) -> tuple[str, ...]:
    """Codes and beginnings of codes; one that no code has is a slip, and would quietly select nothing."""
    prefixes = tuple(part.strip().upper() for text in given for part in text.split(",") if part.strip())
    for prefix in prefixes:
        if not any(code.id.startswith(prefix) for code in CODES):
            _unknown_code(prefix)
    return prefixes


def _unknown_code(code: str) -> NoReturn:
    hint = did_you_mean(code, [known.id for known in CODES])
    fail(f"there is no code `{code}`" + (f": {hint}" if hint else ""))


def _summary(linted: Linted) -> str:
    files = f"{linted.files} file{'' if linted.files == 1 else 's'}"
    if not linted.diagnostics:
        return f"[bold green]✓[/] {files}, no problems"
    errors = f"{linted.errors} error{'' if linted.errors == 1 else 's'}"
    warnings = f"{linted.warnings} warning{'' if linted.warnings == 1 else 's'}"
    sign = "[bold red]✗[/]" if linted.errors else "[bold yellow]![/]"
    return f"{sign} {files}: {errors}, {warnings}"


def _show_statistics(linted: Linted, format_: str, console: Console) -> None:
    counts = Counter(found.code for found in linted.diagnostics)
    # The most frequent first; of equals, in the order of their codes.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0].id))
    if format_ == "json":
        rows = [{"code": code.id, "title": code.title, "count": count} for code, count in ranked]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    for code, count in ranked:
        table.add_row(str(count), code.id, code.title)
    if ranked:
        console.print(table)
        console.print()


def _explain(wanted: str, console: Console) -> None:
    """The page of a code: what, why, a bad and a good example."""
    code = next((known for known in CODES if known.id == wanted.strip().upper()), None)
    if code is None:
        _unknown_code(wanted)
    console.print(Text.assemble((f"{code.id} ", _colour(code)), (code.title, "bold")))
    console.print()
    console.print(Text(code.why))
    if code.advice is not None:
        console.print(Text.assemble(("hint: ", "bold cyan"), code.advice))
    for heading, example in (("Instead of", code.bad), ("write", code.good)):
        console.print()
        console.print(Text(heading, "bold"))
        console.print()
        console.print(Text(indent(example.rstrip("\n"), "    ")), soft_wrap=True)


def _colour(code: Code) -> str:
    return f"bold {'red' if code.severity.value == 'error' else 'yellow'}"
