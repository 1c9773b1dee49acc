"""One diagnostic a line (for editors and `grep`), and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from epl.diagnostics.model import Diagnostic
from epl.diagnostics.render import as_data
from epl.diagnostics.reporters.base import Reporter


class CompactReporter(Reporter):
    """`file:line:column: CODE message`."""

    name = "compact"

    def render(self, found: Sequence[Diagnostic]) -> str:
        """A line each."""
        return "".join(f"{_place(each)}: {each.code.id} {' '.join(each.message.split())}\n" for each in found)


class JsonReporter(Reporter):
    """A list of objects, as `epl.diagnostics.as_data` makes them; `fixable` are those that mend themselves."""

    name = "json"

    def render(self, found: Sequence[Diagnostic]) -> str:
        """The list, indented."""
        return json.dumps([{**as_data(each), "fixable": each.fix is not None} for each in found], indent=2) + "\n"


def _place(diagnostic: Diagnostic) -> str:
    position = diagnostic.source.position(diagnostic.span.start)
    return f"{diagnostic.source.name}:{position.line}:{position.column}"
