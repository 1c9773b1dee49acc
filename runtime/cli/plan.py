"""`sojourn plan`: what a change of rules does to sessions that are open, before it is made."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.text import Text

from epl import InvalidInput
from runtime.cache.shapes import Change
from runtime.cli.errors import FINDINGS, USAGE, fail
from runtime.cli.excerpts import show
from runtime.cli.options import format_option
from runtime.cli.pages import print_rows
from runtime.cli.values import counted
from runtime.config import YAML_NAME, load_tenant
from runtime.contents import read_contents
from runtime.plan import AttributePlan, Before, KindPlan, Plan, Setting, plan
from runtime.presets import resolve
from runtime.rules import TenantRules, compile_tenant

_EPILOG = """\b
Examples:
  sojourn plan my-tenant my-tenant.new          the rules of now, and those to be
  sojourn plan open.snap my-tenant              what --resume would drop of a snapshot
  git worktree add ../before && sojourn plan ../before/rules rules
  sojourn plan open.snap my-tenant --format json | jq .loses

\b
Attributes, profiles and kinds of sub-sessions are found by name. What is
  added                    is null in open sessions
  kept, converted          holds the same value
  converted where it fits  holds the value if the new type can, and else is dropped
  dropped                  is gone, as are open sessions of a profile that is gone

\b
Exit codes: 0 nothing is lost, 1 something is dropped or may be, 2 a file or the rules are wrong."""
_STYLES = {
    Change.ADDED: "green",
    Change.CONVERTED: "cyan",
    Change.WHERE_IT_FITS: "yellow",
    Change.DROPPED: "red",
}
_NONE = "–"


@click.command("plan", epilog=_EPILOG, short_help="Say what a change of rules does to open sessions.")
@click.argument("old")
@click.argument("new")
@format_option
def plan_command(old: str, new: str, format_: str) -> None:
    """Say what becomes of open sessions when the rules of NEW take over from OLD.

    OLD is a tenant's folder, a shipped profile or a snapshot; NEW a tenant's folder or a shipped profile. A snapshot
    also has what rules before its own have written and no event has touched since, but not the settings of its rules.
    """
    planned = plan(_before(old), _rules(new))
    if format_ == "json":
        click.echo(json.dumps(planned.data(), indent=2, ensure_ascii=False))
    else:
        _print(planned, Console(highlight=False))
    if planned.loses:
        raise SystemExit(FINDINGS)


def _before(old: str) -> Before:
    path = resolve(old)
    if path.is_dir() or not path.exists() or path.suffix in (".yaml", ".yml"):
        return Before.of_rules(_rules(old))
    return Before.of_snapshot(read_contents(path))


def _rules(profile: str) -> TenantRules:
    path = resolve(profile)
    if path.is_file() and path.suffix not in (".yaml", ".yml"):
        fail(f"{profile}: it is no tenant; name the folder that has {YAML_NAME}")
    try:
        return compile_tenant(load_tenant(path))
    except InvalidInput as error:
        # Exit code 1 means that sessions lose something.
        show(error.diagnostics, Console(stderr=True, highlight=False))
        raise SystemExit(USAGE) from error


# ---- for people


def _print(planned: Plan, console: Console) -> None:
    if planned.refused is not None:
        console.print(Text(f"all open sessions are lost: {planned.refused}", "red"), soft_wrap=True)
        return
    for profile in planned.profiles:
        count = "" if profile.open_sessions is None else f", {profile.open_sessions:,} open"
        _print_kind(profile, f"{profile.name}{count}", "sessions", console)
        for sub in profile.sub_sessions:
            _print_kind(sub, f"{profile.name} › {sub.name}", "sub-sessions", console)
    console.print(_summary(planned), soft_wrap=True)


def _print_kind(kind: KindPlan, title: str, what: str, console: Console) -> None:
    console.print(Text(title, "bold"))
    if kind.change is Change.ADDED:
        console.print(Text(f"  new: there are no open {what} yet", "green"))
    elif kind.change is Change.DROPPED and not kind.is_lost:
        console.print(f"  gone, and no {what} are open")
    elif kind.change is Change.DROPPED:
        console.print(Text(f"  gone: its open {what} are dropped, without an end marker", "red"))
    else:
        _print_changes(kind, console)
    console.print()


def _print_changes(kind: KindPlan, console: Console) -> None:
    changed = [each for each in kind.attributes if each.change is not Change.KEPT]
    kept = kind.attributes_by(Change.KEPT)
    if changed:
        styles = [_STYLES[each.change] for each in changed]
        print_rows(("attribute", "before", "after", "is"), [_cells(each) for each in changed], console, styles, "  ")
    if kept:
        names = ", ".join(map(_name, kept))
        console.print(Text(f"  {len(kept)} kept: {names}", "dim"), soft_wrap=True)
    elif not changed:
        console.print(Text("  no attributes", "dim"))
    if kind.settings:
        console.print()
        rows = [(each.name, each.before, each.after, _holds(each)) for each in kind.settings]
        print_rows(("setting", "before", "after", "open ones"), rows, console, margin="  ")


def _name(attribute: AttributePlan) -> str:
    """As rules write it: what they keep of a session is `session.x`, of its metadata `metadata.x`."""
    return f"{'session' if attribute.namespace == 'state' else attribute.namespace}.{attribute.name}"


def _cells(attribute: AttributePlan) -> tuple[str, str, str, str]:
    before = " or ".join(attribute.before)
    return _name(attribute), before or _NONE, attribute.after or _NONE, attribute.change.value


def _holds(setting: Setting) -> str:
    return "follow it at once" if setting.holds_for_open else "go on as they began"


def _summary(planned: Plan) -> Text:
    if not planned.loses:
        return Text("nothing is lost", "green")
    gone = [kind.name for kind in planned.kinds() if kind.is_lost]
    dropped = sum(len(kind.attributes_by(Change.DROPPED)) for kind in planned.kinds())
    perhaps = sum(len(kind.attributes_by(Change.WHERE_IT_FITS)) for kind in planned.kinds())
    parts = [
        f"all of {', '.join(gone)}" if gone else "",
        counted(dropped, "attribute") if dropped else "",
        f"{counted(perhaps, 'attribute')} where the value does not fit" if perhaps else "",
    ]
    return Text(f"lost: {'; '.join(filter(None, parts))}", "red" if gone or dropped else "yellow")
