"""`sojourn dlq`: events that were refused, looked at, and taken through the rules again once these are mended."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from itertools import islice

import click
from rich.console import Console
from rich.text import Text

from runtime.cli.errors import FINDINGS, fail
from runtime.cli.letters import Lost, grouped, letter_data, letters_of, show_letter
from runtime.cli.many import TenantSinks, compile_all, tenants_below
from runtime.cli.options import format_option
from runtime.cli.pages import print_rows
from runtime.cli.report import dead_letter_hint
from runtime.cli.stderr import Stderr, log_to
from runtime.cli.summary import tenants_data
from runtime.clocks import NoClock
from runtime.io import CODES, DeadLetter, DeadLetterWriter, FileSink
from runtime.presets import resolve
from runtime.replay_tenants import DEFAULT_TENANT_FIELD, Redelivered, TenantsReplay
from runtime.tenants import TenantTwice

_EPILOG = """\b
Examples:
  sojourn replay my-tenant events.ndjson --dead-letters dead.ndjson
  sojourn dlq ls dead.ndjson                    how many, by tenant, code and source
  sojourn dlq show dead.ndjson --code bad_type  each with its reason and the place in the event
  sojourn dlq codes                             what the codes mean, and what to do
  sojourn dlq replay dead.ndjson my-tenant --out more.ndjson --dead-letters still-dead.ndjson

\b
Exit codes: 0 done, 1 a line is no dead letter, or an event is still refused, 2 a file or an option is wrong."""
_LS_EPILOG = """\b
Examples:
  sojourn dlq ls dead.ndjson
  sojourn dlq ls day-1.ndjson.gz day-2.ndjson.gz --format json | jq ."""
_SHOW_EPILOG = """\b
Examples:
  sojourn dlq show dead.ndjson
  sojourn dlq show dead.ndjson --tenant shop --code bad_type --limit 0
  sojourn dlq show dead.ndjson --line 812       the event of line 812 of its source"""
_REPLAY_EPILOG = """\b
Examples:
  sojourn dlq replay dead.ndjson my-tenant                              would they be accepted now?
  sojourn dlq replay dead.ndjson my-tenant --out more.ndjson --dead-letters still-dead.ndjson
  sojourn dlq replay dead.ndjson tenants/ --out more/                   letters of several tenants

\b
Only the events of the letters are replayed: they make sessions of their own, not those that they would have been part
of. Letters that cannot be replayed go to --dead-letters as they are, so that it holds all that remain.

