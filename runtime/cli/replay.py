"""`sojourn replay`: rules over files of events."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from runtime.cli.errors import FINDINGS, fail
from runtime.cli.many import TenantSinks, compile_all, tenants_below
from runtime.cli.options import format_option
from runtime.cli.progress import file_progress
from runtime.cli.stderr import Stderr, log_to
from runtime.cli.summary import as_data, tenants_data
from runtime.clocks import NoClock
from runtime.config import load_tenant
from runtime.io import DeadLetterWriter, FileSink, SinkClosed, files_named
from runtime.presets import resolve
from runtime.reading import OnProgress
from runtime.replay import Replay, Replayed, Workers
from runtime.replay_tenants import DEFAULT_TENANT_FIELD, ReplayedTenants, TenantsReplay
from runtime.rules import TenantRules, compile_tenant
from runtime.tenants import TenantTwice

_EPILOG = """\b
Examples:
  sojourn replay pulsar events.ndjson                          only the summary
  sojourn replay examples/shop events.ndjson.gz --out out.ndjson
  sojourn replay my-tenant jan.csv feb.csv --out sessions.ndjson --markers-only
  zcat events.gz | sojourn replay my-tenant - --out - | head
  sojourn replay my-tenant events.parquet --out sessions.ndjson --markers-only
  sojourn replay my-tenant logs/ --out sessions.ndjson.zst     all files of events in a folder and below
  sojourn replay my-tenant 'logs/day-*.ndjson.gz'              in the order of the days: 2 before 10
  sojourn replay tenants/ events.ndjson --out sessions/        each event to the tenant that it names
  sojourn replay my-tenant mon.ndjson --out mon.out --snapshot open.snap
  sojourn replay my-tenant tue.ndjson --out tue.out --resume open.snap --snapshot open.snap
  sojourn replay my-tenant year.ndjson --out out.ndjson --workers 8 --ordered

\b
Files: what is compressed is told by what is in it, CSV by its name (.csv, .tsv). The files of a folder, or of a pattern
that the shell has left alone (** stands for folders too), are taken in the order in which people count; in a folder,
those are left out that begin with . or _, and those that are not named as events are. zstd wants 'sojourn[zstd]'.

\b
Parquet (wants 'sojourn[parquet]'): a row is the event that it would be as JSON, without its nulls; times are epoch ms
where the field is declared as a number. Only columns that rules read are read, unless events are written, and
limits.max_line does not hold. As its table of contents is at its end, it cannot come from stdin.

\b
Time: the clock is each event's own time (`_timestamp_` of the controller, or --time-field) and never goes
back; --now-field takes the time of arrival from another field. A file that is not in the order of time wants
--sort. At the end time runs on until all sessions end; with --snapshot those that are open wait there instead, and
--resume goes on with them, so that files that are replayed one by one give what they give in one run. The snapshot is
written once --out is complete, and takes the place of an older one only when it is whole. The summary counts from the
first file on.

\b
Workers: files are cut in time, and the sessions that live across a cut are handed on, so that all comes out as
from one process. Lines leave in another order, unless --ordered asks for that of one process. NDJSON that is not
packed is cut anywhere, other files between two of them. Where cutting would change what comes out, as with
limits of all sessions together, one process does it, and the summary says why.

\b
Several tenants: each event goes to the one that --tenant-field names, and cannot harm the others. --out
takes a folder for a file of each tenant, or a file for all.

