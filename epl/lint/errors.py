"""Fixes of errors whose hint leaves one thing to do: a doubled backslash, back-ticks, a word in place of another.

They are made from the diagnostics, so that parser and checker need not know of fixes, and proven by parsing the
statement again: its first problem must be behind the edit, or gone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping

from epl.diagnostics import Code, Diagnostic, Edit, Fix, edited, syntax_codes
from epl.lexer import Piece, split_statements
from epl.lint.rewrites import takes_comments
from epl.parser import parse
from epl.source import Source, Span
from epl.structs import replace


def with_fixes(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same diagnostics, the errors among them with their fixes."""
    pieces: dict[Source, list[Piece]] = {}
    made = []
    for diagnostic in diagnostics:
        if diagnostic.fix is None and diagnostic.code in ERROR_FIXES:
            source = diagnostic.source
            if source not in pieces:
                pieces[source] = list(split_statements(source.text))
            diagnostic = replace(diagnostic, fix=_proven(diagnostic, pieces[source]))
        made.append(diagnostic)
    return made


def _proven(diagnostic: Diagnostic, pieces: list[Piece]) -> Fix | None:
    source, span = diagnostic.source, diagnostic.span
    fix = ERROR_FIXES[diagnostic.code](diagnostic)
    number = bisect_right(pieces, span.start, key=lambda piece: piece.span.start) - 1
    if fix is None or number < 0:
        return None
    piece = pieces[number].span
    if takes_comments(source, piece, fix.edits):
        return None
    (edit,) = fix.edits
    shifted = Edit(Span(edit.span.start - piece.start, edit.span.end - piece.start), edit.text)
    parsed = parse(Source(source.name, edited(source.slice(piece), [shifted])))
    reached = shifted.span.start + len(edit.text)
    same = [found for found in parsed.problems if found.span.start <= reached and found.span.end > shifted.span.start]
    earlier = any(found.span.start < shifted.span.start for found in parsed.problems)
    # The builder reports every escape of a statement, the parser the first surprise only.
    return fix if not same and (not earlier or diagnostic.code is syntax_codes.BAD_ESCAPE) else None


def _doubled_backslash(diagnostic: Diagnostic) -> Fix | None:
    span = diagnostic.span
    # Half a character is an escape, too, and no backslash is meant.
    if diagnostic.source.slice(span)[:2] == "\\u":
        return None
    return Fix("double the backslash", (Edit(Span(span.start, span.start), "\\"),))


def _back_ticks(diagnostic: Diagnostic) -> Fix | None:
    word = diagnostic.source.slice(diagnostic.span)
    return Fix(f"write `` `{word}` ``", (Edit(diagnostic.span, f"`{word}`"),))


def _where(diagnostic: Diagnostic) -> Fix | None:
    """Without aggregation, `having` asks what `where` asks."""
    return Fix("write `where`", (Edit(diagnostic.span, "where"),))


def _left_out(diagnostic: Diagnostic) -> Fix | None:
    text, start = diagnostic.source.text, diagnostic.span.start
    while text[start - 1].isspace():
        start -= 1
    return Fix("leave the word out", (Edit(Span(start, diagnostic.span.end), ""),))


ERROR_FIXES: Mapping[Code, Callable[[Diagnostic], Fix | None]] = {
    syntax_codes.BAD_ESCAPE: _doubled_backslash,
    syntax_codes.RESERVED_NAME: _back_ticks,
    syntax_codes.HAVING: _where,
    syntax_codes.UNIDIRECTIONAL: _left_out,
}
"""The errors that have fixes. What "did you mean" proposes is a guess, and none."""
