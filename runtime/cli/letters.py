"""Dead letters on the terminal: counts, and each letter with the place in its event that the reason speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from runtime.cli.errors import fail
from runtime.cli.offending import offending
from runtime.io import DeadLetter, NoLetter, read_letters

_SHOWN = 3
_MARGIN = "    "
_ROWS = 8
"""How much of an event is shown, around the place."""


@dataclass(slots=True)
class Lost:
    """Lines of the files that are no dead letters: told of on stderr, and counted."""

    count: int = 0

    def tell(self, problem: NoLetter) -> None:
        """Prints the first few."""
        self.count += 1
        if self.count <= _SHOWN:
            click.echo(str(problem), err=True)

    def sum_up(self) -> None:
        """Says how many more there are."""
        if self.count > _SHOWN:
            click.echo(f"and {self.count - _SHOWN:,} more lines that are no dead letters", err=True)


def letters_of(files: Sequence[str], lost: Lost) -> Iterator[DeadLetter]:
    """The letters of files, one after the other. Ends the command when no line of any is one."""
    found = 0
    for file in files:
        for each in read_letters(file):
            if isinstance(each, NoLetter):
                lost.tell(each)
            else:
                found += 1
                yield each
    lost.sum_up()
    if lost.count and not found:
        fail(f"{', '.join(files)}: no dead letters; they are what --dead-letters FILE writes")


@dataclass(slots=True)
class Group:
    """Letters of one tenant, code and source: how many, and the lines of the first and the last."""

    letters: int
    first_line: int
    last_line: int


def grouped(letters: Iterable[DeadLetter]) -> dict[tuple[str, str, str], Group]:
    """Letters by tenant, code and source, sorted."""
    found: dict[tuple[str, str, str], Group] = {}
    for letter in letters:
        group = found.setdefault((letter.tenant, letter.code, letter.source), Group(0, letter.line, letter.line))
        group.letters += 1
        group.first_line = min(group.first_line, letter.line)
        group.last_line = max(group.last_line, letter.line)
    return dict(sorted(found.items()))


def letter_data(letter: DeadLetter) -> dict[str, Any]:
    """A letter as plain data; `place` is from which byte to which the reason speaks of."""
    place = offending(letter.reason, letter.raw)
    return {
        "tenant": letter.tenant,
        "code": letter.code,
        "source": letter.source,
        "line": letter.line,
        "reason": letter.reason,
        "event": letter.raw.decode(errors="replace"),
        "cut_from_bytes": letter.raw_bytes,
        "place": None if place is None else {"from": place[0], "to": place[1]},
    }


def show_letter(letter: DeadLetter, console: Console) -> None:
    """Prints a letter: where it came from, the reason, the event with carets below the place."""
    tenant = f"  {letter.tenant}" if letter.tenant else ""
    head = ((f"{letter.source}:{letter.line}", "bold cyan"), "  ", (letter.code, "bold red"), tenant)
    console.print(Text.assemble(*head), soft_wrap=True)
    console.print(Text(f"  {letter.reason}"), soft_wrap=True)
    place = offending(letter.reason, letter.raw)
    before, marked, after = _parts(letter.raw, place)
    text = before + marked + after
    width = max(console.width - len(_MARGIN) - 1, 20)
    first = max(len(before) // width - _ROWS // 2, 0) * width
    if first:
        console.print(Text(f"{_MARGIN}… {first:,} characters before", "dim"), soft_wrap=True)
    shown = first
    while shown < len(text) and shown < first + _ROWS * width:
        row = text[shown : shown + width]
        start = min(max(len(before) - shown, 0), len(row))
        end = min(max(len(before) + len(marked) - shown, 0), len(row))
        line = Text(_MARGIN + row, "dim" if not marked else "")
        line.stylize("bold red", len(_MARGIN) + start, len(_MARGIN) + end)
        console.print(line, soft_wrap=True)
        if end > start:
            carets = " " * cell_len(row[:start]) + "^" * cell_len(row[start:end])
            console.print(Text(_MARGIN + carets, "bold red"), soft_wrap=True)
        shown += width
    if shown < len(text):
        console.print(Text(f"{_MARGIN}… {len(text) - shown:,} characters after", "dim"), soft_wrap=True)
    if letter.raw_bytes is not None:
        told = f"{_MARGIN}cut: the event has {letter.raw_bytes:,} bytes, the letter {len(letter.raw):,}"
        console.print(Text(told, "yellow"), soft_wrap=True)


def _parts(raw: bytes, place: tuple[int, int] | None) -> tuple[str, str, str]:
    if place is None:
        return "", "", _plain(raw)
    start, end = place
    return _plain(raw[:start]), _plain(raw[start:end]), _plain(raw[end:])


def _plain(raw: bytes) -> str:
    """The text of bytes, one character for what a terminal would not print."""
    return "".join(char if char.isprintable() else "·" for char in raw.decode(errors="replace"))
