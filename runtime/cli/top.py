"""`sojourn top`: what a running service does, on the terminal."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runtime.cli.remote import Remote, token_option

_EPILOG = """\b
Examples:
  sojourn top                                              the service of this machine
  sojourn top --url https://sessions.example:9999 --token-file admin.token
  sojourn top --times 1                                    once, for a script

\b
Exit codes: 0 done, 2 the service does not answer, or not to this token."""

_SPARKS = " ▁▂▃▄▅▆▇█"
_OTHERS_WIDTH = 72
"""What the other columns take; the sparks have the rest."""
_STATES = {"running": "green", "paused": "yellow", "stuck": "red", "disabled": "red"}


@click.command("top", epilog=_EPILOG, short_help="Watch a running service on the terminal.")
@click.option("--url", default="http://127.0.0.1:9999", show_default=True, metavar="URL", help="Where it is watched.")
@token_option
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--times", type=click.IntRange(min=1), metavar="N", help="Look so many times, then end.")
def top_command(url: str, token_file: Path | None, every: float, times: int | None) -> None:
    """Show each tenant of a running service: rates, live sessions, dead letters, latency. Ctrl-C ends."""
    console = Console(highlight=False)
    look = _Looks(Remote(url, token_file), max(console.width - _OTHERS_WIDTH, 8))
    try:
        on_screen = console.is_terminal and times is None
        with Live(look.drawn(), console=console, auto_refresh=False, screen=on_screen) as live:
            while times is None or (times := times - 1):
                time.sleep(every)
                live.update(look.drawn(), refresh=True)
    except KeyboardInterrupt:
        pass


class _Looks:
    """Asks a service again and again, and draws what it says."""

    def __init__(self, remote: Remote, spark_width: int) -> None:
        self._remote = remote
        self._spark_width = spark_width

    def drawn(self) -> Group:
        """The state of things as a table."""
        service = self._remote.get("/api/v1/service")
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("tenant", style="bold", no_wrap=True)
        table.add_column("state", no_wrap=True)
        table.add_column("events/s", no_wrap=True)
        for heading in ("now", "live", "ended", "dead", "waiting", "p99"):
            table.add_column(heading, justify="right", no_wrap=True)
        for each in service["tenants"]:
            name = quote(each["tenant"], safe="")
            samples = self._remote.get(f"/api/v1/tenants/{name}/series")["samples"]
            p99_ms = each["latency_p99_ms"]
            table.add_row(
                each["tenant"],
                Text(each["state"], _STATES[each["state"]]),
                Text(spark([sample["events"] for sample in samples][-self._spark_width :]), "cyan"),
                f"{each['events_per_second']:,.0f}",
                f"{each['live_sessions']:,}",
                f"{each['ended_sessions']:,}",
                Text(f"{each['dead_letters']:,}", "yellow" if each["dead_letters"] else ""),
                f"{each['waiting_batches']:,}",
                "–" if p99_ms is None else f"{p99_ms:,.1f} ms",
            )
        problems = [
            Text(f"{each['tenant']}: {each['problem']}", "red") for each in service["tenants"] if each["problem"]
        ]
        up_s = (service["now_ms"] - service["started_ms"]) // 1000
        head = Text.assemble(("sojourn ", "bold"), service["version"], (f"  {self._remote.url}  up {up_s:,} s", "dim"))
        return Group(head, "", table, *problems)


def spark(values: list[int]) -> str:
    """Values as a line of small bars, the highest of them full."""
    most = max(values, default=0)
    return "".join(_SPARKS[-(-value * 8 // most) if most else 0] for value in values)
