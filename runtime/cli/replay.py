"""`sojourn replay`: rules over files of events."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack
from dataclasses import dataclass

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from runtime.cli.errors import fail
from runtime.cli.report import as_data, render
from runtime.config import load_tenant
from runtime.io import DeadLetterWriter, FileSink
from runtime.presets import resolve
from runtime.replay import NoClock, Replay
from runtime.rules import compile_tenant

_EPILOG = """\b
Examples:
  sojourn replay pulsar events.ndjson                          only the summary
  sojourn replay examples/shop events.ndjson.gz --out out.ndjson
  sojourn replay my-tenant jan.csv feb.csv --out sessions.ndjson --markers-only
  zcat events.gz | sojourn replay my-tenant - --out - | head

\b
Time: the clock is each event's own time (`_timestamp_` of the controller, or --time-field) and never goes
back; --now-field takes the time of arrival from another field. A file that is not in the order of time wants
--sort. At the end time runs on until all sessions end.

\b
Exit codes: 0 done, 1 the rules have problems, 2 a file or an option is wrong."""


@click.command("replay", epilog=_EPILOG, short_help="Run rules over files of events.")
@click.argument("profile")
@click.argument("events", nargs=-1, required=True)
@click.option("--out", metavar="FILE|-", help="Write events and markers as NDJSON; gzip when the name ends in .gz.")
@click.option("--markers-only", is_flag=True, help="Write begin and end markers, not the events.")
@click.option("--time-field", metavar="NAME", help="The field with an event's own time, where rules give none.")
@click.option("--now-field", metavar="NAME", help="The field with the time of arrival.")
@click.option("--sort", is_flag=True, help="Take events in the order of their time; reads all of them into memory.")
@click.option("--dead-letters", metavar="FILE", help="Write events that could not be read, with the reason.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or machines.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress bar and no summary.")
def replay_command(
    profile: str,
    events: tuple[str, ...],
    out: str | None,
    markers_only: bool,
    time_field: str | None,
    now_field: str | None,
    sort: bool,
    dead_letters: str | None,
    format_: str,
    quiet: bool,
) -> None:
    """Run the rules of PROFILE over EVENTS and say what came of it.

    PROFILE is a tenant's folder or the name of a shipped profile; EVENTS are NDJSON or CSV files, gzip or not, or -
    for stdin. They are taken as one stream, in the order given.
    """
    rules = compile_tenant(load_tenant(resolve(profile)))
    # The summary goes where the events do not.
    console = Console(stderr=out == "-", highlight=False)
    errors = Console(stderr=True, highlight=False)
    logging.basicConfig(format="%(message)s", handlers=[RichHandler(console=errors, show_path=False, show_time=False)])
    with ExitStack() as stack:
        sink = None if out is None else stack.enter_context(FileSink(out))
        letters = None if dead_letters is None else stack.enter_context(FileSink(dead_letters))
        try:
            replay = Replay(
                rules,
                sink,
                None if letters is None else DeadLetterWriter(letters),
                markers_only=markers_only,
                now_field=now_field,
                time_field=time_field,
                sort=sort,
            )
        except NoClock as error:
            fail(str(error))
        bar = stack.enter_context(_bar(errors, shown=not quiet and sys.stderr.isatty() and out != "-"))
        replayed = replay.run(events, _Progress(bar))
    if quiet:
        return
    if format_ == "json":
        click.echo(json.dumps(as_data(replayed), indent=2), err=out == "-")
    else:
        render(replayed, console, dead_letters_written=dead_letters is not None)


def _bar(console: Console, *, shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not shown)


@dataclass
class _Progress:
    """One bar a file."""

    bar: Progress
    name: str = ""
    task: TaskID | None = None

    def __call__(self, name: str, read_bytes: int, total_bytes: int | None) -> None:
        if self.task is None or name != self.name:
            self.name = name
            self.task = self.bar.add_task(name, total=total_bytes)
        self.bar.update(self.task, completed=read_bytes)
