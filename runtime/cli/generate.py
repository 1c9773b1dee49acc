"""`sojourn generate`: made-up events, so that everything else can be tried before there are real ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.io import FileSink, SinkClosed, SinkError
from runtime.simulate import SCENARIOS, simulate

_BATCH = 2_000
_END_YEAR = 2200  # far enough from the end of the calendar for any number of hours

_EPILOG = "\n".join(
    (
        "\b",
        "Scenarios:",
        *(f"  {scenario.name:7} {scenario.summary}" for scenario in SCENARIOS),
        "",
        "\b",
        "Examples:",
        "  sojourn generate | head -3",
        "  sojourn generate shop --out shop.ndjson.gz",
        "  sojourn generate app --events 1000000 --users 100000 --hours 48 --out app.ndjson",
    )
)


def _instant(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """An ISO 8601 time, UTC when it names no zone, as epoch ms."""
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no time such as 2026-01-05T08:00:00Z") from error
    if not 1970 < instant.year < _END_YEAR:
        raise click.BadParameter(f"{value!r} is not between 1971 and {_END_YEAR - 1}")
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


@click.command(epilog=_EPILOG, short_help="Make up events to try things with.")
@click.argument("scenario", type=click.Choice([scenario.name for scenario in SCENARIOS]), default=SCENARIOS[0].name)
@click.option("--events", type=click.IntRange(min=1), default=10_000, show_default=True, help="How many events.")
@click.option(
    "--users",
    type=click.IntRange(min=1, max=10_000_000),
    default=500,
    show_default=True,
    help="How many people or devices.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same bytes.")
@click.option(
    "--start",
    "start_ms",
    metavar="TIME",
    callback=_instant,
    default="2026-01-05T08:00:00Z",
    show_default=True,
    help="When the first visit begins.",
)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=24 * 366, min_open=True),
    default=24.0,
    show_default=True,
    help="Over how long a time visits begin.",
)
@click.option(
    "--out",
    metavar="FILE|-",
    default="-",
    show_default=True,
    help="Where to write NDJSON; gzip when the name ends in .gz.",
)
def generate(scenario: str, events: int, users: int, seed: int, start_ms: int, hours: float, out: str) -> None:
    """Make up the events of a SCENARIO, sorted by time, as NDJSON.

    SCENARIO is shop (the default), app or pulsar.
    """
    stream = simulate(scenario, events=events, users=users, seed=seed, start_ms=start_ms, hours=hours)
    encode = msgspec.json.Encoder().encode
    try:
        sink = FileSink(out)
    except SinkError as error:
        raise click.BadParameter(str(error), param_hint="--out") from error
    began = time.perf_counter()
    written = 0
    try:
        with sink, _progress(events, shown=out != "-" and sys.stderr.isatty()) as bar:
            while batch := list(islice(stream, _BATCH)):
                lines = [encode(event) for event in batch]
                sink.write(lines)
                written += sum(map(len, lines)) + len(lines)
                bar.advance(bar.task_ids[0], len(lines))
    except SinkClosed:
        return
    except SinkError as error:
        raise click.ClickException(str(error)) from error
    took = time.perf_counter() - began
    click.echo(
        f"{events:,} {scenario} events of up to {users:,} users to {sink.name}: "
        f"{written / 1e6:,.1f} MB of NDJSON in {took:.1f} s ({events / took:,.0f} events/s)",
        err=True,
    )


@contextmanager
def _progress(events: int, *, shown: bool) -> Iterator[Progress]:
    columns = (TextColumn("Generating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        bar.add_task("events", total=events)
        yield bar
