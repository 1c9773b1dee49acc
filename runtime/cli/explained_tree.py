"""An event that was explained, as a tree on the terminal: of a replay, or told by a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from runtime.cli.values import cut, shown_time, shown_value

WIDE = 400
"""Columns where there is no terminal for which lines would have to be broken."""
_STYLES = {"began": "green", "went on": "", "ended": "magenta", "waits to end": "yellow"}


def explained_tree(explained: Mapping[str, Any]) -> Tree:
    """The tree of what `runtime.explained.as_data` gives."""
    when = shown_time(explained["now_ms"])
    if explained["line"] is None:
        tree = Tree(Text.assemble((when, "bold"), ("  time goes on", "dim")), guide_style="dim")
    else:
        title = Text.assemble((f"event {explained['line']}", "bold cyan"), "  ", (when, "bold"), "  ")
        outcome = explained["outcome"] or ""
        title.append(outcome, "green" if outcome == "ok" else "yellow")
        title.append(f"  {cut(explained['event'] or '', 100)}", "dim")
        tree = Tree(title, guide_style="dim")
    for step in explained["steps"]:
        if step["kind"] == "rules":
            _add_pass(tree, step)
        elif step["kind"] == "marker":
            tree.add(Text.assemble(("sent ", "bold blue"), shown_value(step["marker"], WIDE)))
        else:
            head = (f"{step['of']} {step['kind']}", f"bold {_STYLES[step['kind']]}".strip())
            tree.add(Text.assemble(head, ": ", step["why"], (f"  {step['session']}", "dim")))
    for due in explained["due"]:
        when = shown_time(due["due_ms"])
        tree.add(Text.assemble(("due ", "bold"), f"at {when}, if nothing comes", (f"  {due['session']}", "dim")))
    return tree


def _add_pass(tree: Tree, step: Mapping[str, Any]) -> None:
    title = Text.assemble((step["of"], "bold"), f" on {step['event_type']}")
    if step["voided"]:
        title.append("  undone: a rule splits the session before this event", "yellow")
    branch = tree.add(title)
    width = max((len(seen["rule"]) for seen in step["rules"]), default=0)
    for seen in step["rules"]:
        branch.add(_rule(seen, min(width, 40)))
    for change in step["changes"]:
        before, after = shown_value(change["before"]), shown_value(change["after"])
        branch.add(Text.assemble((f"{change['name']} ", "cyan"), (before, "dim"), " → ", (after, "bold")))
    if step["decorations"]:
        pairs = ", ".join(f"{name} = {shown_value(value)}" for name, value in step["decorations"].items())
        branch.add(Text.assemble(("decorates ", "cyan"), pairs))


def _rule(seen: Mapping[str, Any], width: int) -> Text:
    name = f"{cut(seen['rule'], width):<{width}}  "
    if seen["error"] is not None:
        return Text.assemble(("! ", "bold red"), name, (seen["error"], "red"))
    if seen["matched"]:
        # A column without a name that is a constant, as in `select 1`, says nothing.
        columns = ((column, shown_value(value)) for column, value in (seen["row"] or {}).items())
        row = ", ".join(f"{column} = {shown}" for column, shown in columns if column != shown)
        shadow = "  (shadow: it has no effect)" if seen["shadow"] else ""
        return Text.assemble(("✓ ", "bold green"), name, row, (shadow, "dim"))
    read = ", ".join(f"{text} is {shown_value(value)}" for text, value in seen["read"].items())
    needs = f"needs {seen['failed']}  " if seen["failed"] else ""
    return Text.assemble(("· ", "dim"), (name, "dim"), needs, (read, "yellow"))
