"""Text to syntax trees, statement by statement: a mistake costs its own statement and no other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from lark import Lark, TextSlice, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from epl import ast
from epl.builder import Builder
from epl.diagnostics import Problems, syntax_codes
from epl.lexer import Keywords, Piece, split_statements
from epl.source import Source, Span
from epl.syntax_errors import report_unexpected


# The checker and the compiler recurse over expressions, and CPython's own parser takes at most 200 nested parentheses
# of generated source.
MAX_DEPTH = 80


@dataclass(frozen=True, slots=True)
class Parsed:
    """The statements that parsed, and the problems of those that did not."""

    source: Source
    statements: tuple[ast.Statement, ...]
    problems: Problems


@lru_cache(maxsize=1)
def grammar(strict: bool = False) -> Lark:
    """The compiled grammar; `strict` refuses every conflict (a test builds it so)."""
    text = files("epl").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer="basic",
        start="statement",
        postlex=Keywords(),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
        # Reading the tables back takes 0.03 s, building them 0.25 s.
        cache=not strict,
    )


def parse(source: Source) -> Parsed:
    """Parses a rule file. Never raises for what the text contains: every problem is a diagnostic."""
    problems = Problems(source)
    statements = []
    for piece in split_statements(source.text):
        statement = _parse_piece(source, piece, problems)
        if statement is not None:
            statements.append(statement)
    return Parsed(source, tuple(statements), problems)


def _parse_piece(source: Source, piece: Piece, problems: Problems) -> ast.Statement | None:
    if piece.unterminated is not None:
        span = Span(piece.opened_at, piece.span.end)
        problems.add(syntax_codes.UNTERMINATED, span, what=piece.unterminated)
        return None
    parser = grammar().parse_interactive(TextSlice(source.text, piece.span.start, piece.span.end))
    previous: Token | None = None
    tokens: list[Token] = []
    try:
        for token in parser.iter_parse():
            tokens.append(token)
            previous = token
        if previous is None:
            return None  # only blanks and comments
        tree = parser.feed_eof(previous)
    except UnexpectedCharacters as error:
        at = error.pos_in_stream
        character = source.text[at]
        problems.add(syntax_codes.STRAY_CHARACTER, Span(at, at + 1), character=character)
        return None
    except UnexpectedToken as error:
        report_unexpected(error.token, set(parser.accepts()), tokens, source, piece.span, problems)
        return None
    builder = Builder(problems)
    statement = builder.transform(tree)
    assert isinstance(statement, ast.Statement)
    if ast.depth_exceeds(statement, MAX_DEPTH):
        problems.add(syntax_codes.TOO_DEEP, statement.span, limit=MAX_DEPTH)
        return None
    return None if builder.failed else statement
