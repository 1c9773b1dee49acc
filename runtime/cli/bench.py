"""`sojourn bench`: how fast rules run, and where the time goes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.bench import BadBaseline, Bench, Job, NoEvents, as_data, differences, ratios, read_baseline
from runtime.cli.bench_cache import bench_cache
from runtime.cli.bench_report import render
from runtime.cli.errors import FINDINGS, fail
from runtime.cli.groups import CommandGroup
from runtime.cli.many import tenants_below
from runtime.cli.options import format_option
from runtime.cli.stderr import Stderr, log_to
from runtime.clocks import NoClock
from runtime.config import load_tenant
from runtime.io import files_named
from runtime.presets import resolve
from runtime.rules import compile_tenant

_EPILOG = """\b
Examples:
  sojourn bench examples/shop examples/shop/events.ndjson.gz
  sojourn bench my-tenant day.ndjson --profile-rules              what each rule costs
  sojourn bench my-tenant year.ndjson --workers 4                 as replay --workers does it
  sojourn bench my-tenant day.ndjson --save before.json           then change the rules, and
  sojourn bench my-tenant day.ndjson --baseline before.json --fail-under 0.9

\b
How the parts are measured: growing prefixes of the way of an event are run as wholes, and a part is the
difference of two medians of CPU time, so one that is lost in the noise may be shown below 0. In their order:
  read      lines cut from the files; of Parquet, the columns that rules read, made values
  decode    the fields that rules read, made an event
  stage 1   the controller's rules, the clock, and the engine's loop around both
  sessions  finding, beginning and ending them, time's ticks, with rule sets that are empty
  stage 2   all that the profiles' rules do and cause: sub-sessions, splits, early ends
  write     lines of events and markers, made and written, to --out or nowhere; the other columns of Parquet

\b
How rules are measured: each is compiled alone and called with a sample of the events and sessions of one
run, in the processor's cache, less an empty call; µs are over all events. They do not add up to a stage:
rules share what they read of an event, and what a rule causes (such as a sub-session) is not in its time.

\b
Times are only comparable on one machine; where it is not quiet, CPU time changes less than time by the
clock. Peak memory is that of the whole process in a first run that is not timed.

\b
Exit codes: 0 done, 1 the rules have problems or --fail-under was not reached, 2 a file or an option is wrong."""


@click.group("bench", cls=CommandGroup, epilog=_EPILOG, short_help="Measure how fast rules run, and where time goes.")
@click.argument("profile")
@click.argument("events", nargs=-1, required=True)
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Runs to take the median of.")
@click.option("--profile-rules", is_flag=True, help="Also say what each rule costs.")
@click.option("--workers", type=click.IntRange(min=1), default=1, help="Also measure so many processes.")
@click.option("--out", metavar="FILE", help="Write events and markers, anew each run; by default they go nowhere.")
@click.option("--markers-only", is_flag=True, help="Make begin and end markers, not the events.")
@click.option("--time-field", metavar="NAME", help="The field with an event's own time, where rules give none.")
@click.option("--now-field", metavar="NAME", help="The field with the time of arrival.")
@click.option("--save", metavar="FILE", type=click.Path(path_type=Path), help="Write the figures, as JSON.")
@click.option(
    "--baseline", "baseline_file", metavar="FILE", type=click.Path(path_type=Path), help="Compare with saved figures."
)
@click.option(
    "--fail-under",
    metavar="RATIO",
    type=click.FloatRange(min=0, min_open=True),
    help="Exit 1 when the events per second of CPU time are less than so much of the baseline's.",
)
@format_option
def bench_command(
    profile: str,
    events: tuple[str, ...],
    runs: int,
    profile_rules: bool,
    workers: int,
    out: str | None,
    markers_only: bool,
    time_field: str | None,
    now_field: str | None,
    save: Path | None,
    baseline_file: Path | None,
    fail_under: float | None,
    format_: str,
) -> None:
    """Replay EVENTS by the rules of PROFILE, several times, and say how fast it went and where the time goes.

    PROFILE is a tenant's folder or the name of a shipped profile; EVENTS are files of events or folders
    of them, as for replay.
    """
    if fail_under is not None and baseline_file is None:
        fail("--fail-under compares with --baseline FILE, which is not given")
    if "-" in (*events, out):
        fail("a bench goes through its events several times: name files, not -")
    if tenants_below(profile):
        fail(f"{profile} is a folder of several tenants; bench measures one")
    try:
        # Before the work, not after it.
        baseline = None if baseline_file is None else read_baseline(baseline_file)
    except BadBaseline as error:
        fail(str(error))
    rules = compile_tenant(load_tenant(resolve(profile)))
    job = Job(rules, files_named(events), out, markers_only, now_field, time_field)
    errors = Stderr()
    log_to(errors)
    try:
        bench = Bench(job, runs=runs, profile_rules=profile_rules, workers=workers)
        with _bar(errors.console, shown=sys.stderr.isatty()) as bar:
            task = bar.add_task(rules.config.tenant, total=bench.steps)
            figures = bench.run(lambda: bar.advance(task))
    except (NoClock, NoEvents) as error:
        fail(str(error))
    data = as_data(figures)
    if save is not None:
        _save(save, json.dumps(data, indent=2))
    compared = None if baseline is None else ratios(data, baseline)
    differing = [] if baseline is None else differences(data, baseline)
    if format_ == "json":
        more = {} if baseline is None else {"baseline": baseline.name, "ratios": compared, "differences": differing}
        click.echo(json.dumps(data | more, indent=2))
    else:
        render(figures, Console(highlight=False), compared, differing)
    if baseline is not None and fail_under is not None:
        ratio = figures.events_per_cpu_second / baseline.events_per_cpu_second
        if ratio < fail_under:
            said = f"{ratio:.2f} of the events per second of CPU time of {baseline.name}: under {fail_under:g}"
            click.echo(said, err=True)
            raise SystemExit(FINDINGS)


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{path}: it cannot be written: {error.strerror or error}")


def _bar(console: Console, *, shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not shown)


bench_command.add_command(bench_cache)
