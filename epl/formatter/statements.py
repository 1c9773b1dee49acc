"""Statements as documents: annotations, clauses and declarations."""

from __future__ import annotations

from collections.abc import Sequence

from epl import ast
from epl.formatter.comments import Comments
from epl.formatter.expressions import Expressions, listed
from epl.formatter.layout import HARD, LINE, Doc, Group, Indent, Part, join
from epl.formatter.words import annotation_value, dotted, name, type_name
from epl.source import Source, Span


class Statements:
    """Writes the statements of one source."""

    def __init__(self, source: Source, comments: Comments) -> None:
        self._source = source
        self._comments = comments
        self._expressions = Expressions(source)

    def write(self, statement: ast.Statement) -> Part:
        """The document of a statement, without its `;`."""
        annotations = [Part(each.span, self._annotation(each), True, True) for each in statement.annotations]
        start = self._comments.next_token(annotations[-1].span.end) if annotations else statement.span.start
        body = Part(Span(start, statement.span.end), self._body(statement, start), True, True)
        return Part(statement.span, join(HARD, [*annotations, body]), True, True)

    def _annotation(self, node: ast.Annotation) -> Doc:
        arguments = [
            (each.span, ("" if each.name is None else f"{name(each.name)}=") + annotation_value(each, self._source))
            for each in node.arguments
        ]
        return (f"@{dotted(node.name)}", listed("(", arguments, ")") if arguments else "")

    def _body(self, statement: ast.Statement, start: int) -> Doc:
        match statement:
            case ast.Select():
                return self._clauses(start, self._select(statement))
            case ast.Update():
                return self._clauses(start, self._update(statement))
            case ast.CreateSchema(fields=fields):
                declared = [(each.span, f"{name(each.name.text)} {type_name(each.type)}") for each in fields]
                return (f"create schema {name(statement.name.text)} ", listed("(", declared, ")"))
            case ast.CreateVariable():
                return self._variable(statement)
            case ast.CreateExpression():
                return self._declared_expression(statement)
            case _:
                raise AssertionError(f"no layout for {type(statement).__name__}")

    # ---- clauses: all on one line, or each on its own

    def _clauses(self, start: int, clauses: Sequence[tuple[int, Doc]]) -> Doc:
        """Clauses, each with the offset of its end; it begins where the one before it ended."""
        parts = []
        for end, doc in clauses:
            parts.append(Part(Span(start, end), doc, True, True))
            start = self._comments.next_token(end)
        return Group(join(LINE, parts))

    def _select(self, node: ast.Select) -> list[tuple[int, Doc]]:
        clauses: list[tuple[int, Doc]] = []
        if node.insert_into is not None:
            clauses.append((node.insert_into.span.end, self._insert_into(node.insert_into)))
        columns = _clause("select", [(each.span, self._column(each)) for each in node.columns])
        clauses.append((node.columns[-1].span.end, columns))
        stream = node.stream
        filters = listed("(", self._expressions.items(stream.filters), ")") if stream.filters else ""
        source = ("from ", dotted(stream.type_name.text), filters, _alias(stream.alias))
        clauses.append((stream.span.end, source))
        return clauses + self._where(node.where)

    def _insert_into(self, node: ast.InsertInto) -> Doc:
        target = f"insert into {dotted(node.type_name.text)}"
        if node.columns is None:
            return target
        return (target, " ", listed("(", [(each.span, name(each.text)) for each in node.columns], ")"))

    def _column(self, node: ast.Column | ast.Wildcard) -> Doc:
        if isinstance(node, ast.Wildcard):
            return "*" if node.alias is None else f"{name(node.alias.text)}.*"
        return (self._expressions.write(node.expression), _alias(node.name))

    def _update(self, node: ast.Update) -> list[tuple[int, Doc]]:
        target = (f"update istream {dotted(node.type_name.text)}", _alias(node.alias))
        assignments = [
            (each.span, (f"{name(each.name.text)} = ", self._expressions.write(each.expression)))
            for each in node.assignments
        ]
        return [
            ((node.alias or node.type_name).span.end, target),
            (node.assignments[-1].span.end, _clause("set", assignments)),
            *self._where(node.where),
        ]

    def _where(self, condition: ast.Expression | None) -> list[tuple[int, Doc]]:
        if condition is None:
            return []
        return [(condition.span.end, ("where ", self._expressions.write(condition)))]

    # ---- declarations

    def _variable(self, node: ast.CreateVariable) -> Doc:
        constant = "constant " if node.constant else ""
        head = f"create {constant}variable {type_name(node.type)} {name(node.name.text)}"
        return head if node.value is None else (f"{head} = ", self._expressions.write(node.value))

    def _declared_expression(self, node: ast.CreateExpression) -> Doc:
        parameters = ", ".join(name(each.text) for each in node.parameters)
        if len(node.parameters) > 1:
            parameters = f"({parameters})"
        arrow = f" {parameters} =>" if parameters else ""
        body = Part(node.body.span, self._expressions.write(node.body, indented=False), True, True)
        head = f"create expression {name(node.name.text)}{' alias for' if node.alias else ''} {{{arrow}"
        return Group((head, Indent((LINE, body)), LINE, "}"))


def _clause(keyword: str, items: Sequence[tuple[Span, Doc]]) -> Doc:
    """A keyword and its list: on one line, or the items below the keyword."""
    parts = [Part(span, doc, True, True) for span, doc in items]
    return Group((keyword, Indent((LINE, join((",", LINE), parts)))))


def _alias(node: ast.Name | None) -> str:
    return "" if node is None else f" as {name(node.text)}"
