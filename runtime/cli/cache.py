"""`sojourn cache`: what is in the file of a session cache."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from runtime.cache.rows import StoredSession
from runtime.cli.errors import FINDINGS, fail
from runtime.cli.options import format_option
from runtime.cli.pages import print_rows
from runtime.cli.values import counted, cut, plain_value, shown_time, shown_value
from runtime.config import format_duration, format_size
from runtime.contents import Contents, ProfileContents, read_contents

_EPILOG = """\b
Examples:
  sojourn cache inspect open.snap"""
_INSPECT_EPILOG = """\b
Examples:
  sojourn replay my-tenant events.ndjson --snapshot open.snap
  sojourn cache inspect open.snap                 how many sessions, how large, how late it is
  sojourn cache inspect open.snap --key u1        the sessions of a key, with all that rules know of them
  sojourn cache inspect open.snap --limit 20      some sessions, a line for each
  sojourn cache inspect open.snap --format json | jq '.profiles[].sizes.median'

\b
Exit codes: 0 shown, 1 there is no session of the key, 2 the file or an option is wrong."""
_BARS = "▁▂▃▄▅▆▇█"
_BUCKETS = 20
_LONGEST = 300
_Found = tuple[str, int, StoredSession]


@click.group("cache", epilog=_EPILOG, short_help="Look into snapshots of open sessions.")
def cache() -> None:
    """Open sessions: what a snapshot has of them."""


@cache.command("inspect", epilog=_INSPECT_EPILOG, short_help="Say what is in a snapshot.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", metavar="NAME", help="Only the sessions of this profile.")
@click.option("--key", metavar="KEY", help="Show the sessions of this key, with state, metadata and sub-sessions.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="List N of the sessions, a line for each.")
@format_option
def inspect_command(file: Path, profile: str | None, key: str | None, limit: int | None, format_: str) -> None:
    """Say what is in the snapshot FILE; the rules that wrote it are not needed."""
    contents = read_contents(file)
    names = [each.name for each in contents.profiles]
    if profile not in (None, *names):
        fail(f"there is no profile `{profile}` in {file}; there are: {', '.join(names)}")
    console = Console(highlight=False)
    if key is None and limit is None:
        if format_ == "json":
            _print_json(_data(contents, profile))
        else:
            _print(contents, profile, file, console)
        return
    found = list(islice(contents.sessions(profile, key), limit))
    if key is not None and not found:
        click.echo(f"no open session of `{cut(key, 100)}`", err=True)
        raise SystemExit(FINDINGS)
    if format_ == "json":
        _print_json([_session_data(session) | {"profile": name, "bytes": size} for name, size, session in found])
    elif key is not None:
        for name, size, session in found:
            _print_session(name, size, session, console)
    elif found:
        headings = ("profile", "key", "first event", "last event", "expires", "events", "sub-sessions", "bytes")
        print_rows(headings, [_line(*each) for each in found], console)
    else:
        click.echo("no open sessions")


# ---- all of it


def _print(contents: Contents, profile: str | None, file: Path, console: Console) -> None:
    header = contents.header
    pages = f"{header.pages} of {format_size(header.page_size)}" if header.pages else "none"
    console.print(Text.assemble((contents.tenant, "bold"), f", {file}"), soft_wrap=True)
    rows = [
        ("format", f"{contents.format}"),
        ("file", f"{contents.file_bytes:,} bytes"),
        ("pages", f"{pages}, in blocks of {format_size(header.block_size)}"),
        ("in pages", f"{header.used_bytes:,} bytes used, {contents.free_bytes:,} free"),
        ("events that wait", f"{contents.events_waiting:,}"),
    ]
    for clock in contents.clocks:
        now = "no event yet" if clock.now_ms is None else shown_time(clock.now_ms)
        waiting = f"; {counted(clock.waiting, 'event')} waiting" if clock.waiting else ""
        rows.append((f"clock of partition {clock.number}", f"{now}{waiting}"))
    print_rows((), rows, console, margin="  ")
    for each in _wanted(contents, profile):
        console.print()
        console.print(Text.assemble((each.name, "bold"), f", {counted(each.sessions, 'open session')}"))
        print_rows((), list(_profile_rows(each)), console, margin="  ")


def _profile_rows(profile: ProfileContents) -> Iterator[tuple[str, str]]:
    in_pages = profile.sizes.total() - profile.objects
    yield "kept", f"{profile.objects:,} as objects, {in_pages:,} in pages only"
    if profile.sizes:
        least, most = min(profile.sizes), max(profile.sizes)
        yield "bytes a session", f"{least:,} to {most:,}, median {_median(profile.sizes):,}"
        if least < most:
            yield "", "".join(_bars([count for _, _, count in _histogram(profile.sizes)]))
    if len(profile.shapes) > 1:
        yield "written by", f"{len(profile.shapes)} rule sets: rules have changed"
    yield "ends nobody took", f"{profile.refused_ends:,}"
    if profile.late:
        yield "of late events", f"{profile.late:,}"


def _bars(counts: Sequence[int]) -> Iterator[str]:
    """A bar for each; what is there at all can be seen."""
    most = max(counts)
    for count in counts:
        yield _BARS[(count * len(_BARS) - 1) // most] if count else " "


def _histogram(sizes: Counter[int]) -> list[tuple[int, int, int]]:
    """From how many bytes, to how many, how many sessions; parts of one width."""
    least, most = min(sizes), max(sizes)
    width = max(-(-(most - least + 1) // _BUCKETS), 1)
    parts: Counter[int] = Counter()
    for size, count in sizes.items():
        parts[(size - least) // width] += count
    starts = range(least, most + 1, width)
    return [(start, start + width - 1, parts[number]) for number, start in enumerate(starts)]


def _median(sizes: Counter[int]) -> int:
    """The lower one where there are two."""
    left = (sizes.total() + 1) // 2
    for size in sorted(sizes):
        left -= sizes[size]
        if left <= 0:
            return size
    raise ValueError("no sizes")


def _data(contents: Contents, profile: str | None) -> dict[str, Any]:
    header = contents.header
    return {
        "tenant": contents.tenant,
        "format": contents.format,
        "file_bytes": contents.file_bytes,
        "block_size": header.block_size,
        "page_size": header.page_size,
        "pages": header.pages,
        "used_bytes": header.used_bytes,
        "free_bytes": contents.free_bytes,
        "events_waiting": contents.events_waiting,
        "clocks": [
            {"partition": each.number, "now_ms": each.now_ms, "events_waiting": each.waiting}
            for each in contents.clocks
        ],
        "profiles": [_profile_data(each) for each in _wanted(contents, profile)],
    }


def _profile_data(profile: ProfileContents) -> dict[str, Any]:
    sizes = profile.sizes
    return {
        "name": profile.name,
        "open_sessions": profile.sessions,
        "objects": profile.objects,
        "rule_sets": list(profile.shapes),
        "refused_ends": profile.refused_ends,
        "of_late_events": profile.late,
        "sizes": None
        if not sizes
        else {
            "min": min(sizes),
            "median": _median(sizes),
            "max": max(sizes),
            "histogram": [{"from": low, "to": high, "sessions": count} for low, high, count in _histogram(sizes)],
        },
    }


def _wanted(contents: Contents, profile: str | None) -> list[ProfileContents]:
    return [each for each in contents.profiles if profile in (None, each.name)]


# ---- sessions


def _line(profile: str, size: int, session: StoredSession) -> tuple[str, ...]:
    times = (session.first_event_ms, session.modified_ms, session.expires_at_ms)
    counts = (session.events, len(session.sub_sessions), size)
    return (profile, cut(session.key, 60), *map(shown_time, times), *(f"{count:,}" for count in counts))


def _print_session(profile: str, size: int, session: StoredSession, console: Console) -> None:
    console.print(Text.assemble((profile, "bold"), " ", (cut(session.key, _LONGEST), "bold cyan"), f", {size:,} bytes"))
    print_rows((), list(_session_rows(session)), console, margin="  ")
    for sub in session.sub_sessions:
        title = (f"  {sub.kind} ", (cut(sub.key, _LONGEST), "bold cyan"))
        console.print(Text.assemble(*title))
        print_rows((), list(_session_rows(sub)), console, margin="    ")


def _session_rows(session: StoredSession) -> Iterator[tuple[str, str]]:
    yield "id", cut(session.session_id, _LONGEST)
    yield "first event", shown_time(session.first_event_ms)
    yield "began", shown_time(session.created_ms)
    yield "last event", shown_time(session.modified_ms)
    yield "expires", f"{shown_time(session.expires_at_ms)}, if nothing comes; its gap is {_gap(session)}"
    yield "events", f"{session.events:,}"
    if session.bot_type:
        yield "bot", f"type {session.bot_type}, {session.bot_events:,} events since"
    for place, attributes in (("session", session.state), ("metadata", session.metadata)):
        for name, value in attributes.items():
            yield f"{place}.{cut(name, 60)}", shown_value(value, _LONGEST)


def _gap(session: StoredSession) -> str:
    return format_duration(max(session.gap_ms, 0))


def _session_data(session: StoredSession) -> dict[str, Any]:
    return {
        "kind": session.kind,
        "key": session.key,
        "id": session.session_id,
        "rule_set": session.rule_set,
        "first_event_ms": session.first_event_ms,
        "created_ms": session.created_ms,
        "modified_ms": session.modified_ms,
        "expires_at_ms": session.expires_at_ms,
        "gap_ms": session.gap_ms,
        "events": session.events,
        "bot_type": session.bot_type,
        "bot_events": session.bot_events,
        "state": plain_value(session.state),
        "metadata": plain_value(session.metadata),
        "sub_sessions": [_session_data(sub) for sub in session.sub_sessions],
    }


def _print_json(data: Any) -> None:
    # Keys may be half a surrogate pair, which no terminal takes as it is.
    click.echo(json.dumps(data, indent=2))
