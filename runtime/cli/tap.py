"""`sojourn tap`: events of a running service as they come, and what each rule did."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import click
from rich.console import Console

from runtime.cli.errors import fail
from runtime.cli.explained_tree import WIDE, explained_tree
from runtime.cli.options import format_option
from runtime.cli.remote import Remote, token_option
from runtime.protocol.operations import SAMPLE

_EPILOG = """\b
Examples:
  sojourn tap shop                                     as they come
  sojourn tap shop --key u1                            one visitor's
  sojourn tap shop --type Purchase --limit 5           the next five of a type
  sojourn tap shop --sample 1/1000 --format json | jq .outcome

\b
At most 100 events of a tenant are traced each second, for all who tap it; how many were missed is said.
Exit codes: 0 done, 2 the service does not answer, or not to this token."""


@click.command("tap", epilog=_EPILOG, short_help="Watch what rules do to the events of a running service.")
@click.argument("tenant")
@click.option("--monitor", default="http://127.0.0.1:9999", show_default=True, metavar="URL", help="Its monitoring.")
@token_option
@click.option("--key", metavar="KEY", help="Only events and ends of sessions with this key.")
@click.option("--type", "type_name", metavar="TYPE", help="Only events of this type.")
@click.option("--sample", default="1/1", show_default=True, metavar="1/N", help="One event of so many, by chance.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="So many, then end.")
@format_option
def tap_command(
    tenant: str,
    monitor: str,
    token_file: Path | None,
    key: str | None,
    type_name: str | None,
    sample: str,
    limit: int | None,
    format_: str,
) -> None:
    """Show events of TENANT as they come to a running service, and what each rule made of them. Ctrl-C ends.

    It is what happened, not a reckoning beside it: which session, which rules matched and with what row, what the
    others lacked, what was written, which markers left. What time alone ends is shown as well, unless --type chooses.
    """
    if re.fullmatch(SAMPLE, sample) is None:
        fail(f"--sample: `{sample}` is not one in so many, such as 1/100")
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    wanted = {"key": key, "type": type_name, "sample": sample, "limit": limit}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    try:
        for told in Remote(monitor, token_file).lines(f"/api/v1/tenants/{quote(tenant, safe='')}/tap?{query}"):
            if format_ == "json":
                click.echo(json.dumps(told, ensure_ascii=False))
            elif "missed" in told:
                console.print(f"[yellow]{told['missed']:,} missed[/]: there was no room or no time for them")
            else:
                console.print(explained_tree(told))
                console.print()
    except KeyboardInterrupt:
        pass
