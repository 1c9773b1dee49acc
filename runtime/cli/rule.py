"""`sojourn rule`: what a code of a diagnostic means."""

from __future__ import annotations

from functools import cache

import click

from epl.diagnostics import Code
from runtime.cli.options import format_option
from runtime.cli.pages import RULES, Example, Page, Prose, completing, consult
from runtime.config import CONFIG_CODES
from runtime.config.service_codes import SERVICE_CODES
from runtime.lint import CODES

_EPILOG = """\b
Examples:
  sojourn rule                      every code, with its title
  sojourn rule W601 E302            what they mean, with an example of each
  sojourn rule --search null        those that speak of null
  sojourn rule --format json | jq .

\b
Families: E1 syntax, E2 names, E3 types, E4 stages and annotations, E5 configuration, W6 correctness, W7 cost,
W8 style, W9 what differs from Pulsar's sessionizer.

\b
Exit codes: 0 found, 1 nothing speaks of TEXT, 2 there is no such code."""


@cache
def code_pages() -> tuple[Page, ...]:
    """A page for each code."""
    return tuple(map(code_page, (*CODES, *SERVICE_CODES)))


def code_page(code: Code) -> Page:
    """What a code means: why it is a problem, an example, and what to write instead."""
    language = "yaml" if code in (*CONFIG_CODES, *SERVICE_CODES) else RULES
    hint = () if code.advice is None else (Prose(code.advice, "hint"),)
    return Page(
        name=code.id,
        style=f"bold {'red' if code.severity.value == 'error' else 'yellow'}",
        title=code.title,
        usage=code.id,
        summary=code.title,
        parts=(
            Prose(code.why),
            *hint,
            Example("Instead of", code.bad, language),
            Example("write", code.good, language),
        ),
        data={
            "code": code.id,
            "severity": code.severity.value,
            "title": code.title,
            "message": code.message,
            "why": code.why,
            "bad": code.bad,
            "good": code.good,
            "hint": code.advice,
        },
    )


@click.command("rule", epilog=_EPILOG, short_help="Say what the code of a diagnostic means.")
@click.argument("codes", metavar="[CODE]...", nargs=-1, shell_complete=completing(code_pages))
@click.option("--search", metavar="TEXT", help="Only what speaks of TEXT, in any case.")
@format_option
def rule_command(codes: tuple[str, ...], search: str | None, format_: str) -> None:
    """Say what each CODE of a diagnostic means: why, an example, and what to write instead.

    Without a CODE all are listed.
    """
    consult(code_pages(), codes, search, format_, "code")
