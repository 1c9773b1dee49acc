"""The summary of a replay of several tenants: a line for each, and what needs looking at."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runtime.cli.report import dead_letter_hint, workers_text
from runtime.replay_tenants import ReplayedTenants


def render_tenants(replayed: ReplayedTenants, console: Console, *, dead_letters: str | None) -> None:
    """Prints the summary."""
    events = sum(each.events for each in replayed.tenants.values())
    title = f"{len(replayed.tenants)} tenants: "
    console.print(Text.assemble((title, "bold"), f"{events:,} events in {replayed.seconds:.2f} s"))
    if replayed.workers is not None:
        console.print(workers_text(replayed.workers), soft_wrap=True)
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("tenant", overflow="fold")
    for heading in ("events", "sessions", "ended", "rule errors", "refused"):
        table.add_column(heading, justify="right")
    table.add_column("")
    disabled = {each.tenant for each in replayed.disabled}
    for name, each in replayed.tenants.items():
        profiles = [profile.counters for profile in each.engine.profiles]
        counts = (
            each.events,
            sum(counters.created for counters in profiles),
            sum(counters.ended.total() for counters in profiles),
            each.engine.counters.rule_errors.total(),
            each.refused.total(),
        )
        shown = (Text(f"{count:,}") for count in counts)
        table.add_row(Text(name), *shown, Text("disabled" if name in disabled else "", "bold red"))
    console.print(table)
    for each_disabled in replayed.disabled:
        lost = f" ({each_disabled.live_sessions:,} open sessions have no end)" if each_disabled.live_sessions else ""
        console.print(Text(f"\n{each_disabled.tenant}: {each_disabled.reason}{lost}", "red"), soft_wrap=True)
    if replayed.refused:
        console.print(Text(f"\n{replayed.refused:,} events refused", "bold"))
        for refusals in (replayed.nobodys, *replayed.tenants.values()):
            for line in refusals.first_refused:
                console.print(Text(f"  {line}", "yellow"), soft_wrap=True)
        console.print(Text(f"  {dead_letter_hint(dead_letters)}", "dim"), soft_wrap=True)
