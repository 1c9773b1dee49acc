"""`sojourn profiles`: the tenants that come with Sojourn."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from runtime.cli.options import format_option
from runtime.config import TenantConfig, format_duration, load_tenant
from runtime.presets import presets

_EPILOG = """\b
Examples:
  sojourn profiles
  sojourn replay pulsar events.ndjson       a shipped profile is named like a folder
  cp -r "$(sojourn profiles --path pulsar)" my-tenant"""


@click.command("profiles", epilog=_EPILOG, short_help="List the profiles that come with Sojourn.")
@click.option("--path", "wanted", metavar="NAME", help="Print the folder of one profile and nothing else.")
@format_option
def profiles_command(wanted: str | None, format_: str) -> None:
    """List the profiles that come with Sojourn: ready to use, and to copy from."""
    found = presets()
    if wanted is not None:
        if wanted not in found:
            raise click.BadParameter(f"there is no profile {wanted!r}; known: {', '.join(found)}", param_hint="--path")
        click.echo(found[wanted])
        return
    described = [_described(name, load_tenant(folder)) | {"path": str(folder)} for name, folder in found.items()]
    if format_ == "json":
        click.echo(json.dumps(described, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("profile", "event types", "sessions", "gap", "sub-sessions"):
        table.add_column(heading)
    for each in described:
        sessions = each["sessions"]
        table.add_row(
            each["profile"],
            ", ".join(each["events"]),
            ", ".join(session["name"] for session in sessions),
            ", ".join(session["gap"] for session in sessions),
            ", ".join(name for session in sessions for name in session["sub_sessions"]) or "–",
        )
    Console(highlight=False).print(table)


def _described(name: str, config: TenantConfig) -> dict[str, Any]:
    return {
        "profile": name,
        "events": list(config.events),
        "sessions": [
            {
                "name": profile.name,
                "gap": format_duration(profile.gap_ms),
                "sub_sessions": [sub.name for sub in profile.sub_sessions],
            }
            for profile in config.profiles
        ],
    }
