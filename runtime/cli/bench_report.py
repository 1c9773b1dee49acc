"""The tables of `sojourn bench`: the parts of an event's way, and what each rule costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runtime.bench import Figures, WorkerFigures, rule_key
from runtime.cli.report import bar

_MIB = 1 << 20


def render(
    figures: Figures, console: Console, ratios: Mapping[str, float] | None = None, differences: Sequence[str] = ()
) -> None:
    """Prints the figures; with `ratios`, how each compares with a baseline, which may differ in more than speed."""
    console.print(
        Text.assemble(
            (f"{figures.tenant}: ", "bold"),
            f"{figures.events_per_second:,.0f} events/s",
            (_of_baseline(ratios, "events_per_second", ", {:.2f} of the baseline"), "bold cyan"),
        )
    )
    facts = Table.grid(padding=(0, 2))
    facts.add_column(min_width=12)
    facts.add_column()
    runs = (
        f"the median of {figures.runs} runs of {figures.fastest_seconds:.3f} to {figures.slowest_seconds:.3f} s"
        if figures.runs > 1
        else "one run: the next may differ by a lot"
    )
    facts.add_row("events", f"{figures.events:,}")
    facts.add_row("time", f"{figures.seconds:.3f} s  [dim]{runs}[/]")
    cpu = _of_baseline(ratios, "cpu_seconds", ", {:.2f} of the baseline")
    facts.add_row("CPU time", f"{figures.cpu_seconds:.3f} s[dim]{cpu}[/]")
    if figures.peak_memory_bytes is not None:
        memory = _of_baseline(ratios, "peak_memory_bytes", ", {:.2f} of the baseline")
        facts.add_row("peak memory", f"{figures.peak_memory_bytes / _MIB:.0f} MiB[dim]{memory}[/]")
    if figures.workers is not None:
        facts.add_row("workers", _by_workers(figures, figures.workers))
    console.print(Padding(facts, (0, 0, 0, 2), expand=False))
    _print(console, "where the time goes, by CPU time", _parts(figures, ratios))
    if figures.rules:
        _print(console, "rules, each by itself", _rules(figures, ratios))
    if differences:
        console.print(f"\n[yellow]beside speed, the baseline differs:[/] {'; '.join(differences)}", soft_wrap=True)


def _by_workers(figures: Figures, workers: WorkerFigures) -> str:
    if workers.seconds is None:
        return f"one does all: {workers.why}"
    times = f"{figures.seconds / workers.seconds:.2f} times as fast"
    return f"{workers.used} take {workers.seconds:.3f} s, {figures.events / workers.seconds:,.0f} events/s: {times}"


def _print(console: Console, title: str, table: Table) -> None:
    console.print()
    console.print(Text(title, "bold"))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def _parts(figures: Figures, ratios: Mapping[str, float] | None) -> Table:
    table = _table(ratios, "µs/event", "share")
    table.add_column(no_wrap=True)
    for part in figures.parts:
        cells = [part.name.replace("_", " "), f"{part.us_per_event:.2f}", f"{part.share:.0%}"]
        _add(table, cells, ratios, f"{part.name}_us_per_event", bar(max(part.share, 0)))
    return table


def _rules(figures: Figures, ratios: Mapping[str, float] | None) -> Table:
    table = _table(ratios, "µs/event", "matches")
    table.add_column(no_wrap=True, style="dim")
    for rule in figures.rules:
        cells = [rule.rule, f"{rule.us_per_event:.2f}", f"{rule.matches:,}"]
        _add(table, cells, ratios, rule_key(rule.where), Text("" if rule.rule == rule.where else rule.where))
    return table


def _table(ratios: Mapping[str, float] | None, *figures: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(no_wrap=True, min_width=12, max_width=30, overflow="ellipsis")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    if ratios is not None:
        table.add_column("ratio", justify="right", no_wrap=True)
    return table


def _add(table: Table, cells: list[str], ratios: Mapping[str, float] | None, key: str, last: Text) -> None:
    """A row, with the ratio of its figure where there are ratios; a figure lost in the noise has none."""
    ratio = [] if ratios is None else [_of_baseline(ratios, key, "{:.2f}") or "–"]
    table.add_row(*map(Text, [*cells, *ratio]), last)


def _of_baseline(ratios: Mapping[str, float] | None, key: str, text: str) -> str:
    return text.format(ratios[key]) if ratios is not None and key in ratios else ""
