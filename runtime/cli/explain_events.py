"""What `sojourn explain` says of events: a tree on the terminal, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from runtime.cli.errors import fail
from runtime.cli.values import cut, plain_value, shown_time, shown_value
from runtime.config import load_tenant
from runtime.explain import ExplainingEngine
from runtime.explained import Explained, Life, Pass, RuleSeen, Watch
from runtime.io import files_named
from runtime.output import Output
from runtime.presets import resolve
from runtime.replay import NoClock, Replay
from runtime.rules import TenantChecker, TenantRules

_WIDE = 400
_STYLES = {"began": "green", "went on": "", "ended": "magenta", "waits to end": "yellow"}


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
    checker = TenantChecker(load_tenant(resolve(profile)))
    rules = checker.compile(report=True)
    console = Console(highlight=False)
    if not console.is_terminal:
        # Lines are not broken for a terminal that is not there.
        console = Console(highlight=False, width=_WIDE)
    shown: list[Explained] = []

    def wants(explained: Explained) -> bool:
        if event is not None and explained.line != event:
            return False
        return key is None or key in explained.all_keys

    def take(explained: Explained) -> None:
        if not as_json:
            console.print(_tree(explained))
            console.print()
        shown.append(explained)
        if len(shown) >= limit or event is not None:
            raise _Enough

    watch = Watch(wants, take)

    def engine(rules: TenantRules, output: Output, **options: Any) -> ExplainingEngine:
        return ExplainingEngine(checker, rules, output, watch, **options)

    more = False
    try:
        Replay(rules, None, engine=engine, **clock).run(files_named(events))
    except NoClock as error:
        fail(str(error))
    except _Enough:
        more = event is None
    if as_json:
        click.echo(json.dumps([_data(each) for each in shown], indent=2, ensure_ascii=False))
    elif not shown:
        console.print("[yellow]nothing to explain[/]: no event has this key or number")
    elif more:
        console.print(f"[dim]the first {limit}; --limit, --key and --event choose others[/]")


# ---- for people


def _tree(explained: Explained) -> Tree:
    when = shown_time(explained.now_ms)
    if explained.line is None:
        tree = Tree(Text.assemble((when, "bold"), ("  time goes on", "dim")), guide_style="dim")
    else:
        title = Text.assemble((f"event {explained.line}", "bold cyan"), "  ", (when, "bold"), "  ")
        title.append(explained.outcome, "green" if explained.outcome == "ok" else "yellow")
        title.append(f"  {cut(explained.raw.decode(errors='replace'), 100)}", "dim")
        tree = Tree(title, guide_style="dim")
    for step in explained.steps:
        if isinstance(step, Life):
            head = (f"{step.kind} {step.what}", f"bold {_STYLES[step.what]}".strip())
            tree.add(Text.assemble(head, ": ", step.why, (f"  {step.session_id}", "dim")))
        else:
            _add_pass(tree, step)
    for session_id, due_ms in explained.due_ms:
        tree.add(
            Text.assemble(("due ", "bold"), f"at {shown_time(due_ms)}, if nothing comes", (f"  {session_id}", "dim"))
        )
    return tree


def _add_pass(tree: Tree, step: Pass) -> None:
    title = Text.assemble((step.rule_set, "bold"), f" on {step.event_type}")
    if step.voided:
        title.append("  undone: a rule splits the session before this event", "yellow")
    branch = tree.add(title)
    width = max((len(seen.name) for seen in step.rules), default=0)
    for seen in step.rules:
        branch.add(_rule(seen, min(width, 40)))
    for name, before, after in step.changes:
        branch.add(
            Text.assemble((f"{name} ", "cyan"), (shown_value(before), "dim"), " → ", (shown_value(after), "bold"))
        )
    if step.decorations:
        pairs = ", ".join(f"{name} = {shown_value(value)}" for name, value in step.decorations.items())
        branch.add(Text.assemble(("decorates ", "cyan"), pairs))


def _rule(seen: RuleSeen, width: int) -> Text:
    name = f"{cut(seen.name, width):<{width}}  "
    if seen.error is not None:
        return Text.assemble(("! ", "bold red"), name, (seen.error, "red"))
    if seen.matched:
        # A column without a name that is a constant, as in `select 1`, says nothing.
        columns = ((column, shown_value(value)) for column, value in (seen.row or {}).items())
        row = ", ".join(f"{column} = {shown}" for column, shown in columns if column != shown)
        shadow = "  (shadow: it has no effect)" if seen.shadow else ""
        return Text.assemble(("✓ ", "bold green"), name, row, (shadow, "dim"))
    read = ", ".join(f"{text} is {shown_value(value)}" for text, value in seen.reads)
    needs = f"needs {seen.failed}  " if seen.failed else ""
    return Text.assemble(("· ", "dim"), (name, "dim"), needs, (read, "yellow"))


# ---- for machines


def _data(explained: Explained) -> dict[str, Any]:
    return {
        "line": explained.line,
        "now_ms": explained.now_ms,
        "event": explained.raw.decode(errors="replace") or None,
        "outcome": explained.outcome or None,
        "keys": [{"profile": profile, "key": key} for profile, key in explained.keys],
        "steps": [_step(step) for step in explained.steps],
        "due": [{"session": session_id, "due_ms": due_ms} for session_id, due_ms in explained.due_ms],
    }


def _step(step: Pass | Life) -> dict[str, Any]:
    if isinstance(step, Life):
        return {"kind": step.what, "of": step.kind, "session": step.session_id, "why": step.why}
    return {
        "kind": "rules",
        "of": step.rule_set,
        "event_type": step.event_type,
        "voided": step.voided,
        "rules": [
            {
                "rule": seen.name,
                "matched": seen.matched,
                "shadow": seen.shadow,
                "failed": seen.failed,
                "read": {text: plain_value(value) for text, value in seen.reads},
                "row": None if seen.row is None else plain_value(seen.row),
                "error": seen.error,
            }
            for seen in step.rules
        ],
        "changes": [
            {"name": name, "before": plain_value(before), "after": plain_value(after)}
            for name, before, after in step.changes
        ],
        "decorations": plain_value(step.decorations),
    }
