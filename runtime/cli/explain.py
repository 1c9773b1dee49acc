"""`sojourn explain`: what a tenant's rules come down to."""

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
from runtime.cli.pages import coloured
from runtime.config import load_tenant
from runtime.presets import resolve
from runtime.rules import TenantRules, compile_tenant

_EPILOG = """\b
Examples:
  sojourn explain pulsar --code                        the Python that the rules become
  sojourn explain examples/shop --code --rules cart    of one rule set
  sojourn explain examples/shop --code --format json | jq -r '.[].python'

\b
Exit codes: 0 shown, 1 the rules have problems, 2 there is no such rule set."""


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


@click.command("explain", epilog=_EPILOG, short_help="Show the Python that rules become.")
@click.argument("profile")
@click.option("--code", is_flag=True, help="Print the generated Python.")
@click.option("--rules", "wanted", metavar="SUBSTRING", help="Only rule sets with this in their file, kind or name.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or machines.",
)
def explain_command(profile: str, code: bool, wanted: str | None, format_: str) -> None:
    """Show the Python that the rules of PROFILE become: controller, profiles, sub-sessions.

    PROFILE is a tenant's folder or the name of a shipped profile. A comment before each rule's code says where it comes
    from; a rule that reads what others write is read before any of them writes, so that it appears twice.
    """
    if not code:
        fail("say what to show: --code")
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