\b
Exit codes: 0 done, 1 the rules have problems or a tenant failed, 2 a file or an option is wrong."""


_path = click.Path(path_type=Path)


@click.command("replay", epilog=_EPILOG, short_help="Run rules over files of events.")
@click.argument("profile")
@click.argument("events", nargs=-1, required=True)
@click.option("--out", metavar="FILE|-", help="Write events and markers as NDJSON; packed if named .gz or .zst.")
@click.option("--markers-only", is_flag=True, help="Write begin and end markers, not the events.")
@click.option("--time-field", metavar="NAME", help="The field with an event's own time, where rules give none.")
@click.option("--now-field", metavar="NAME", help="The field with the time of arrival.")
@click.option(
    "--tenant-field",
    metavar="NAME",
    help=f"For a folder of several tenants: the field that names an event's ({DEFAULT_TENANT_FIELD}).",
)
@click.option("--sort", is_flag=True, help="Take events in the order of their time; reads all of them into memory.")
@click.option("--dead-letters", metavar="FILE", help="Write events that could not be read, with the reason.")
@click.option(
    "--snapshot", type=_path, metavar="FILE", help="Save the sessions that are open at the end, instead of ending them."
)
@click.option("--resume", type=_path, metavar="FILE", help="Go on from a snapshot, of these rules or older ones.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="So many processes at a time; one by default.")
@click.option("--ordered", is_flag=True, help="With --workers: lines in the order of one process.")
@format_option
@click.option("--quiet", "-q", is_flag=True, help="No progress bar and no summary.")
def replay_command(
    profile: str,
    events: tuple[str, ...],
    out: str | None,
    markers_only: bool,
    time_field: str | None,
    now_field: str | None,
    tenant_field: str | None,
    sort: bool,
    dead_letters: str | None,
    snapshot: Path | None,
    resume: Path | None,
    workers: int | None,
    ordered: bool,
    format_: str,
    quiet: bool,
) -> None:
    """Run the rules of PROFILE over EVENTS and say what came of it.

    PROFILE is a tenant's folder, a folder of several tenants, or the name of a shipped profile; EVENTS are NDJSON or
    CSV files, plain, gzip or zstd, Parquet files, folders of them, or - for stdin. They are taken as one stream, in
    the order given.
    """
    sources = files_named(events)
    folders = tenants_below(profile)
    if folders and sort:
        fail("--sort is for one tenant; replay each by itself, or sort the file first")
    if folders and (snapshot or resume):
        fail("--snapshot and --resume are for one tenant; replay each by itself, with a snapshot of its own")
    if tenant_field is not None and not folders:
        fail(f"--tenant-field is for a folder of several tenants, and {profile} is one tenant")
    tenants = compile_all(folders) if folders else [compile_tenant(load_tenant(resolve(profile)))]
    errors = Stderr()
    log_to(errors)
    is_shown = not quiet and sys.stderr.isatty() and out != "-"
    options: dict[str, Any] = {"markers_only": markers_only, "now_field": now_field, "time_field": time_field}
    by_workers: Replayed | str | None = None
    replayed: Replayed | ReplayedTenants
    try:
        if workers is not None and workers > 1:
            # Here, since what starts processes takes a while to load, and few commands do.
            from runtime.cli.replay_workers import replay_by_workers, why_in_one

            by_workers = why_in_one(
                is_folder=bool(folders), sort=sort, is_saved=snapshot is not None or resume is not None
            ) or replay_by_workers(
                tenants[0], workers, sources, out, dead_letters, errors, is_shown, ordered=ordered, **options
            )
        if isinstance(by_workers, Replayed):
            replayed = by_workers
        elif folders:
            options["tenant_field"] = tenant_field or DEFAULT_TENANT_FIELD
            replayed = _several(tenants, sources, out, dead_letters, errors, is_shown, **options)
        else:
            replayed = _one(
                tenants[0], sources, out, dead_letters, errors, is_shown, snapshot, resume, sort=sort, **options
            )
    except (NoClock, TenantTwice) as error:
        fail(str(error))
    if isinstance(by_workers, str) and workers is not None:
        replayed.workers = Workers(workers, 1, by_workers)
    if format_ == "text" and not quiet:
        _show(replayed, out, dead_letters, snapshot)
    if isinstance(replayed, Replayed) and resume is not None:
        # Here, as it draws on the terminal.
        from runtime.cli.report import warn_of_losses

        warn_of_losses(replayed, errors.console, profile, resume)
    if format_ == "json" and not quiet:
        data = tenants_data(replayed) if isinstance(replayed, ReplayedTenants) else as_data(replayed)
        click.echo(json.dumps(data, indent=2), err=out == "-")
    if isinstance(replayed, ReplayedTenants) and replayed.disabled:
        raise SystemExit(FINDINGS)


def _one(
    rules: TenantRules,
    events: Sequence[str],
    out: str | None,
    dead_letters: str | None,
    errors: Stderr,
    is_shown: bool,
    snapshot: Path | None,
    resume: Path | None,
    **options: Any,
) -> Replayed:
    """The replay of one tenant."""
    with ExitStack() as stack:
        letters = None if dead_letters is None else stack.enter_context(FileSink(dead_letters))
        sink = None if out is None else stack.enter_context(FileSink(out))
        replay = Replay(rules, sink, None if letters is None else DeadLetterWriter(letters), **options)
        on_progress = stack.enter_context(file_progress(errors, shown=is_shown))
        replayed = _run(replay, events, on_progress, resume=resume, is_saved=snapshot is not None)
    if snapshot is not None:
        # Not before all that has left is in its place: a snapshot says so, and nothing leaves twice.
        replay.save(snapshot)
    return replayed


def _several(
    tenants: Sequence[TenantRules],
    events: Sequence[str],
    out: str | None,
    dead_letters: str | None,
    errors: Stderr,
    is_shown: bool,
    **options: Any,
) -> ReplayedTenants:
    """The replay of several tenants."""
    with ExitStack() as stack:
        letters = None if dead_letters is None else stack.enter_context(FileSink(dead_letters))
        writer = None if letters is None else DeadLetterWriter(letters)
        replay = TenantsReplay(tenants, TenantSinks(out, stack), writer, **options)
        return replay.run(events, stack.enter_context(file_progress(errors, shown=is_shown)))


def _show(
    replayed: Replayed | ReplayedTenants, out: str | None, dead_letters: str | None, snapshot: Path | None
) -> None:
    """Prints the summary where the events do not go."""
    # Here, since rich takes 0.03 s to load, and machines do without.
    from rich.console import Console

    from runtime.cli.report import render
    from runtime.cli.report_tenants import render_tenants

    console = Console(stderr=out == "-", highlight=False)
    if isinstance(replayed, ReplayedTenants):
        render_tenants(replayed, console, dead_letters=dead_letters)
    else:
        render(replayed, console, dead_letters=dead_letters, snapshot=snapshot)


def _run(
    replay: Replay, events: Sequence[str], on_progress: OnProgress | None, *, resume: Path | None, is_saved: bool
) -> Replayed:
    if resume is not None:
        if not resume.exists():
            fail(f"{resume}: there is no such file; the first run has no --resume")
        replay.resume(resume)
    try:
        return replay.run(events, on_progress, to_the_end=not is_saved)
    except SinkClosed:
        if is_saved:
            fail("nobody took all of --out, so there is no snapshot: it would say that everything has left")
        raise
