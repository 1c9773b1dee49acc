"""`sojourn reference`: the reference pages, written from the code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from runtime.cli.added import PROFILE_HELP, added_by
from runtime.cli.errors import FINDINGS
from runtime.protocol import INGEST, MONITOR, Port, described
from runtime.reference import (
    Described,
    annotations_page,
    commands_page,
    configuration_page,
    dead_letters_page,
    diagnostics_page,
    functions_page,
    service_page,
)

_EPILOG = """\b
Examples:
  sojourn reference                  write docs/reference
  sojourn reference --check          only say which pages are stale
  sojourn reference --profile my-tenant --out my-tenant/reference"""


@click.command("reference", epilog=_EPILOG, short_help="Write the reference pages from the code.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("docs/reference"), show_default=True, help="Where."
)
@click.option("--profile", metavar="PROFILE", help=PROFILE_HELP)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a page is stale.")
@click.pass_context
def reference_command(ctx: click.Context, out: Path, profile: str | None, check: bool) -> None:
    """Write the pages on functions, annotations, diagnostics, configuration, commands and the service's HTTP."""
    added = () if profile is None else added_by(profile)
    root = ctx.find_root().command
    assert isinstance(root, click.Group)
    pages = {
        "functions.md": functions_page(added),
        "annotations.md": annotations_page(added),
        "diagnostics.md": diagnostics_page(),
        "configuration.md": configuration_page(),
        "cli.md": commands_page(_described(name, command) for name, command in _all_commands(root)),
        "dead-letters.md": dead_letters_page(),
        "service.md": service_page(),
        "openapi-ingest.json": _description(INGEST),
        "openapi-monitor.json": _description(MONITOR),
    }
    stale = [name for name, text in pages.items() if not _is(out / name, text)]
    if check:
        for name in stale:
            click.echo(f"{out / name} is stale: run `sojourn reference`", err=True)
        if stale:
            ctx.exit(FINDINGS)
        click.echo(f"{len(pages)} pages up to date")
        return
    out.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (out / name).write_text(pages[name], encoding="utf-8")
    click.echo(f"{len(stale)} pages written, {len(pages) - len(stale)} unchanged")


def _description(port: Port) -> str:
    return json.dumps(described(port), indent=2, ensure_ascii=False) + "\n"


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _all_commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Commands by the words that call them, each group before what is in it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from _all_commands(command, f"{before}{name} ")


def _described(name: str, command: click.Command) -> Described:
    """A command from its parameters: the text of `--help` itself differs from one release of click to the next."""
    arguments = []
    options = []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            options.append((_names(parameter), _default(parameter), parameter.help or ""))
        elif isinstance(parameter, click.Argument):
            shown = _choices(parameter.type) or (parameter.name or "").upper()
            arguments.append((shown if parameter.required else f"[{shown}]") + ("…" if parameter.nargs < 0 else ""))
    usage = " ".join(["sojourn", name, *(["[OPTIONS]"] if options else []), *arguments])
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    epilog = (command.epilog or "").replace("\b\n", "")
    return Described(f"sojourn {name}", usage, "\n\n".join(paragraphs), options, epilog)


def _names(option: click.Option) -> str:
    value = (
        "" if option.is_flag else f" {option.metavar or _choices(option.type) or option.type.name.split()[0].upper()}"
    )
    return ", ".join([*option.opts, *option.secondary_opts]) + value


def _choices(type_: object) -> str:
    return "|".join(map(str, type_.choices)) if isinstance(type_, click.Choice) else ""


def _default(option: click.Option) -> str:
    given = option.to_info_dict().get("default")
    return "" if option.is_flag or given is None or not option.show_default else str(given)
