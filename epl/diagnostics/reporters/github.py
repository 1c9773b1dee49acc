"""Workflow commands of GitHub Actions: each becomes a note beside its line in a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from epl.diagnostics.model import Diagnostic
from epl.diagnostics.reporters.base import Reporter, file_of, full_message

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


class GithubReporter(Reporter):
    """`::error file=…,line=…,col=…::message`."""

    name = "github"

    def render(self, found: Sequence[Diagnostic]) -> str:
        """A command a line."""
        return "".join(f"{_command(each)}\n" for each in found)


def _command(diagnostic: Diagnostic) -> str:
    start = diagnostic.source.position(diagnostic.span.start)
    end = diagnostic.source.position(diagnostic.span.end)
    properties = {
        "file": file_of(diagnostic).translate(_PROPERTY),
        "line": start.line,
        "col": start.column,
        "endLine": end.line,
        # GitHub takes columns for places within one line only.
        **({"endColumn": end.column} if end.line == start.line else {}),
        "title": f"{diagnostic.code.id} {diagnostic.code.title}".translate(_PROPERTY),
    }
    given = ",".join(f"{name}={value}" for name, value in properties.items())
    return f"::{diagnostic.severity.value} {given}::{full_message(diagnostic).translate(_DATA)}"
