"""A rule file as a whole: statements, the comments between them, and one blank line between everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from epl import ast
from epl.diagnostics import InvalidInput
from epl.formatter.comments import Comment, Comments, Position
from epl.formatter.layout import Aside, Part, leading, render
from epl.formatter.placement import place, position_behind
from epl.formatter.statements import Statements
from epl.parser import parse
from epl.source import Source

_Block = list[Comment]
"""Comments on lines that follow each other."""


def format_source(source: Source) -> str:
    """The rule file in canonical style, with all of its comments. Formatting the answer again changes nothing.

    Raises InvalidInput when a statement does not parse.
    """
    parsed = parse(source)
    if len(parsed.problems):
        raise InvalidInput(parsed.problems)
    paragraphs = list(_File(source).paragraphs(parsed.statements))
    return "\n\n".join(paragraphs) + "\n" if paragraphs else ""


class _File:
    def __init__(self, source: Source) -> None:
        self._text = source.text
        self._comments = Comments(source.text)
        self._statements = Statements(source, self._comments)

    def paragraphs(self, statements: Iterable[ast.Statement]) -> Iterator[str]:
        """What blank lines separate: statements with the comments directly above them, and other comments."""
        done = 0
        for statement in statements:
            start = statement.span.start
            *loose, attached = self._blocks(self._comments.between(done, start), start)
            yield from map(_alone, loose)
            root, done = self._hung(statement)
            before = leading([*self._above(attached, start), *root.before])
            on_line = [
                Aside(f" {each.text}", at_end=True) for each in root.after if each.position is not Position.OWN_LINE
            ]
            yield render((before, root.body, ";", *on_line))
            below = [each for each in root.after if each.position is Position.OWN_LINE]
            if below:
                yield _alone(below)
        end = len(self._text)
        yield from map(_alone, filter(None, self._blocks(self._comments.between(done, end), end)))

    def _blocks(self, comments: Iterable[Comment], end: int) -> list[_Block]:
        """Comments between statements; the last block, maybe an empty one, is what no blank line parts from `end`."""
        blocks: list[_Block] = [[]]
        before = 0
        for comment in comments:
            if blocks[-1] and self._is_apart(before, comment.span.start):
                blocks.append([])
            blocks[-1].append(comment)
            before = comment.span.end
        if blocks[-1] and self._is_apart(before, end):
            blocks.append([])
        return blocks

    def _is_apart(self, start: int, end: int) -> bool:
        return self._text.count("\n", start, end) > 1

    def _above(self, block: _Block, start: int) -> Iterator[Comment]:
        for comment in block:
            beside = comment.position is Position.INLINE and "\n" not in self._text[comment.span.end : start]
            yield comment if beside else replace(comment, position=Position.OWN_LINE)

    def _hung(self, statement: ast.Statement) -> tuple[Part, int]:
        """The document of a statement with its comments, and the offset behind the last of them.

        Its own are also those before its `;`, and those behind that on the same line.
        """
        root = self._statements.write(statement)
        span = statement.span
        place(root, self._comments.between(span.start, span.end))
        semicolon = self._comments.next_token(span.end)
        inner = self._comments.between(span.end, semicolon)
        behind = self._behind(semicolon + 1)
        done = semicolon + 1
        for comment in chain(inner, behind):
            at_end = comment.position is not Position.OWN_LINE
            root.after.append(replace(comment, position=position_behind(root) if at_end else Position.OWN_LINE))
            done = max(done, comment.span.end)
        return root, done

    def _behind(self, offset: int) -> Iterator[Comment]:
        """The comments that follow on the same line, if nothing else does."""
        line_end = self._text.find("\n", offset)
        end = min(self._comments.next_token(offset), len(self._text) if line_end < 0 else line_end)
        return (each for each in self._comments.between(offset, end) if each.position is Position.END_OF_LINE)


def _alone(block: _Block) -> str:
    return "\n".join(comment.text for comment in block)
