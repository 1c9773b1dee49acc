"""Words and statement boundaries: what the grammar's terminals cannot say.

The grammar lexes every word as NAME. Here the reserved ones become tokens of their own, and the words that mean
something in one place only (`schema` after `create`) become tokens there and stay names elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lark import Token
from lark.lark import PostLex

from epl.source import Span

_STRUCTURAL = (
    "select from where as and or in between like regexp escape case when then else end cast instanceof insert into "
    "update set create istream"
)
_MEANINGFUL = "not is any some all true false null"
_UNSUPPORTED = "on group by having order limit output distinct rstream irstream unidirectional"

RESERVED: dict[str, str] = {
    **{word: f"_{word.upper()}" for word in _STRUCTURAL.split()},
    **{word: word.upper() for word in _MEANINGFUL.split()},
    **{word: f"_{word.upper()}" for word in _UNSUPPORTED.split()},
}
"""Reserved words (lower case) and their terminals. Those of `_UNSUPPORTED` stand in no rule of the grammar."""

# Words that are keywords only right after another token.
_AFTER: dict[tuple[str, str], str] = {
    ("_CREATE", "schema"): "_SCHEMA",
    ("_CREATE", "variable"): "_VARIABLE",
    ("_CREATE", "constant"): "CONSTANT",
    ("CONSTANT", "variable"): "_VARIABLE",
    ("_CREATE", "expression"): "_EXPRESSION",
    ("_ALIAS", "for"): "_FOR",
}


class Keywords(PostLex):
    """Turns NAME tokens into keyword tokens."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Yields the tokens of one statement, keywords with their own types."""
        previous = ""
        before = ""
        for token in stream:
            if token.type == "NAME":
                word = token.lower()
                # `create expression NAME alias for { … }`
                is_alias = before == "_EXPRESSION" and word == "alias"
                kind = RESERVED.get(word) or _AFTER.get((previous, word)) or ("_ALIAS" if is_alias else None)
                if kind is not None:
                    token = Token.new_borrow_pos(kind, token.value, token)
            before, previous = previous, token.type
            yield token


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one statement, without its `;`. `unterminated` names what was still open at its end."""

    span: Span
    unterminated: str | None = None
    opened_at: int = 0


def split_statements(text: str) -> Iterator[Piece]:
    """Cuts a file at each `;` that is not inside a string, a comment or back-ticks.

    Strings and back-ticks do not run over lines: an unterminated one ends at its line, so that one slip does not
    swallow the rest of the file.
    """
    start = at = 0
    end = len(text)
    while at < end:
        char = text[at]
        if char == ";":
            yield Piece(Span(start, at))
            start = at = at + 1
        elif char in "'\"`":
            close = _closing_quote(text, at)
            if close is None:
                line_end = text.find("\n", at)
                stop = end if line_end < 0 else line_end
                # Resume behind the next `;` of this line, if there is one: what follows is most likely a new statement.
                semicolon = text.find(";", at, stop)
                stop = semicolon if semicolon >= 0 else stop
                yield Piece(Span(start, stop), "quoted name" if char == "`" else "string", at)
                start = at = stop + 1 if semicolon >= 0 else stop
            else:
                at = close + 1
        elif char == "/" and text.startswith("//", at):
            line_end = text.find("\n", at)
            at = end if line_end < 0 else line_end
        elif char == "/" and text.startswith("/*", at):
            close_at = text.find("*/", at + 2)
            if close_at < 0:
                yield Piece(Span(start, end), "comment", at)
                return
            at = close_at + 2
        else:
            at += 1
    if start < end:
        yield Piece(Span(start, end))


def _closing_quote(text: str, opened_at: int) -> int | None:
    quote = text[opened_at]
    at = opened_at + 1
    while at < len(text):
        char = text[at]
        if char == quote:
            return at
        if char == "\n":
            return None
        at += 2 if char == "\\" and quote != "`" else 1
    return None
