"""`sojourn lint --fix` and `--diff`: what can be mended without asking is mended, or shown."""

from __future__ import annotations

import io
from difflib import unified_diff
from pathlib import Path

import click
from rich.console import Console

from runtime.cli.errors import fail
from runtime.cli.excerpts import show
from runtime.config import LintConfig
from runtime.lint import Linted
from runtime.lint_fixes import Fixed, fixed

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def fix_files(paths: list[Path], settings: LintConfig) -> Linted:
    """Fixes files in place and says how many problems that were; what remains is for the caller to show."""
    result = fixed(paths, settings)
    for name, file in result.after.items():
        try:
            file.write()
        except OSError as error:
            fail(f"{name}: {error.strerror or error}")
    _say(result, "fixed")
    return result.linted


def show_diff(paths: list[Path], settings: LintConfig) -> bool:
    """Prints what fixing would change. True when it would change nothing, and nothing that fails would remain."""
    result = fixed(paths, settings)
    for name, after in result.after.items():
        before = result.before[name]
        # Not `splitlines`, which also splits at characters that begin no line in a file.
        lines = unified_diff(list(io.StringIO(before.text)), list(io.StringIO(after.text)), name, f"{name} (fixed)")
        for line in lines:
            ended = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            click.echo(click.style(ended, fg=_COLORS.get(line[0])), nl=False)
    errors = [found for found in result.linted.diagnostics if found.severity.value == "error"]
    show(errors, Console(stderr=True, highlight=False))
    _say(result, "would fix")
    return not result.after and not result.linted.failing


def _say(result: Fixed, verb: str) -> None:
    count, remaining = result.count, len(result.linted.diagnostics)
    first = f"{count} {verb}" if verb == "fixed" else f"{verb} {count}"
    click.echo(f"{first}, {remaining} {'remaining' if verb == 'fixed' else 'would remain'}", err=True)
    for refused in result.refused:
        place = refused.source.position(refused.span.start)
        click.echo(f"{refused.source.name}:{place.line}: {refused.code.id} not fixed: it would make an error", err=True)
    for name in sorted(result.linted.out_of_place):
        click.echo(f"{name}: not fixed: only rules in a literal block (`|`) stand in the file as they are", err=True)
