"""`sojourn explain`: what rules made of events, and what they come down to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from epl import Compiled
from epl.compiler.legend import NAMES, legend
from runtime.cli.errors import fail
from runtime.cli.explain_events import explain_events
from runtime.cli.options import format_option
from runtime.cli.pages import coloured
from runtime.config import load_tenant
from runtime.presets import resolve
from runtime.rules import TenantRules, compile_tenant

_EPILOG = """\b
Examples:
  sojourn explain my-tenant events.ndjson --key u1     one visitor, event by event
  sojourn explain my-tenant events.ndjson --event 120  one event: its line
  sojourn explain pulsar --code                        the Python that the rules become
  sojourn explain examples/shop --code --rules cart    of one rule set
  sojourn explain examples/shop --code --format json | jq -r '.[].python'

\b
Exit codes: 0 shown, 1 the rules have problems, 2 a file, an option or a rule set is wrong."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A compiled rule set; `kind` is `controller`, `profile` or `sub-session`, `name` what the configuration says."""

    kind: str
    name: str
    compiled: Compiled

    @property
    def file(self) -> str:
        """The file of its rules."""
        return self.compiled.program.source.name

    @property
    def title(self) -> str:
        """File, kind and name in one line."""
        return " ".join(filter(None, (f"{self.file}:", self.kind, self.name)))


def rule_sets(rules: TenantRules) -> Iterator[RuleSet]:
    """All rule sets of a tenant, in configuration order."""
    yield RuleSet("controller", "", rules.controller)
    for profile in rules.profiles:
        yield RuleSet("profile", profile.config.name, profile.compiled)
        for sub in profile.sub_sessions:
            yield RuleSet("sub-session", sub.config.name, sub.compiled)


@click.command("explain", epilog=_EPILOG, short_help="Say why events became the sessions that they did.")
@click.argument("profile")
@click.argument("events", nargs=-1)
@click.option("--key", metavar="KEY", help="Only what is about the sessions of this key.")
@click.option("--event", metavar="N", type=click.IntRange(min=1), help="Only the event in line N.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="Show no more than this."
)
@click.option("--time-field", metavar="NAME", help="The field with an event's own time, where rules give none.")
@click.option("--now-field", metavar="NAME", help="The field with the time of arrival.")
@click.option("--sort", is_flag=True, help="Take events in the order of their time.")
@click.option("--code", is_flag=True, help="Print the generated Python.")
@click.option("--rules", "wanted", metavar="SUBSTRING", help="Only rule sets with this in their file, kind or name.")
@format_option
def explain_command(
    profile: str,
    events: tuple[str, ...],
    key: str | None,
    event: int | None,
    limit: int,
    time_field: str | None,
    now_field: str | None,
    sort: bool,
    code: bool,
    wanted: str | None,
    format_: str,
) -> None:
    """Replay EVENTS by the rules of PROFILE and say, for each, what every rule saw and why.

    For each event: which rules matched and what row they gave; for those that did not, the first condition that did
    not hold and what it read; what was written, before and after; why the session began, went on, split or ended, and
    when it is due. PROFILE is a tenant's folder or the name of a shipped profile.

    With --code instead of EVENTS: the Python that the rules become. A comment before each rule's code says where it
    comes from; a rule that reads what others write is read before any of them writes, so that it appears twice.
    """
    if code == bool(events):
        fail("say what to explain: files of events, or --code")
    if not code:
        clock = {"time_field": time_field, "now_field": now_field, "sort": sort}
        explain_events(profile, events, key=key, event=event, limit=limit, clock=clock, as_json=format_ == "json")
        return
    every = list(rule_sets(compile_tenant(load_tenant(resolve(profile)))))
    chosen = [each for each in every if wanted is None or wanted.casefold() in each.title.casefold()]
    if not chosen:
        fail(f"no rule set has `{wanted}` in its title; there are: {'; '.join(each.title for each in every)}")
    if format_ == "json":
        click.echo(json.dumps([_data(each) for each in chosen], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    _print(_comments("Names", NAMES), console)
    for rule_set in chosen:
        console.print()
        if console.is_terminal:
            console.rule(Text(rule_set.title, "bold"), align="left", style="dim")
        else:
            click.echo(f"# ---- {rule_set.title}")
        console.print()
        _print(_listing(rule_set.compiled), console)


def _listing(compiled: Compiled) -> str:
    names = legend(compiled)
    if not compiled.handlers:
        return "# no rules"
    return compiled.python + (f"\n{_comments('Bound outside of this text', names)}" if names else "")


def _comments(heading: str, names: Mapping[str, str]) -> str:
    width = max(map(len, names))
    return "\n".join([f"# {heading}:", *(f"#   {name:<{width}}  {_line(text)}" for name, text in names.items())])


def _line(text: str) -> str:
    """On one line, also what comes from a user's own names."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _print(text: str, console: Console) -> None:
    console.print(coloured(text, "python", console), soft_wrap=True)


def _data(rule_set: RuleSet) -> dict[str, object]:
    compiled = rule_set.compiled
    return {
        "file": rule_set.file,
        "kind": rule_set.kind,
        "name": rule_set.name,
        "event_types": list(compiled.handlers),
        "python": compiled.python,
        "names": dict(legend(compiled)),
    }
