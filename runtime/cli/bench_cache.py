"""`sojourn bench cache`: what a live session costs in memory and in time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from runtime.bench.cache import CacheFigures, CacheJob, DictFigures, measure_cache, measure_dicts
from runtime.bench.own_process import BenchFailed
from runtime.cli.errors import fail
from runtime.cli.options import format_option
from runtime.config import parse_size

_EPILOG = """\b
Examples:
  sojourn bench cache --sessions 1000000
  sojourn bench cache --sessions 1000000 --hot 0 --compare     beside a dict of dicts
  sojourn bench cache --sessions 5000000 --snapshot            written to a file and read again
  sojourn bench cache --sessions 100000 --format json

\b
The sessions are those of a shop: 36-character keys, six counters and lists, four texts. Times are CPU time
for one session, medians of slices of 1,000:
  put     one that begins: looked for, made room for, scheduled
  get     one in pages: found and decoded
  store   the same: encoded and written back
  update  get and store with a change between, as an event does with each
  expire  one that is due: taken off the wheel, decoded, removed
  evict   one that begins while the memory is full: put, and the one due first removed"""


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes of `64`, `64KiB`, `4MiB`."""
        if isinstance(value, int):
            return value
        size = parse_size(str(value))
        if size is None:
            self.fail(f"{value!r} is no size such as 64, 64KiB or 4MiB", param, ctx)
        return size


@click.command("cache", epilog=_EPILOG, short_help="Measure what a live session costs.")
@click.option("--sessions", type=click.IntRange(min=1), default=100_000, show_default=True, help="Live sessions.")
@click.option("--hot", type=click.IntRange(min=0), default=100_000, show_default=True, help="Most kept as objects.")
@click.option("--block-size", type=_Size(), default="64", show_default=True, help="Bytes of a block.")
@click.option("--page-size", type=_Size(), default="4MiB", show_default=True, help="Bytes of a page.")
@click.option("--compare", is_flag=True, help="Also measure the same sessions as a dict of dicts.")
@click.option("--snapshot", is_flag=True, help="Also write a snapshot to a temporary file, and read it.")
@format_option
def bench_cache(
    sessions: int, hot: int, block_size: int, page_size: int, compare: bool, snapshot: bool, format_: str
) -> None:
    """Fill the session cache, then find, change, end and evict sessions, each a hundred thousand times."""
    if page_size > block_size * 65_536:
        fail(f"a page has at most 65,536 blocks: --page-size {page_size:,} is too large for --block-size {block_size}")
    if block_size > page_size:
        fail(f"--block-size {block_size:,} is larger than --page-size {page_size:,}")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    errors = Console(stderr=True, highlight=False)
    try:
        with (
            TemporaryDirectory() as folder,
            Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress,
        ):
            task = progress.add_task("", total=1.0)

            def on_progress(what: str, share: float) -> None:
                progress.update(task, description=f"{sessions:,} sessions {what}", completed=share)

            path = Path(folder) / "snapshot" if snapshot else None
            cache = measure_cache(CacheJob(sessions, hot, block_size, page_size, path), on_progress)
            dicts = measure_dicts(sessions, on_progress) if compare else None
    except BenchFailed as error:
        fail(str(error))
    if format_ == "json":
        data = asdict(cache)
        if dicts is not None:
            data["dicts"] = asdict(dicts)
        click.echo(json.dumps(data, indent=2))
    else:
        console = Console(highlight=False)
        console.print(f"{cache.sessions:,} live sessions, up to {cache.hot:,} as objects\n")
        console.print(_table(cache, dicts))


def _table(cache: CacheFigures, dicts: DictFigures | None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("cache", justify="right")
    rows: list[tuple[str, str, str]] = [
        ("bytes a session", f"{cache.bytes_per_session:,.0f}", f"{dicts.bytes_per_session:,.0f}" if dicts else ""),
        ("resident memory", f"{cache.rss_bytes / 1e6:,.0f} MB", f"{dicts.rss_bytes / 1e6:,.0f} MB" if dicts else ""),
        ("put", f"{cache.put_ns:,.0f} ns", f"{dicts.put_ns:,.0f} ns" if dicts else ""),
        ("get", f"{cache.get_ns:,.0f} ns", ""),
        ("store", f"{cache.store_ns:,.0f} ns", ""),
        ("update", f"{cache.update_ns:,.0f} ns", f"{dicts.update_ns:,.0f} ns" if dicts else ""),
        ("expire", f"{cache.expire_ns:,.0f} ns", ""),
        ("evict", f"{cache.evict_ns:,.0f} ns", ""),
    ]
    if cache.snapshot_mb_per_second is not None and cache.restore_mb_per_second is not None:
        rows.append(("snapshot", f"{cache.snapshot_mb_per_second:,.0f} MB/s", ""))
        rows.append(("restore", f"{cache.restore_mb_per_second:,.0f} MB/s", ""))
    if dicts is not None:
        table.add_column("dict of dicts", justify="right")
    for name, ours, theirs in rows:
        table.add_row(name, ours, *([theirs] if dicts is not None else []))
    return table
