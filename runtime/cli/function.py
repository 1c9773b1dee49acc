"""`sojourn function`: what rules can call."""

from __future__ import annotations

from functools import cache

import click

from epl.registry import BUILTINS, ENTRIES, Builtin, Entry, Form
from epl.registry.statics import CLASS_PACKAGES
from runtime.cli.added import PROFILE_HELP, added_by
from runtime.cli.options import format_option
from runtime.cli.pages import Example, Page, Prose, Rows, completing, consult
from runtime.reference import usages, value_text

_EPILOG = """\b
Examples:
  sojourn function                      everything that rules can call
  sojourn function coalesce             one of them, with examples
  sojourn function length               the methods of this name, whatever they belong to
  sojourn function string.length Math.abs
  sojourn function --search index
  sojourn function --profile my-tenant discount    one that its imports add

\b
Exit codes: 0 found, 1 nothing speaks of TEXT, 2 there is no such function."""

_STYLE = "bold cyan"


@cache
def function_pages() -> tuple[Page, ...]:
    """A page for each function, method and static function of the language."""
    return (*map(_builtin_page, BUILTINS), *map(_entry_page, ENTRIES))


def _builtin_page(builtin: Builtin) -> Page:
    owner, _, name = builtin.name.rpartition(".")
    return _page(
        builtin.name, (name,) if owner else (), "language", builtin.usage.split("; "), builtin.summary, builtin
    )


def _entry_page(entry: Entry) -> Page:
    others = [entry.name] if entry.owner is not None else []
    if entry.form is Form.STATIC:
        others.append(f"{CLASS_PACKAGES[str(entry.owner)]}.{entry.title}" if str(entry.owner) in CLASS_PACKAGES else "")
    return _page(entry.title, tuple(filter(None, others)), entry.form.value, usages(entry), entry.summary, entry)


def _page(
    name: str, others: tuple[str, ...], form: str, calls: list[str], summary: str, documented: Builtin | Entry
) -> Page:
    examples = tuple((each.expression, value_text(each.result)) for each in documented.examples)
    return Page(
        name=name,
        style=_STYLE,
        title="",
        usage=f"{name}{calls[0].removeprefix(name.rpartition('.')[2])}" if form == "method" else calls[0],
        summary=summary,
        parts=(Example("How to call it", "\n".join(calls)), Prose(summary), Rows(("example", "gives"), examples)),
        data={
            "name": name,
            "form": form,
            "calls": calls,
            "summary": summary,
            "examples": [{"expression": expression, "result": result} for expression, result in examples],
        },
        others=others,
    )


@click.command("function", epilog=_EPILOG, short_help="Say what a function or method gives.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=completing(function_pages))
@click.option("--profile", metavar="PROFILE", help=PROFILE_HELP)
@click.option("--search", metavar="TEXT", help="Only what speaks of TEXT, in any case.")
@format_option
def function_command(names: tuple[str, ...], profile: str | None, search: str | None, format_: str) -> None:
    """Say how each function or method NAME is called and what it gives.

    A NAME is that of a function (coalesce), a method with or without what it belongs to (string.length, length), or a
    static function (Math.abs). Without a NAME all are listed.
    """
    own = (entry for extension in added_by(profile) for entry in extension.functions)
    consult((*map(_entry_page, own), *function_pages()), names, search, format_, "function")
