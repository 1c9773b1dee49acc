"""Pages of the reference on the terminal: what `sojourn rule`, `function` and `annotation` have in common.

A page is shown in colours on a terminal and as plain text elsewhere; a list of pages is a table on a terminal and a
line for each elsewhere, for `grep`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import indent
from typing import Any

import click
from click.shell_completion import CompletionItem
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from epl.diagnostics import did_you_mean
from runtime.cli.errors import FINDINGS, fail

RULES = "sql"
"""The language by which rules are coloured: there is none for them, and most of their words are SQL's."""

_THEME = "ansi_dark"  # the terminal's own colours


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; `label` stands before it."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """Code below a heading."""

    heading: str
    code: str
    language: str = RULES


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One thing that has a name: how it is written, what it is in one line, and all about it.

    `style` is that of its name, `title` stands behind it; `data` is what machines get. `others`: names by which it is
    found, too, among them those that several pages share.
    """

    name: str
    style: str
    title: str
    usage: str
    summary: str
    parts: tuple[Prose | Example | Rows, ...]
    data: Mapping[str, Any]
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that means this page."""
        return (self.name, *self.others)

    def speaks_of(self, text: str) -> bool:
        """True when the page has the text anywhere, in any case."""
        return any(text.casefold() in str(value).casefold() for value in self.data.values())


def consult(pages: Sequence[Page], wanted: Sequence[str], search: str | None, format_: str, kind: str) -> None:
    """Prints the pages of some names, or else the list of all (with `search`: of those that speak of it).

    Ends with exit code 2 when a name has no page, and with 1 when nothing was found.
    """
    listed = not wanted
    found = pages_named(pages, wanted, kind) if wanted else list(pages)
    if search is not None:
        found = [page for page in found if page.speaks_of(search)]
        if not found:
            click.echo(f"no {kind} speaks of `{search}`", err=True)
            raise SystemExit(FINDINGS)
    console = Console(highlight=False)
    if format_ == "json":
        click.echo(json.dumps([dict(page.data) for page in found], indent=2, ensure_ascii=False))
    elif listed:
        _list(found, console)
    else:
        show_pages(found, console)


def pages_named(pages: Sequence[Page], wanted: Sequence[str], kind: str) -> list[Page]:
    """The pages of some names, each once; case counts only where it tells names apart."""
    found: dict[str, Page] = {}
    for name in wanted:
        text = name.strip().removesuffix("()")
        folded = text.casefold()
        matching = (
            [page for page in pages if text == page.name]
            or [page for page in pages if text in page.others]
            or [page for page in pages if folded in (each.casefold() for each in page.names)]
        )
        if not matching:
            known = sorted({each for page in pages for each in page.names})
            hint = did_you_mean(text, known) or did_you_mean(text.upper(), known)
            fail(f"there is no {kind} `{name}`" + (f": {hint}" if hint else ""))
        found |= {page.name: page for page in matching}
    return list(found.values())


def completing(pages: Callable[[], Sequence[Page]]) -> Callable[..., list[CompletionItem]]:
    """Shell completion by the names of pages."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        start = incomplete.casefold()
        return [
            CompletionItem(name, help=page.summary)
            for page in pages()
            for name in page.names[:1]
            if name.casefold().startswith(start)
        ]

    return complete


# ---- drawing


def show_pages(pages: Sequence[Page], console: Console) -> None:
    """Prints pages, with two blank lines between them."""
    for number, page in enumerate(pages):
        if number:
            console.print("\n")
        _show(page, console)


def _show(page: Page, console: Console) -> None:
    title = f" {page.title}" if page.title else ""
    console.print(Text.assemble((page.name, page.style), (title, "bold")), soft_wrap=True)
    for part in page.parts:
        match part:
            case Prose(text, label):
                if not label:
                    console.print()
                console.print(Text.assemble((f"{label}: " if label else "", "bold cyan"), text))
            case Example(heading, code, language):
                console.print()
                console.print(Text(heading, "bold"))
                console.print()
                console.print(coloured(indent(code, "    "), language, console), soft_wrap=True)
            case Rows(headings, rows):
                console.print()
                print_rows(headings, rows, console)


def coloured(code: str, language: str, console: Console) -> Text:
    """Code in the colours of its language where the console has any."""
    code = code.rstrip("\n")
    if not console.is_terminal or console.no_color:
        return Text(code)
    text = Syntax(code, language, theme=_THEME, background_color="default").highlight(code)
    text.rstrip()
    return text


def _list(pages: Sequence[Page], console: Console) -> None:
    print_rows((), [(page.usage, page.summary) for page in pages], console)


def print_rows(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    console: Console,
    styles: Sequence[str] = (),
    margin: str = "",
) -> None:
    """Rows, on a terminal within its width; elsewhere each on a line of its own. `styles`: one for each row."""
    if console.is_terminal:
        table = Table(box=None, pad_edge=False, show_header=bool(headings), header_style="bold")
        for _ in rows[0]:
            table.add_column(overflow="fold")
        for column, heading in zip(table.columns, headings, strict=False):
            column.header = heading
        for row, style in zip_longest(rows, styles, fillvalue=""):
            table.add_row(*map(Text, row), style=style)
        console.print(Padding(table, (0, 0, 0, len(margin)), expand=False))
        return
    lines = [headings, *rows] if headings else list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo(f"{margin}{cells}".rstrip())
