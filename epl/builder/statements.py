"""Statements: the outermost part of the builder."""

from __future__ import annotations

from typing import cast

from lark import Token, v_args
from lark.tree import Meta

from epl import ast
from epl.builder.expressions import Arguments, ExpressionBuilder
from epl.builder.literals import Children, at, over, present
from epl.diagnostics import syntax_codes
from epl.structs import replace


class Lambda:
    """The left side of `=>`, in parentheses, on its way to `create_expression`."""

    def __init__(self, names: tuple[ast.Name, ...]) -> None:
        self.names = names


@v_args(meta=True)
class Builder(ExpressionBuilder):
    """Builds the nodes of one statement; problems of literals go to `problems` and set `failed`."""

    def statement(self, meta: Meta, children: Children) -> ast.Statement:
        *annotations, body = children
        return replace(cast(ast.Statement, body), annotations=tuple(annotations), span=over(meta))

    def select(self, meta: Meta, children: Children) -> ast.Select:
        insert_into, columns, stream, where = children
        return ast.Select((), insert_into, columns, stream, where, span=over(meta))

    def insert_into(self, meta: Meta, children: Children) -> ast.InsertInto:
        return ast.InsertInto(children[0], children[1], span=over(meta))

    def columns(self, meta: Meta, children: Children) -> tuple[ast.Column | ast.Wildcard, ...]:
        return tuple(children)

    def column(self, meta: Meta, children: Children) -> ast.Column:
        return ast.Column(children[0], children[1], span=over(meta))

    def wildcard(self, meta: Meta, children: Children) -> ast.Wildcard:
        target = children[0]
        if isinstance(target, Token):
            return ast.Wildcard(None, span=over(meta))
        text = target.name if isinstance(target, ast.Reference) else None
        if text is None:
            self._fail(
                syntax_codes.UNEXPECTED,
                at(children[-1]),
                found="`*`",
                expected="a name",
                hint="only an alias, as in `ev.*`, spreads into columns",
            )
        return ast.Wildcard(ast.Name(text or "", span=target.span), span=over(meta))

    def stream(self, meta: Meta, children: Children) -> ast.Stream:
        type_name, filters, alias = children
        return ast.Stream(type_name, filters or (), alias, span=over(meta))

    def filters(self, meta: Meta, children: Children) -> Arguments:
        return present(children)

    def where(self, meta: Meta, children: Children) -> ast.Expression:
        return cast(ast.Expression, children[0])

    def update(self, meta: Meta, children: Children) -> ast.Update:
        type_name, alias, *rest = children
        *assignments, where = rest
        return ast.Update((), type_name, alias, tuple(assignments), where, span=over(meta))

    def assignment(self, meta: Meta, children: Children) -> ast.Assignment:
        return ast.Assignment(children[0], children[1], span=over(meta))

    def create_schema(self, meta: Meta, children: Children) -> ast.CreateSchema:
        name, *declared = children
        return ast.CreateSchema((), name, tuple(field for field in declared if field is not None), span=over(meta))

    def field(self, meta: Meta, children: Children) -> ast.FieldDeclaration:
        return ast.FieldDeclaration(children[0], children[1], span=over(meta))

    def type(self, meta: Meta, children: Children) -> ast.TypeName:
        name, mark = children
        return ast.TypeName(name.text + ("[]" if mark else ""), span=over(meta))

    def create_variable(self, meta: Meta, children: Children) -> ast.CreateVariable:
        constant, type_name, name, value = children
        return ast.CreateVariable((), constant is not None, type_name, name, value, span=over(meta))

    def create_expression(self, meta: Meta, children: Children) -> ast.CreateExpression:
        name, parameters, head, body = children
        names = parameters or ()
        if isinstance(head, Lambda):
            names = head.names
        elif isinstance(head, ast.Reference):
            names = (ast.Name(head.name, span=head.span),)
        elif head is not None:
            self._fail(syntax_codes.BAD_LAMBDA, head.span, hint="as in `{ x => x.n * 2 }`")
        return ast.CreateExpression((), name, tuple(names), body, False, span=over(meta))

    def create_alias(self, meta: Meta, children: Children) -> ast.CreateExpression:
        return ast.CreateExpression((), children[0], (), children[1], True, span=over(meta))

    def parameters(self, meta: Meta, children: Children) -> tuple[ast.Name, ...]:
        return present(children)

    def lambda_parameters(self, meta: Meta, children: Children) -> Lambda:
        return Lambda(tuple(children))
