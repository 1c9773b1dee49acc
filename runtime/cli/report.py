"""The summary of a replay: events by outcome, sessions, their durations and lengths, the busiest rules."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runtime.cli.summary import rules_by_matches
from runtime.cli.values import counted
from runtime.config import spoken_duration
from runtime.counters import SessionCounters
from runtime.replay import Replayed, Workers

_BAR = "▏▎▍▌▋▊▉█"
_BAR_WIDTH = 20
_LABEL_WIDTH = 34
_TOP_RULES = 8


def workers_text(workers: Workers) -> Text:
    """How many processes there were, and why not as many as were asked for."""
    told = "one process" if workers.used == 1 else f"{workers.used} processes"
    if workers.used < workers.asked:
        told += f", not {workers.asked}: {workers.why}"
    if workers.redone:
        told += f"; gone through twice, since earlier events are of a later time: {counted(workers.redone, 'part')}"
    return Text(told, "dim")


def render(
    replayed: Replayed, console: Console, *, dead_letters: str | None = None, snapshot: Path | None = None
) -> None:
    """Prints the summary, and where open sessions went."""
    engine = replayed.engine
    speed = f"{replayed.events_per_second:,.0f} events/s"
    console.print(
        Text.assemble(
            (f"{engine.rules.config.tenant}: ", "bold"),
            f"{replayed.events:,} events in {replayed.seconds:.2f} s ",
            (f"({speed})", "dim"),
        )
    )
    if replayed.workers is not None:
        console.print(workers_text(replayed.workers), soft_wrap=True)
    if replayed.resumed is not None:
        told = f"after {replayed.events_before:,} before, which the counts below include"
        console.print(Text(told, "dim"))
    _section(console, "events", _bars(replayed.outcomes.items(), str))
    for profile in engine.profiles:
        _section(console, f"sessions of {profile.name}", _sessions(profile.counters))
        for sub in profile.sub_sessions:
            _section(console, f"sub-sessions {sub.name}", _sessions(sub.counters))
    rules = rules_by_matches(engine.rules.programs())
    if rules:
        _section(console, "rules by matches", _rule_table(rules[:_TOP_RULES]))
        silent = sum(matches == 0 for _, _, matches in rules)
        if silent:
            console.print(f"  [dim]{silent} of {len(rules)} rules never matched[/]")
    if engine.counters.debug:
        _section(console, "debug counters", _bars(engine.counters.debug.most_common(_TOP_RULES), str))
    _problems(replayed, console, dead_letters=dead_letters)
    if snapshot is not None:
        console.print(Text(f"\n{counted(engine.live_sessions, 'open session')} in {snapshot}"), soft_wrap=True)


def _section(console: Console, title: str, body: RenderableType) -> None:
    console.print()
    console.print(Text(title, "bold"))
    console.print(Padding(body, (0, 0, 0, 2)))


def bar(share: float) -> Text:
    """A small bar; any share above 0 shows."""
    eighths = round(share * _BAR_WIDTH * 8)
    full, rest = divmod(max(eighths, 1 if share > 0 else 0), 8)
    return Text("█" * full + (_BAR[rest - 1] if rest else ""), "cyan")


def _bars(counts: Iterable[tuple[Any, int]], label: Callable[[Any], str]) -> Table:
    """Counts as small bars, each as long as its share of the largest."""
    rows = list(counts)
    largest = max((count for _, count in rows), default=0)
    total = sum(count for _, count in rows)
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=12, max_width=_LABEL_WIDTH, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", min_width=9)
    table.add_column(justify="right", min_width=5)
    table.add_column()
    for key, count in rows:
        table.add_row(
            label(key), f"{count:,}", f"{count / total:.0%}" if total else "", bar(count / largest if largest else 0)
        )
    return table


def _sessions(counters: SessionCounters) -> RenderableType:
    if not counters.created:
        return Text("none", "dim")
    ended = counters.ended.total()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(min_width=12)
    facts.add_column()
    reasons = ", ".join(f"{count:,} by {reason}" for reason, count in counters.ended.most_common())
    facts.add_row("sessions", f"{counters.created:,}  [dim]ended: {reasons or 'none'}[/]")
    facts.add_row(
        "one event", f"{counters.single_event:,}  [dim]{counters.single_event / ended:.0%}[/]" if ended else "–"
    )
    if ended:
        mean, longest = spoken_duration(counters.total_duration_ms // ended), spoken_duration(counters.max_duration_ms)
        facts.add_row("duration", f"mean {mean}, longest {longest}")
        facts.add_row("events", f"mean {counters.events / ended:.1f}, most {counters.max_events:,}")
        facts.add_row("pause", f"longest {spoken_duration(counters.max_interval_ms)} within a session")
    if counters.max_lag_ms:
        mean, longest = spoken_duration(counters.total_lag_ms // counters.created), spoken_duration(counters.max_lag_ms)
        facts.add_row("lag", f"mean {mean}, longest {longest}, from its first event's own time to its arrival")
    return Group(
        facts,
        Text("\nduration", "dim"),
        _bars(_grouped(counters.durations, _DURATIONS), str),
        Text("\nevents a session", "dim"),
        _bars(_grouped(counters.lengths, _LENGTHS), str),
    )


# Upper ends of the shown groups, as bits of seconds and of events (see SessionCounters), with their labels.
_DURATIONS = (
    (0, "under 1 s"),
    (4, "under 16 s"),
    (6, "under 1 min"),
    (8, "under 4 min"),
    (10, "under 17 min"),
    (12, "under 68 min"),
    (14, "under 4.5 h"),
    (99, "longer"),
)
_LENGTHS = (
    (1, "1"),
    (2, "2–3"),
    (3, "4–7"),
    (4, "8–15"),
    (5, "16–31"),
    (6, "32–63"),
    (8, "64–255"),
    (99, "256 or more"),
)


def _grouped(counts: Sequence[int], groups: Sequence[tuple[int, str]]) -> list[tuple[str, int]]:
    """Counts by bits, gathered into groups; empty groups at either end are left out."""
    shown = []
    low = -1
    for high, label in groups:
        shown.append((label, sum(count for bits, count in enumerate(counts) if low < bits <= high)))
        low = high
    while shown and not shown[-1][1]:
        shown.pop()
    while shown and not shown[0][1]:
        shown.pop(0)
    return shown


def _rule_table(rules: Sequence[tuple[str, str, int]]) -> Table:
    largest = max(matches for _, _, matches in rules)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=26, overflow="ellipsis", min_width=12)
    table.add_column(justify="right", min_width=9)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    for name, where, matches in rules:
        table.add_row(name, f"{matches:,}", bar(matches / largest if largest else 0), "" if name == where else where)
    return table


def _problems(replayed: Replayed, console: Console, *, dead_letters: str | None) -> None:
    behind = replayed.engine.counters.behind_clock
    if behind:
        share = behind / replayed.engine.counters.outcomes.total()
        hint = "; --sort takes them in order" if share > 0.01 else ""
        console.print(f"\n[yellow]{behind:,} events ({share:.1%}) are older than one before them[/][dim]{hint}[/]")
    errors = replayed.engine.counters.rule_errors
    if errors:
        _section(console, "rules that failed on events", _bars((item for item in errors.most_common()), " ".join))
    if replayed.refused:
        lines = Group(*(Text(line, "yellow") for line in replayed.first_refused))
        _section(console, f"{replayed.refused.total():,} events refused", lines)
        console.print(Text(f"  {dead_letter_hint(dead_letters)}", "dim"), soft_wrap=True)


def dead_letter_hint(written_to: str | None) -> str:
    """What to do about events that were refused, by where their dead letters went."""
    if written_to is None:
        return "--dead-letters FILE writes all of them, with reasons"
    return f"sojourn dlq show {shlex.quote(written_to)} shows all of them"


def warn_of_losses(replayed: Replayed, console: Console, profile: str, resume: Path) -> None:
    """Says what the rules of now had no place for. Values are met as sessions are read."""
    restored = replayed.resumed
    if restored is None or not (restored.dropped_sessions or replayed.dropped_values):
        return
    lost = []
    if restored.dropped_sessions:
        lost.append(f"{counted(restored.dropped_sessions, 'open session')} of profiles that are gone")
    if replayed.dropped_values:
        lost.append(f"{counted(replayed.dropped_values, 'value')} that the rules have no place for")
    told = f"warning: {resume} is of other rules; dropped: {', '.join(lost)}"
    hint = f"sojourn plan {shlex.quote(str(resume))} {shlex.quote(profile)} says so beforehand"
    console.print(Text.assemble((told, "yellow"), "\n  ", (hint, "dim")), soft_wrap=True)
