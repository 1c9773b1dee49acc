"""Text to syntax trees, statement by statement: a mistake costs its own statement and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol, cast

from lark import Lark, TextSlice, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from epl import ast
from epl.builder import Builder
from epl.diagnostics import Problems, syntax_codes
from epl.lexer import Keywords, Piece, split_statements
from epl.limits import MAX_DEPTH
from epl.recent import RecentStatements
from epl.source import Source, Span
from epl.syntax_errors import report_stray, report_unexpected

_recent = RecentStatements()


@dataclass(frozen=True, slots=True)
class Parsed:
    """The statements that parsed, and the problems of those that did not; `broken` are the places of the latter."""

    source: Source
    statements: tuple[ast.Statement, ...]
    problems: Problems
    broken: tuple[Span, ...] = ()


class _Stepper(Protocol):
    """Lark's parser, a token at a time; Lark gives these methods no types."""

    def iter_parse(self) -> Iterator[Token]: ...

    def feed_eof(self, last_token: Token) -> Tree[Token]: ...

    def accepts(self) -> set[str]: ...


@cache
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
    broken = []
    for piece in split_statements(source.text):
        if not source.slice(piece.span).strip():
            continue
        text, start = source.slice(piece.span), piece.span.start
        before = len(problems)
        statement = _recent.find(text, start)
        if statement is None:
            statement = _parse_piece(source, piece, problems)
            if statement is not None and len(problems) == before:
                _recent.keep(text, start, statement)
        if statement is not None:
            statements.append(statement)
        elif len(problems) > before:
            broken.append(piece.span)
    return Parsed(source, tuple(statements), problems, tuple(broken))


def _parse_piece(source: Source, piece: Piece, problems: Problems) -> ast.Statement | None:
    if piece.unterminated is not None:
        span = Span(piece.opened_at, piece.span.end)
        problems.add(syntax_codes.UNTERMINATED, span, what=piece.unterminated)
        return None
    text = TextSlice(source.text, piece.span.start, piece.span.end)
    parser = cast(_Stepper, grammar().parse_interactive(text))
    tokens: list[Token] = []
    try:
        for token in parser.iter_parse():
            tokens.append(token)
        if not tokens:
            return None  # only blanks and comments
        tree = parser.feed_eof(tokens[-1])
    except UnexpectedCharacters as error:
        report_stray(cast(int, error.pos_in_stream), tokens, source, problems)
        return None
    except UnexpectedToken as error:
        report_unexpected(error.token, parser.accepts(), tokens, source, piece.span, problems)
        return None
    builder = Builder(problems)
    statement = builder.transform(tree)
    assert isinstance(statement, ast.Statement)
    if ast.depth(statement) > MAX_DEPTH:
        problems.add(syntax_codes.TOO_DEEP, statement.span, limit=MAX_DEPTH)
        return None
    return None if builder.failed else statement
