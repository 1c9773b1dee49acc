"""What `sojourn explain` says of events: a replay in which each of them is explained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from runtime.cli.errors import fail
from runtime.cli.explained_tree import WIDE, explained_tree
from runtime.clocks import NoClock
from runtime.config import load_tenant
from runtime.explain import ExplainingEngine
from runtime.explained import Explained, Watch, as_data
from runtime.io import files_named
from runtime.output import Output
from runtime.presets import resolve
from runtime.replay import Replay
from runtime.rules import TenantChecker, TenantRules


class _Enough(Exception):
    """As many events have been shown as were asked for."""


def explain_events(
    profile: str,
    events: Sequence[str],
    *,
    key: str | None,
    event: int | None,
    limit: int,
    clock: dict[str, Any],
    as_json: bool,
) -> None:
    """Replays the events and shows those that are wanted, in the order in which they are worked on."""
    rules = TenantChecker(load_tenant(resolve(profile))).compile(report=True)
    console = Console(highlight=False)
    if not console.is_terminal:
        # Lines are not broken for a terminal that is not there.
        console = Console(highlight=False, width=WIDE)
    shown: list[Explained] = []

    def wants(explained: Explained) -> bool:
        if event is not None and explained.line != event:
            return False
        return key is None or key in explained.all_keys

    def take(explained: Explained) -> None:
        if not as_json:
            console.print(explained_tree(as_data(explained)))
            console.print()
        shown.append(explained)
        if len(shown) >= limit or event is not None:
            raise _Enough

    watch = Watch(wants, take)

    def engine(rules: TenantRules, output: Output, **options: Any) -> ExplainingEngine:
        return ExplainingEngine(rules, output, watch, **options)

    more = False
    try:
        Replay(rules, None, engine=engine, **clock).run(files_named(events))
    except NoClock as error:
        fail(str(error))
    except _Enough:
        more = event is None
    if as_json:
        click.echo(json.dumps([as_data(each) for each in shown], indent=2, ensure_ascii=False))
    elif not shown:
        console.print("[yellow]nothing to explain[/]: no event has this key or number")
    elif more:
        console.print(f"[dim]the first {limit}; --limit, --key and --event choose others[/]")
