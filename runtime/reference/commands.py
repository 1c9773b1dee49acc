"""The commands, their arguments and options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.reference.markdown import block, code, page, table


@dataclass(frozen=True, slots=True)
class Described:
    """A command: `name` as it is called, `usage` in one line, `help` in paragraphs, options as (names, default, help).

    `examples` stand as they are.
    """

    name: str
    usage: str
    help: str
    options: Sequence[tuple[str, str, str]]
    examples: str


def commands_page(commands: Iterable[Described]) -> str:
    """The page of commands."""
    parts = [part for command in commands for part in _parts(command)]
    return page("Command line", "Exit codes: 0 fine, 1 findings or failures, 2 usage or crash.", *parts)


def _parts(command: Described) -> list[str]:
    options = [(code(names), default or "–", text) for names, default, text in command.options]
    parts = [f"## {command.name}", block(command.usage), command.help]
    if options:
        parts.append(table(("option", "default", "meaning"), options))
    return [*parts, block(command.examples, "text")] if command.examples else parts
