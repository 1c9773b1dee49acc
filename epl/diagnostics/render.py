"""Diagnostics as text with an excerpt and a caret, and as plain data for machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from epl.diagnostics.excerpt import excerpt
from epl.diagnostics.model import Diagnostic

Segment = tuple[str, str]
"""Text and the style it wants: `error`, `warning`, `hint`, `place`, `gutter`, `bold` or empty."""


def segments(diagnostic: Diagnostic) -> list[Segment]:
    """The lines of a diagnostic as styled pieces: heading, place, excerpt with carets, hint."""
    start = diagnostic.source.position(diagnostic.span.start)
    severity = diagnostic.severity.value
    number = str(start.line)
    gutter = " " * len(number)
    line = diagnostic.source.line(start.line)
    # A span over several lines is underlined to the end of its first one.
    length = min(diagnostic.span.end - diagnostic.span.start, len(line) - start.column + 1)
    shown = excerpt(line, start.column - 1, length)
    pieces: list[Segment] = [
        (f"{severity}[{diagnostic.code.id}]", severity),
        (f": {diagnostic.message}\n", "bold"),
        (f"{gutter}--> ", "gutter"),
        (f"{diagnostic.source.name}:{start.line}:{start.column}\n", "place"),
        (f"{gutter} |\n{number} | ", "gutter"),
        (f"{shown.text}\n", ""),
        (f"{gutter} | ", "gutter"),
        (f"{shown.indent}{shown.carets}\n", severity),
    ]
    if diagnostic.hint:
        pieces += [(f"{gutter} = ", "gutter"), ("hint: ", "hint"), (f"{diagnostic.hint}\n", "")]
    return pieces


def as_text(diagnostic: Diagnostic) -> str:
    """The same without styles, for files, pipes and tests."""
    return "".join(text for text, _style in segments(diagnostic))


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """Plain data: code, severity, message, hint, file, and start and end as line and column from 1."""
    start = diagnostic.source.position(diagnostic.span.start)
    end = diagnostic.source.position(diagnostic.span.end)
    return {
        "code": diagnostic.code.id,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": diagnostic.source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics, a blank line between them."""
    return "\n".join(as_text(diagnostic) for diagnostic in diagnostics)