\b
Exit codes: 0 all accepted, 1 some are not, 2 a file or an option is wrong."""
_CODES_EPILOG = """\b
Examples:
  sojourn dlq codes
  sojourn dlq codes --format json | jq -r '.[].code'"""

_files = click.argument("files", nargs=-1, required=True, metavar="FILE...")


@click.group("dlq", epilog=_EPILOG, short_help="Look at dead letters, and replay them.")
def dlq() -> None:
    """Dead letters: events that were refused, each with its reason, tenant, source and line.

    Files of them are NDJSON, gzip or not, or - for stdin.
    """


@dlq.command("ls", epilog=_LS_EPILOG, short_help="Count letters by tenant, code and source.")
@_files
@format_option
def ls_command(files: tuple[str, ...], format_: str) -> None:
    """Count the letters of each FILE by tenant, code and source, with the first and the last line."""
    lost = Lost()
    groups = grouped(letters_of(files, lost))
    if format_ == "json":
        keys = ("tenant", "code", "source", "letters", "first_line", "last_line")
        rows = [(*names, group.letters, group.first_line, group.last_line) for names, group in groups.items()]
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
    elif groups:
        cells = [
            (tenant or "–", code, source, f"{group.letters:,}", str(group.first_line), str(group.last_line))
            for (tenant, code, source), group in groups.items()
        ]
        print_rows(("tenant", "code", "source", "letters", "first line", "last line"), cells, Console(highlight=False))
    else:
        click.echo("no dead letters")
    _end(lost)


@dlq.command("show", epilog=_SHOW_EPILOG, short_help="Show letters with the place that the reason names.")
@_files
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Only letters of this code; more than once: any.")
@click.option("--tenant", metavar="NAME", help="Only letters of this tenant.")
@click.option("--line", type=int, metavar="N", help="Only events of this line of their source.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="At most so many; 0: all.")
@format_option
def show_command(
    files: tuple[str, ...], codes: tuple[str, ...], tenant: str | None, line: int | None, limit: int, format_: str
) -> None:
    """Show the letters of each FILE: where the event came from, why it was refused, and the event itself."""
    lost = Lost()

    def wanted(letter: DeadLetter) -> bool:
        if codes and letter.code not in codes:
            return False
        return tenant in (None, letter.tenant) and line in (None, letter.line)

    found = filter(wanted, letters_of(files, lost))
    shown = islice(found, limit or None)
    console = Console(highlight=False)
    if format_ == "json":
        click.echo(json.dumps([letter_data(letter) for letter in shown], indent=2, ensure_ascii=False))
    else:
        count = 0
        for count, letter in enumerate(shown, 1):
            if count > 1:
                console.print()
            show_letter(letter, console)
        more = sum(1 for _ in found)
        if not count:
            click.echo("no such dead letters")
        if more:
            console.print(f"\n[dim]{more:,} more; --limit, --code, --tenant and --line choose others[/]")
    _end(lost)


@dlq.command("codes", epilog=_CODES_EPILOG, short_help="Say what the codes of letters mean.")
@format_option
def codes_command(format_: str) -> None:
    """Say what each code of a dead letter means, and what to do before its events are replayed."""
    if format_ == "json":
        data = [{"code": each.code, "meaning": each.meaning, "remedy": each.remedy} for each in CODES]
        click.echo(json.dumps(data, indent=2))
        return
    console = Console(highlight=False)
    print_rows(("code", "meaning", "what to do"), [(each.code, each.meaning, each.remedy) for each in CODES], console)


@dlq.command("replay", epilog=_REPLAY_EPILOG, short_help="Take the events of letters through the rules again.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.argument("profile")
@click.option("--out", metavar="FILE|-", help="Write events and markers as NDJSON; a folder: a file of each tenant.")
@click.option("--markers-only", is_flag=True, help="Write begin and end markers, not the events.")
@click.option("--dead-letters", metavar="FILE", help="Write the letters that remain.")
@click.option("--time-field", metavar="NAME", help="The field with an event's own time, where rules give none.")
@click.option("--now-field", metavar="NAME", help="The field with the time of arrival.")
@click.option(
    "--tenant-field",
    metavar="NAME",
    default=DEFAULT_TENANT_FIELD,
    show_default=True,
    help="The field that names the tenant of an event whose letter names none.",
)
@format_option
def replay_command(
    files: tuple[str, ...],
    profile: str,
    out: str | None,
    markers_only: bool,
    dead_letters: str | None,
    time_field: str | None,
    now_field: str | None,
    tenant_field: str,
    format_: str,
) -> None:
    """Take the events of the letters of each FILE through the rules of PROFILE again, in their order.

    Those that are refused again keep their source and line.
    """
    for written in filter(None, (out, dead_letters)):
        if any(os.path.exists(written) and os.path.exists(file) and os.path.samefile(written, file) for file in files):
            fail(f"{written}: the letters are read from it; write to another file")
    tenants = compile_all(tenants_below(profile) or [resolve(profile)])
    console = Console(stderr=out == "-", highlight=False)
    log_to(Stderr())
    lost = Lost()
    with ExitStack() as stack:
        sink = None if dead_letters is None else stack.enter_context(FileSink(dead_letters))
        try:
            replay = TenantsReplay(
                tenants,
                TenantSinks(out, stack),
                None if sink is None else DeadLetterWriter(sink),
                tenant_field=tenant_field,
                markers_only=markers_only,
                now_field=now_field,
                time_field=time_field,
            )
        except (NoClock, TenantTwice) as error:
            fail(str(error))
        done = replay.run_letters(letters_of(files, lost))
    if format_ == "json":
        click.echo(json.dumps(_replayed_data(done), indent=2), err=out == "-")
    else:
        _sum_up(done, console, dead_letters)
    if done.refused or done.cut or done.foreign or done.replayed.disabled:
        raise SystemExit(FINDINGS)
    _end(lost)


def _replayed_data(done: Redelivered) -> dict[str, object]:
    return {
        "accepted": done.accepted,
        "refused_again": done.refused,
        "cut": [_place(letter) for letter in done.cut],
        "of_other_tenants": [_place(letter) | {"tenant": letter.tenant} for letter in done.foreign],
        **tenants_data(done.replayed),
    }


def _place(letter: DeadLetter) -> dict[str, object]:
    return {"source": letter.source, "line": letter.line, "code": letter.code}


def _sum_up(done: Redelivered, console: Console, dead_letters: str | None) -> None:
    console.print(Text.assemble((f"{done.accepted:,} events accepted", "bold"), f" of {done.taken:,} replayed"))
    if done.refused:
        console.print(Text(f"{done.refused:,} refused again", "yellow"))
        for refusals in (done.replayed.nobodys, *done.replayed.tenants.values()):
            for line in refusals.first_refused:
                console.print(Text(f"  {line}", "yellow"), soft_wrap=True)
    for letters, why in (
        (done.cut, "cannot be replayed: the letter holds only the head of the event; take it from its source"),
        (done.foreign, "left out: PROFILE is not their tenant"),
    ):
        if letters:
            console.print(Text(f"{len(letters):,} {why}", "yellow"), soft_wrap=True)
            for letter in letters[:3]:
                console.print(Text(f"  {letter.source}:{letter.line}: {letter.code} of {letter.tenant or 'nobody'}"))
    for each in done.replayed.disabled:
        console.print(Text(f"{each.tenant}: {each.reason}", "red"), soft_wrap=True)
    if done.refused or done.cut or done.foreign:
        console.print(Text(dead_letter_hint(dead_letters), "dim"), soft_wrap=True)


def _end(lost: Lost) -> None:
    if lost.count:
        raise SystemExit(FINDINGS)
