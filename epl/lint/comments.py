"""Where the comments of a text are: suppressions are some of them, and a fix may take none away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl.source import Source, Span

_TOKENS = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`[^`\n]*`|/\*.*?\*/|//[^\n]*", re.DOTALL)


def comments(source: Source, within: Span | None = None) -> Iterator[Span]:
    """The comments of a source, or of a part of it that begins outside strings and comments."""
    start, end = (0, len(source.text)) if within is None else (within.start, within.end)
    for token in _TOKENS.finditer(source.text, start, end):
        if token[0].startswith("/"):
            yield Span(token.start(), token.end())
