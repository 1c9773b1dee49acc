"""Writes syntax trees as a careless author would: needless parentheses, odd cases, either quotes, any blanks.

It shares nothing with the formatter, so that the two cannot be wrong in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from random import Random

from epl import ast
from epl.lexer import RESERVED

Tokens = list[str]

_BLANKS = [" ", "  ", "\n", "\t", "\n\n", "\n        "]
_SIMPLE = (
    ast.StringLiteral | ast.BooleanLiteral | ast.NullLiteral | ast.Reference | ast.Call | ast.Star | ast.ArrayLiteral
)


class Scribe:
    """Writes trees as tokens and joins tokens to text; `random` makes the choices."""

    def __init__(self, random: Random) -> None:
        self._random = random

    # ---- tokens to text

    def text(self, tokens: Tokens, comments: list[str]) -> str:
        """The tokens with blanks between them, and the comments at places of any kind."""
        places = sorted(self._random.randint(0, len(tokens)) for _ in comments)
        pieces: Tokens = []
        pending = list(zip(places, comments, strict=True))
        for number, token in enumerate([*tokens, ""]):
            while pending and pending[0][0] == number:
                comment = pending.pop(0)[1]
                pieces += [self._blank(), comment, "\n" if comment.startswith("//") else "", self._blank()]
            pieces += [token, self._blank()]
        return "".join(pieces)

    def _blank(self) -> str:
        return self._random.choice(_BLANKS)

    def _maybe(self, *tokens: str) -> Tokens:
        return list(tokens) if self._random.random() < 0.5 else []

    def _words(self, words: str) -> Tokens:
        return [self._random.choice([word, word, word.upper(), word.title()]) for word in words.split()]

    # ---- names and literals

    def _name(self, text: str) -> str:
        is_plain = text.isidentifier() and text.lower() not in RESERVED
        return text if is_plain and self._random.random() < 0.8 else f"`{text}`"

    def _dotted(self, text: str) -> Tokens:
        words = text.split(".")
        if not all(words):
            return [self._name(text)]
        return self._separated(([self._name(word)] for word in words), ".")

    def _type(self, node: ast.TypeName) -> Tokens:
        element = node.name.removesuffix("[]")
        if not element or element == node.name:
            return self._dotted(node.name)
        return [*self._dotted(element), "[ ]"]

    def _string(self, text: str) -> str:
        quote = self._random.choice("'\"")
        escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace(quote, f"\\{quote}")
        return quote + re.sub("[éß\t]", lambda match: f"\\u{ord(match[0]):04X}", escaped) + quote

    def _number(self, value: float, kind: str) -> str:
        match kind:
            case "int":
                return hex(value % 2**32) if value < 0 or self._random.random() < 0.3 else str(value)  # type: ignore
            case "long":
                return f"{value}L" if value < 2**31 or self._random.random() < 0.5 else str(value)
            case "float":
                return f"{value!r}f"
            case _:
                return f"{value!r}{self._random.choice(['', 'd', 'D'])}"

    def _separated(self, items: Iterable[Tokens], separator: str = ",") -> Tokens:
        return list(chain.from_iterable([separator, *item] if number else item for number, item in enumerate(items)))

    # ---- expressions

    def _list(self, nodes: Iterable[ast.Expression], marks: str = "()") -> Tokens:
        return [marks[0], *self._separated(map(self.expression, nodes)), marks[1]]

    def operand(self, node: ast.Expression) -> Tokens:
        """In parentheses, unless it is so simple that it never needs them."""
        tokens = self.expression(node)
        return tokens if isinstance(node, _SIMPLE) else ["(", *tokens, ")"]

    def expression(self, node: ast.Expression) -> Tokens:
        tokens = self._bare(node)
        if isinstance(node, ast.Star):
            return tokens
        return ["(", *tokens, ")"] if self._random.random() < 0.2 else tokens

    def _bare(self, node: ast.Expression) -> Tokens:
        match node:
            case ast.NumberLiteral(value, kind):
                return [self._number(value, kind)]
            case ast.StringLiteral(value):
                return [self._string(value)]
            case ast.BooleanLiteral(value):
                return self._words(str(value).lower())
            case ast.NullLiteral():
                return self._words("null")
            case ast.Reference(text):
                return [self._name(text)]
            case ast.Star():
                return ["*"]
            case ast.Member(target, text):
                return [*self.operand(target), ".", self._name(text)]
            case ast.Index(target, index):
                return [*self.operand(target), "[", *self.expression(index), "]"]
            case ast.Dynamic(target):
                return [*self.operand(target), "?"]
            case ast.Call(text, arguments):
                return [self._name(text), *self._list(arguments)]
            case ast.MethodCall(target, text, arguments):
                return [*self.operand(target), ".", self._name(text), *self._list(arguments)]
            case ast.Negate(operand):
                return [*self._words("not"), *self.operand(operand)]
            case ast.Minus(operand):
                return ["-", *self.operand(operand)]
            case ast.Plus(operand):
                return ["+", *self.operand(operand)]
            case ast.Chain(operator, operands):
                return self._separated(map(self.operand, operands), operator)
            case ast.Case(subject, branches, otherwise):
                tokens = self._words("case") + ([] if subject is None else self.expression(subject))
                for branch in branches:
                    tokens += [*self._words("when"), *self.expression(branch.condition)]
                    tokens += [*self._words("then"), *self.expression(branch.result)]
                last = [] if otherwise is None else [*self._words("else"), *self.expression(otherwise)]
                return [*tokens, *last, *self._words("end")]
            case ast.Cast(value, type_):
                joint = [","] if self._random.random() < 0.5 else self._words("as")
                return [*self._words("cast"), "(", *self.expression(value), *joint, *self._type(type_), ")"]
            case ast.InstanceOf(value, types):
                listed = self._separated([self.expression(value), *map(self._type, types)])
                return [*self._words("instanceof"), "(", *listed, ")"]
            case ast.ArrayLiteral(items):
                return self._list(items, "{}")
            case _:
                return self._predicate(node)

    def _predicate(self, node: ast.Expression) -> Tokens:
        match node:
            case ast.Binary(operator, left, right):
                return [*self.operand(left), *self._operator(operator), *self.operand(right)]
            case ast.Quantified(operator, quantifier, left, options):
                head = [*self._operator(operator), *self._words(quantifier)]
                return [*self.operand(left), *head, *self._list(options)]
            case ast.Contained(value, options, negated):
                return [*self._tested(value, negated, "in"), *self._list(options)]
            case ast.InRange(value, low, high, low_included, high_included, negated):
                opening, closing = "[" if low_included else "(", "]" if high_included else ")"
                bounds = [opening, *self.expression(low), ":", *self.expression(high), closing]
                return [*self._tested(value, negated, "in"), *bounds]
            case ast.Between(value, low, high, negated):
                bounds = [*self.operand(low), *self._words("and"), *self.operand(high)]
                return [*self._tested(value, negated, "between"), *bounds]
            case ast.Like(value, pattern, escape, negated):
                suffix = [] if escape is None else [*self._words("escape"), self._string(escape)]
                return [*self._tested(value, negated, "like"), *self.operand(pattern), *suffix]
            case ast.Regexp(value, pattern, negated):
                return [*self._tested(value, negated, "regexp"), *self.operand(pattern)]
            case _:
                raise AssertionError(type(node))

    def _operator(self, operator: str) -> Tokens:
        return [self._random.choice(["!=", "<>"])] if operator == "!=" else self._words(operator)

    def _tested(self, value: ast.Expression, negated: bool, word: str) -> Tokens:
        return [*self.operand(value), *self._words("not" if negated else ""), *self._words(word)]

    # ---- statements

    def statement(self, node: ast.Statement) -> Tokens:
        """The tokens of a statement, with its `;`."""
        annotations = chain.from_iterable(map(self._annotation, node.annotations))
        return [*annotations, *self._body(node), ";"]

    def _annotation(self, node: ast.Annotation) -> Tokens:
        arguments = [
            [*([] if each.name is None else [self._name(each.name), "="]), *self._value(each.value)]
            for each in node.arguments
        ]
        listed = ["(", *self._separated(arguments), ")"] if arguments else self._maybe("(", ")")
        return ["@", *self._dotted(node.name), *listed]

    def _value(self, value: ast.AnnotationValue) -> Tokens:
        match value:
            case True | False | None:
                return self._words({True: "true", False: "false", None: "null"}[value])
            case tuple():
                return ["{", *self._separated(map(self._value, value)), "}"]
            case str():
                words = value.lower().split(".")
                is_constant = value.isascii() and all(word.isidentifier() and word not in RESERVED for word in words)
                return self._dotted(value) if is_constant and self._random.random() < 0.3 else [self._string(value)]
            case _:
                sign = ["-"] if str(value).startswith("-") else []
                return [*sign, str(abs(value))]

    def _body(self, node: ast.Statement) -> Tokens:
        match node:
            case ast.Select():
                return self._select(node)
            case ast.Update(_, type_name, alias, assignments, where):
                changes = self._separated(
                    [self._name(each.name.text), "=", *self.expression(each.expression)] for each in assignments
                )
                target = [*self._dotted(type_name.text), *self._alias(alias)]
                return [*self._words("update istream"), *target, *self._words("set"), *changes, *self._where(where)]
            case ast.CreateSchema(_, name, fields):
                listed = self._separated([self._name(each.name.text), *self._type(each.type)] for each in fields)
                return [*self._words("create schema"), self._name(name.text), *self._maybe("as"), "(", *listed, ")"]
            case ast.CreateVariable(_, constant, type_, name, value):
                head = self._words("create constant variable" if constant else "create variable")
                tail = [] if value is None else ["=", *self.expression(value)]
                return [*head, *self._type(type_), self._name(name.text), *tail]
            case ast.CreateExpression(_, name, parameters, body, alias):
                head = [*self._words("create expression"), self._name(name.text)]
                if alias:
                    return [*head, *self._words("alias for"), "{", *self.expression(body), "}"]
                return [*head, *self._parameters(parameters), *self.expression(body), "}"]
            case _:
                raise AssertionError(type(node))

    def _parameters(self, parameters: tuple[ast.Name, ...]) -> Tokens:
        names = self._separated([self._name(each.text)] for each in parameters)
        if not parameters:
            return [*self._maybe("(", ")"), "{"]
        if self._random.random() < 0.5:
            return ["(", *names, ")", "{"]
        return ["{", "(", *names, ")", "=>"] if len(parameters) > 1 else ["{", *names, "=>"]

    def _select(self, node: ast.Select) -> Tokens:
        tokens: Tokens = []
        if node.insert_into is not None:
            tokens += [*self._words("insert into"), *self._dotted(node.insert_into.type_name.text)]
            if node.insert_into.columns is not None:
                tokens += ["(", *self._separated([self._name(each.text)] for each in node.insert_into.columns), ")"]
        tokens += [*self._words("select"), *self._maybe("istream"), *self._separated(map(self._column, node.columns))]
        filters = self._list(node.stream.filters) if node.stream.filters else self._maybe("(", ")")
        tokens += [*self._words("from"), *self._dotted(node.stream.type_name.text), *filters]
        return [*tokens, *self._alias(node.stream.alias), *self._where(node.where)]

    def _column(self, node: ast.Column | ast.Wildcard) -> Tokens:
        if isinstance(node, ast.Wildcard):
            return ["*"] if node.alias is None else [self._name(node.alias.text), ".", "*"]
        return [*self.expression(node.expression), *self._alias(node.name)]

    def _alias(self, node: ast.Name | None) -> Tokens:
        return [] if node is None else [*self._maybe("as"), self._name(node.text)]

    def _where(self, condition: ast.Expression | None) -> Tokens:
        return [] if condition is None else [*self._words("where"), *self.expression(condition)]
