"""`sojourn lint`: the problems of rules, as a compiler reports them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from epl.diagnostics.reporters import REPORTERS, reporter_named
from runtime.cli.errors import FINDINGS, fail
from runtime.cli.excerpts import show
from runtime.cli.lint_fix import fix_files, show_diff
from runtime.cli.lint_options import settings_of
from runtime.cli.lint_watch import watch as watch_files
from runtime.config import LintConfig
from runtime.lint import Linted, NothingToLint, lint
from runtime.lint_settings import DEFAULT_SELECT

_EPILOG = """\b
Examples:
  sojourn lint                         every tenant and rule file below this folder
  sojourn lint profiles/pulsar         one tenant
  sojourn lint rules.epl               one file that declares its events by `create schema`
  sojourn lint --select E,W --strict   all warnings, and they count as problems
  sojourn lint --diff                  what --fix would change
  sojourn lint --fix profiles          mend what can be mended without asking
  sojourn lint --watch profiles        again whenever a file changes
  sojourn lint --explain W601          what a code means
  sojourn lint --format json | jq .    for machines

\b
Families: E errors, W6 correctness, W7 cost, W8 style, W9 what differs from Pulsar's sessionizer.
In a rule file, `// noqa: W601 reason` on a line of a statement or above it suppresses a code there.

\b
Settings: the `lint` section of a tenant's sessionizer.yaml, or `[lint]` of a sojourn.toml in a folder
above (up to the one with .git), for instance
  [lint]
  select = ["W6", "W7", "W8"]
  ignore = ["W806"]
  strict = true
The command line goes before sessionizer.yaml, and that before sojourn.toml.

\b
Exit codes: 0 nothing that fails, 1 errors (or warnings, with --strict) or a --diff that is not empty,
2 usage. --watch ends with that of its last result."""

_TEXT = "text"


@click.command("lint", epilog=_EPILOG, short_help="Check rules and configurations.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    help=f"Codes to report beside errors [default: {','.join(DEFAULT_SELECT)}].",
)
@click.option("--ignore", multiple=True, metavar="CODES", help="Codes to leave out, such as W7 or W601,W702.")
@click.option("--severity", type=click.Choice(["error", "warning"]), help="The least to report [default: warning].")
@click.option("--strict/--no-strict", default=None, help="Warnings end with exit code 1, too.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without asking; report the rest.")
@click.option("--diff", is_flag=True, help="Change no file; show what --fix would change, and exit 1 if anything.")
@click.option("--watch", is_flag=True, help="Lint again whenever a file changes, until Ctrl-C.")
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
    severity: str | None,
    strict: bool | None,
    fix: bool,
    diff: bool,
    watch: bool,
    format_: str,
    statistics: bool,
    explain: str | None,
) -> None:
    """Check the rules of tenants, folders of tenants, and single .epl files.

    All problems of all files are reported in one run, and errors always are. PATHS defaults to the current folder.
    CODES are codes or the beginnings of codes, with commas between them.
    """
    console = Console(highlight=False)
    if explain is not None:
        # Here, since pages are coloured by a library that nothing else needs.
        from runtime.cli.pages import pages_named, show_pages
        from runtime.cli.rule import code_pages

        show_pages(pages_named(code_pages(), [explain], "code"), console)
        return
    if statistics and format_ not in (_TEXT, "json"):
        fail(f"--statistics comes as text or json, not as {format_}")
    if fix + diff + watch > 1:
        fail("--fix, --diff and --watch do not go together")
    if (diff or watch) and (statistics or format_ != _TEXT):
        fail(f"{'--diff' if diff else '--watch'} is for people: it goes with no format and no statistics")
    settings = settings_of(select, ignore, severity, strict)
    places = list(paths) or [Path()]
    try:
        if diff:
            fine = show_diff(places, settings)
        elif watch:
            fine = watch_files(places, lambda: _lint_again(places, settings, console), console)
        else:
            linted = fix_files(places, settings) if fix else lint(places, settings)
            _show(linted, format_, statistics, console)
            fine = not linted.failing
    except NothingToLint as error:
        fail(str(error))
    if not fine:
        raise SystemExit(FINDINGS)


def _lint_again(paths: list[Path], settings: LintConfig, console: Console) -> bool:
    """One result of `--watch`; files that are away for a moment end nothing."""
    try:
        linted = lint(paths, settings)
    except NothingToLint as error:
        console.print(str(error), markup=False)
        return False
    _show(linted, _TEXT, False, console)
    return not linted.failing


def _show(linted: Linted, format_: str, statistics: bool, console: Console) -> None:
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


def _summary(linted: Linted) -> str:
    files = f"{linted.files} file{'' if linted.files == 1 else 's'}"
    if not linted.diagnostics:
        return f"[bold green]✓[/] {files}, no problems"
    errors = f"{linted.errors} error{'' if linted.errors == 1 else 's'}"
    warnings = f"{linted.warnings} warning{'' if linted.warnings == 1 else 's'}"
    sign = "[bold red]✗[/]" if linted.errors else "[bold yellow]![/]"
    fixable = f"; {linted.fixable} fixable with --fix" if linted.fixable else ""
    return f"{sign} {files}: {errors}, {warnings}{fixable}"


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
