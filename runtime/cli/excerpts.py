"""Diagnostics on the terminal, each with an excerpt of its text."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from epl import Diagnostic
from epl.diagnostics import segments

_STYLES = {"error": "bold red", "warning": "bold yellow", "hint": "bold cyan", "gutter": "blue", "bold": "bold"}


def show(diagnostics: Iterable[Diagnostic], console: Console) -> None:
    """Prints diagnostics with their excerpts, a blank line between them."""
    for number, diagnostic in enumerate(diagnostics):
        if number:
            console.print()
        text = Text()
        for piece, style in segments(diagnostic):
            text.append(piece, _STYLES.get(style, ""))
        console.print(text, end="", soft_wrap=True)
