"""Expressions: from the grammar's precedence levels to nodes."""

from __future__ import annotations

from typing import cast

from lark import Token, v_args
from lark.tree import Meta

from epl import ast
from epl.builder.literals import Children, LiteralBuilder, over, present

Arguments = tuple[ast.Expression, ...]
"""Expressions between parentheses, on their way to the node that owns them."""


@v_args(meta=True)
class ExpressionBuilder(LiteralBuilder):
    """Builds expressions."""

    def disjunction(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("or", tuple(children), span=over(meta))

    def conjunction(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("and", tuple(children), span=over(meta))

    def concatenation(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("||", tuple(children), span=over(meta))

    def bitwise(self, meta: Meta, children: Children) -> ast.Binary:
        return self.binary(meta, children)

    def negate(self, meta: Meta, children: Children) -> ast.Negate:
        return ast.Negate(children[1], span=over(meta))

    def binary(self, meta: Meta, children: Children) -> ast.Binary:
        left, operator, right = children
        return ast.Binary(_operator(operator), left, right, span=over(meta))

    def equality_operator(self, meta: Meta, children: Children) -> str:
        return " ".join(str(token).lower() for token in children)

    def quantifier(self, meta: Meta, children: Children) -> str:
        return str(children[0]).lower()

    def quantified(self, meta: Meta, children: Children) -> ast.Quantified:
        left, operator, quantifier, options = children
        return ast.Quantified(_operator(operator), quantifier, left, tuple(options), span=over(meta))

    def expression_list(self, meta: Meta, children: Children) -> Arguments:
        return present(children)

    def contained(self, meta: Meta, children: Children) -> ast.Contained:
        value, negated, options = children
        return ast.Contained(value, tuple(options), negated is not None, span=over(meta))

    def range(self, meta: Meta, children: Children) -> Children:
        return children

    def in_range(self, meta: Meta, children: Children) -> ast.InRange:
        value, negated, (opened, low, high, closed) = children
        return ast.InRange(value, low, high, opened == "[", closed == "]", negated is not None, span=over(meta))

    def between(self, meta: Meta, children: Children) -> ast.Between:
        value, negated, low, high = children
        return ast.Between(value, low, high, negated is not None, span=over(meta))

    def like(self, meta: Meta, children: Children) -> ast.Like:
        value, negated, pattern, escape = children
        character = None if escape is None else self._unescaped(escape)
        return ast.Like(value, pattern, character, negated is not None, span=over(meta))

    def regexp(self, meta: Meta, children: Children) -> ast.Regexp:
        value, negated, pattern = children
        return ast.Regexp(value, pattern, negated is not None, span=over(meta))

    def minus(self, meta: Meta, children: Children) -> ast.Expression:
        return ast.Minus(children[1], span=over(meta))

    def plus(self, meta: Meta, children: Children) -> ast.Expression:
        return ast.Plus(children[1], span=over(meta))

    def member(self, meta: Meta, children: Children) -> ast.Member:
        return ast.Member(children[0], children[1].text, span=over(meta))

    def method(self, meta: Meta, children: Children) -> ast.MethodCall:
        target, name, arguments = children
        return ast.MethodCall(target, name.text, tuple(arguments), span=over(meta))

    def index(self, meta: Meta, children: Children) -> ast.Index:
        target, *_brackets, index = [child for child in children if not isinstance(child, Token)]
        return ast.Index(target, index, span=over(meta))

    def dynamic(self, meta: Meta, children: Children) -> ast.Dynamic:
        return ast.Dynamic(children[0], span=over(meta))

    def reference(self, meta: Meta, children: Children) -> ast.Reference:
        return ast.Reference(children[0].text, span=over(meta))

    def call(self, meta: Meta, children: Children) -> ast.Call:
        name, arguments = children
        return ast.Call(name.text, tuple(arguments), span=over(meta))

    def call_arguments(self, meta: Meta, children: Children) -> Arguments:
        return present(children)

    def star(self, meta: Meta, children: Children) -> ast.Star:
        return ast.Star(span=over(meta))

    def parenthesis(self, meta: Meta, children: Children) -> ast.Expression:
        (inner,) = [child for child in children if not isinstance(child, Token)]
        return cast(ast.Expression, inner)

    def array(self, meta: Meta, children: Children) -> ast.ArrayLiteral:
        return ast.ArrayLiteral(present(children), span=over(meta))

    def case(self, meta: Meta, children: Children) -> ast.Case:
        subject, *branches, otherwise = children
        return ast.Case(subject, tuple(branches), otherwise, span=over(meta))

    def branch(self, meta: Meta, children: Children) -> ast.Branch:
        return ast.Branch(children[0], children[1], span=over(meta))

    def otherwise(self, meta: Meta, children: Children) -> ast.Expression:
        return cast(ast.Expression, children[0])

    def cast(self, meta: Meta, children: Children) -> ast.Cast:
        value, type_name = [child for child in children if not isinstance(child, Token)]
        return ast.Cast(value, type_name, span=over(meta))

    def instance_of(self, meta: Meta, children: Children) -> ast.InstanceOf:
        value, *types = children
        return ast.InstanceOf(value, tuple(types), span=over(meta))


def _operator(text: str | Token) -> str:
    return "!=" if text == "<>" else str(text)
