"""`sojourn fmt`: rule files in one style, so that nobody argues about it and a diff shows what changed."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click
from rich.console import Console

from epl import InvalidInput, Source
from epl.formatter import format_source
from runtime.cli.errors import FINDINGS, fail
from runtime.cli.excerpts import show

_EPILOG = """\b
Examples:
  sojourn fmt                    every .epl file below this folder
  sojourn fmt profiles/pulsar    those of one folder
  sojourn fmt --check --diff     change nothing, show what would change (for CI)
  sojourn fmt - < rules.epl      from stdin to stdout (for editors)

\b
Exit codes: 0 fine, 1 a file would change under --check or --diff, or does not parse,
2 a path that is not there."""

_STDIN = Path("-")
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@click.command("fmt", epilog=_EPILOG, short_help="Rewrite rules in the canonical style.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Change no file; exit 1 if one would change.")
@click.option("--diff", is_flag=True, help="Change no file; show what would change, and exit 1 if anything would.")
def fmt_command(paths: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Rewrite rule files in the canonical style. Comments stay, and so does what the rules mean.

    PATHS are files, folders or - for stdin, and default to the current folder. Files that do not parse are reported
    and left alone.
    """
    missing = [path for path in paths if path != _STDIN and not path.exists()]
    if missing:
        fail(f"{missing[0]}: there is no such file or folder")
    run = _Run(writes=not check and not diff, lists=check and not diff, diffs=diff)
    for path in _files(paths or (Path(),)):
        run.format(path)
    if paths != (_STDIN,) or not run.writes:
        click.echo(run.summary(), err=True)
    if run.failed or (run.changed and not run.writes):
        raise SystemExit(FINDINGS)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The rule files of the paths, each once; hidden folders are not searched."""
    seen = set()
    for path in paths:
        for file in _found(path) if path.is_dir() else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _found(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*.epl")):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts):
            yield file


@dataclass(slots=True)
class _Run:
    """Formats files one by one and counts what became of them."""

    writes: bool
    lists: bool
    diffs: bool
    changed: int = 0
    unchanged: int = 0
    failed: int = 0

    def format(self, path: Path) -> None:
        """Formats a file, or stdin."""
        name = "<stdin>" if path == _STDIN else str(path)
        try:
            before = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
            text = format_source(Source(name, before.decode("utf-8-sig").replace("\r\n", "\n")))
        except InvalidInput as error:
            self.failed += 1
            show(error.diagnostics, Console(stderr=True, highlight=False))
            return
        except UnicodeDecodeError as error:
            self.failed += 1
            click.echo(f"{name}: it is not UTF-8 (byte {error.start})", err=True)
            return
        except OSError as error:
            fail(f"{name}: {error.strerror or error}")
        after = text.encode()
        if self.writes and path == _STDIN:
            click.echo(text, nl=False)
        if before == after:
            self.unchanged += 1
            return
        self.changed += 1
        if self.diffs:
            _show_diff(name, before.decode(), text)
        elif self.lists:
            click.echo(f"would reformat {name}")
        elif path != _STDIN:
            _replace(path, after)

    def summary(self) -> str:
        """One line about the whole run."""
        verb = "reformatted" if self.writes else "would reformat"
        files = f"{self.changed} file{'' if self.changed == 1 else 's'}"
        failed = f", {self.failed} not formatted" if self.failed else ""
        return f"{verb} {files}, {self.unchanged} unchanged{failed}"


def _show_diff(name: str, before: str, after: str) -> None:
    # Not `splitlines`, which also splits at characters that begin no line in a file.
    lines = unified_diff(list(io.StringIO(before)), list(io.StringIO(after)), name, f"{name} (formatted)")
    for line in lines:
        ended = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        click.echo(click.style(ended, fg=_COLORS.get(line[0])), nl=False)


def _replace(path: Path, data: bytes) -> None:
    """Gives a file new content at once: whoever reads it meanwhile sees the old or the new one, never a part."""
    target = os.path.realpath(path)  # the file behind a link is replaced, not the link
    part = f"{target}.part"
    try:
        try:
            Path(part).write_bytes(data)
            shutil.copymode(target, part)
            os.replace(part, target)
        finally:
            Path(part).unlink(missing_ok=True)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
