"""The command line: one module a command, gathered here."""

from __future__ import annotations

import click

from runtime.cli.annotation import annotation_command
from runtime.cli.bench import bench_command
from runtime.cli.bench_cache import bench_cache
from runtime.cli.cache import cache
from runtime.cli.completion import completion_command
from runtime.cli.dlq import dlq
from runtime.cli.errors import Sojourn
from runtime.cli.explain import explain_command
from runtime.cli.fmt import fmt_command
from runtime.cli.function import function_command
from runtime.cli.generate import generate
from runtime.cli.lint import lint_command
from runtime.cli.plan import plan_command
from runtime.cli.profiles import profiles_command
from runtime.cli.reference import reference_command
from runtime.cli.replay import replay_command
from runtime.cli.rule import rule_command
from runtime.cli.serve import serve_command
from runtime.cli.tap import tap_command
from runtime.cli.top import top_command

_EPILOG = """\b
Start here:
  sojourn generate shop --out shop.ndjson      made-up events
  sojourn replay examples/shop shop.ndjson     rules over them
  sojourn lint examples/shop                   the rules, checked
  sojourn function coalesce                    what rules can call, explained"""


@click.group(cls=Sojourn, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sojourn", message="sojourn %(version)s")
def main() -> None:
    """Event streams into sessions, by rules."""


for command in (
    lint_command,
    fmt_command,
    replay_command,
    serve_command,
    top_command,
    tap_command,
    dlq,
    explain_command,
    bench_command,
    plan_command,
    cache,
    generate,
    profiles_command,
    rule_command,
    function_command,
    annotation_command,
    completion_command,
    reference_command,
):
    main.add_command(command)
bench_command.add_command(bench_cache)
