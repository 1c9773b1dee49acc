"""From Lark's trees to our nodes. One method a grammar rule; a rule without one is a defect, not a silent tree."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from epl import ast
from epl.diagnostics import Problems, syntax_codes
from epl.source import Span

_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_MAX_INT = 2**31 - 1
_MAX_LONG = 2**63 - 1

Children = list[Any]


def _at(token: Token) -> Span:
    assert token.start_pos is not None and token.end_pos is not None
    return Span(token.start_pos, token.end_pos)


def _over(meta: Meta) -> Span:
    return Span(meta.start_pos, meta.end_pos)


class Lambda:
    """The left side of `=>`, in parentheses, on its way to `create_expression`."""

    def __init__(self, names: tuple[ast.Name, ...]) -> None:
        self.names = names


class Arguments(tuple[ast.Expression, ...]):
    """Expressions between parentheses, on their way to the node that owns them."""


@v_args(meta=True)
class Builder(Transformer_NonRecursive[Token, Any]):
    """Builds the nodes of one statement; problems of literals go to `problems` and set `failed`."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(visit_tokens=False)
        self._problems = problems
        self.failed = False

    def __default__(self, data: str, children: Children, meta: Meta) -> Any:
        raise AssertionError(f"the builder has no method for the grammar rule `{data}`")

    def _fail(self, *args: Any, **fields: object) -> None:
        self.failed = True
        self._problems.add(*args, **fields)  # type: ignore[arg-type]

    # ---- names and literals

    def name(self, meta: Meta, children: Children) -> ast.Name:
        token: Token = children[0]
        text = token[1:-1] if token.type == "QUOTED_NAME" else str(token)
        return ast.Name(text, span=_at(token))

    def dotted(self, meta: Meta, children: Children) -> ast.Name:
        return ast.Name(".".join(part.text for part in children), span=_over(meta))

    def name_list(self, meta: Meta, children: Children) -> tuple[ast.Name, ...]:
        return tuple(children)

    def literal(self, meta: Meta, children: Children) -> ast.Expression:
        token: Token = children[0]
        span = _at(token)
        match token.type:
            case "STRING":
                return ast.StringLiteral(self._unescaped(token), span=span)
            case "INTEGER":
                return self._integer(token)
            case "DECIMAL":
                number = token.rstrip("fFdD")
                return ast.NumberLiteral(float(number), "float" if token[-1] in "fF" else "double", span=span)
            case "NULL":
                return ast.NullLiteral(span=span)
            case _:
                return ast.BooleanLiteral(token.type == "TRUE", span=span)

    def _unescaped(self, token: Token) -> str:
        def character(match: re.Match[str]) -> str:
            escape = match[1]
            if escape[0] == "u" and len(escape) == 5:
                return chr(int(escape[1:], 16))
            if escape not in _ESCAPES:
                start = _at(token).start + 1 + match.start()
                hint = f"write `\\\\{escape}` for a backslash and `{escape}`"
                self._fail(syntax_codes.BAD_ESCAPE, Span(start, start + len(match[0])), hint=hint, escape=escape)
            return _ESCAPES.get(escape, "")

        return _ESCAPE.sub(character, token[1:-1])

    def _integer(self, token: Token) -> ast.NumberLiteral:
        is_hex = token[:2].lower() == "0x"
        digits = token.rstrip("lL")
        # More digits than any long has: int() would be slow, or refuse.
        value = _MAX_LONG + 1 if len(digits) > 40 else int(digits, 16 if is_hex else 10)
        if is_hex and not token[-1] in "lL" and value < 2**32:
            # As in Java, a hexadecimal literal names the 32 bits of an int.
            value -= 2**32 if value > _MAX_INT else 0
        if value > _MAX_LONG:
            self._fail(syntax_codes.NUMBER_TOO_LARGE, _at(token), number=str(token), type="long")
        kind: ast.NumberKind = "long" if token[-1] in "lL" or value > _MAX_INT else "int"
        return ast.NumberLiteral(value, kind, span=_at(token))

    # ---- annotations

    def annotation(self, meta: Meta, children: Children) -> ast.Annotation:
        name, arguments = children
        return ast.Annotation(name.text, arguments or (), span=_over(meta))

    def annotation_arguments(self, meta: Meta, children: Children) -> tuple[ast.AnnotationArgument, ...]:
        given = [child for child in children if child is not None]
        return tuple(
            child
            if isinstance(child, ast.AnnotationArgument)
            else ast.AnnotationArgument(None, _annotation_value(child), span=child.span)
            for child in given
        )

    def annotation_pair(self, meta: Meta, children: Children) -> ast.AnnotationArgument:
        name, value = children
        return ast.AnnotationArgument(name.text, _annotation_value(value), span=_over(meta))

    def annotation_negative(self, meta: Meta, children: Children) -> ast.NumberLiteral:
        token: Token = children[0]
        positive = self.literal(meta, [token])
        assert isinstance(positive, ast.NumberLiteral)
        return ast.NumberLiteral(-positive.value, positive.kind, span=_over(meta))

    def annotation_list(self, meta: Meta, children: Children) -> ast.ArrayLiteral:
        return ast.ArrayLiteral(tuple(child for child in children if child is not None), span=_over(meta))

    def annotation_constant(self, meta: Meta, children: Children) -> ast.StringLiteral:
        # The name of a constant, such as @Hint(ITERATE_ONLY): only documentation takes one, so its text will do.
        return ast.StringLiteral(children[0].text, span=_over(meta))

    # ---- statements

    def statement(self, meta: Meta, children: Children) -> ast.Statement:
        *annotations, body = children
        return replace(cast(ast.Statement, body), annotations=tuple(annotations), span=_over(meta))

    def select(self, meta: Meta, children: Children) -> ast.Select:
        insert_into, columns, stream, where = children
        return ast.Select((), insert_into, columns, stream, where, span=_over(meta))

    def insert_into(self, meta: Meta, children: Children) -> ast.InsertInto:
        return ast.InsertInto(children[0], children[1], span=_over(meta))

    def columns(self, meta: Meta, children: Children) -> tuple[ast.Column | ast.Wildcard, ...]:
        return tuple(children)

    def column(self, meta: Meta, children: Children) -> ast.Column:
        return ast.Column(children[0], children[1], span=_over(meta))

    def wildcard(self, meta: Meta, children: Children) -> ast.Wildcard:
        target = children[0]
        if isinstance(target, Token):
            return ast.Wildcard(None, span=_over(meta))
        text = target.name if isinstance(target, ast.Reference) else None
        if text is None:
            self._fail(
                syntax_codes.UNEXPECTED,
                _at(children[-1]),
                found="`*`",
                expected="a name",
                hint="only an alias, as in `ev.*`, spreads into columns",
            )
        return ast.Wildcard(ast.Name(text or "", span=target.span), span=_over(meta))

    def stream(self, meta: Meta, children: Children) -> ast.Stream:
        type_name, filters, alias = children
        return ast.Stream(type_name, filters or (), alias, span=_over(meta))

    def filters(self, meta: Meta, children: Children) -> Arguments:
        return Arguments(child for child in children if child is not None)

    def where(self, meta: Meta, children: Children) -> ast.Expression:
        return cast(ast.Expression, children[0])

    def update(self, meta: Meta, children: Children) -> ast.Update:
        type_name, alias, *rest = children
        *assignments, where = rest
        return ast.Update((), type_name, alias, tuple(assignments), where, span=_over(meta))

    def assignment(self, meta: Meta, children: Children) -> ast.Assignment:
        return ast.Assignment(children[0], children[1], span=_over(meta))

    def create_schema(self, meta: Meta, children: Children) -> ast.CreateSchema:
        name, *declared = children
        return ast.CreateSchema((), name, tuple(field for field in declared if field is not None), span=_over(meta))

    def field(self, meta: Meta, children: Children) -> ast.FieldDeclaration:
        return ast.FieldDeclaration(children[0], children[1], span=_over(meta))

    def type(self, meta: Meta, children: Children) -> ast.TypeName:
        name, mark = children
        return ast.TypeName(name.text + ("[]" if mark else ""), span=_over(meta))

    def create_variable(self, meta: Meta, children: Children) -> ast.CreateVariable:
        constant, type_name, name, value = children
        return ast.CreateVariable((), constant is not None, type_name, name, value, span=_over(meta))

    def create_expression(self, meta: Meta, children: Children) -> ast.CreateExpression:
        name, parameters, head, body = children
        names = parameters or ()
        if isinstance(head, Lambda):
            names = head.names
        elif isinstance(head, ast.Reference):
            names = (ast.Name(head.name, span=head.span),)
        elif head is not None:
            self._fail(syntax_codes.BAD_LAMBDA, head.span, hint="as in `{ x => x.n * 2 }`")
        return ast.CreateExpression((), name, tuple(names), body, False, span=_over(meta))

    def create_alias(self, meta: Meta, children: Children) -> ast.CreateExpression:
        return ast.CreateExpression((), children[0], (), children[1], True, span=_over(meta))

    def parameters(self, meta: Meta, children: Children) -> tuple[ast.Name, ...]:
        return tuple(child for child in children if child is not None)

    def lambda_parameters(self, meta: Meta, children: Children) -> Lambda:
        return Lambda(tuple(children))

    # ---- expressions

    def disjunction(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("or", tuple(children), span=_over(meta))

    def conjunction(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("and", tuple(children), span=_over(meta))

    def concatenation(self, meta: Meta, children: Children) -> ast.Chain:
        return ast.Chain("||", tuple(children), span=_over(meta))

    def bitwise(self, meta: Meta, children: Children) -> ast.Binary:
        return self.binary(meta, children)

    def negate(self, meta: Meta, children: Children) -> ast.Negate:
        return ast.Negate(children[1], span=_over(meta))

    def binary(self, meta: Meta, children: Children) -> ast.Binary:
        left, operator, right = children
        return ast.Binary(_operator(operator), left, right, span=_over(meta))

    def equality_operator(self, meta: Meta, children: Children) -> str:
        return " ".join(str(token).lower() for token in children)

    def quantifier(self, meta: Meta, children: Children) -> str:
        return str(children[0]).lower()

    def quantified(self, meta: Meta, children: Children) -> ast.Quantified:
        left, operator, quantifier, options = children
        return ast.Quantified(_operator(operator), quantifier, left, tuple(options), span=_over(meta))

    def expression_list(self, meta: Meta, children: Children) -> Arguments:
        return Arguments(child for child in children if child is not None)

    def contained(self, meta: Meta, children: Children) -> ast.Contained:
        value, negated, options = children
        return ast.Contained(value, tuple(options), negated is not None, span=_over(meta))

    def range(self, meta: Meta, children: Children) -> Children:
        return children

    def in_range(self, meta: Meta, children: Children) -> ast.InRange:
        value, negated, (opened, low, high, closed) = children
        return ast.InRange(value, low, high, opened == "[", closed == "]", negated is not None, span=_over(meta))

    def between(self, meta: Meta, children: Children) -> ast.Between:
        value, negated, low, high = children
        return ast.Between(value, low, high, negated is not None, span=_over(meta))

    def like(self, meta: Meta, children: Children) -> ast.Like:
        value, negated, pattern, escape = children
        character = None if escape is None else self._unescaped(escape)
        return ast.Like(value, pattern, character, negated is not None, span=_over(meta))

    def regexp(self, meta: Meta, children: Children) -> ast.Regexp:
        value, negated, pattern = children
        return ast.Regexp(value, pattern, negated is not None, span=_over(meta))

    def minus(self, meta: Meta, children: Children) -> ast.Expression:
        return ast.Minus(children[1], span=_over(meta))

    def plus(self, meta: Meta, children: Children) -> ast.Expression:
        return ast.Plus(children[1], span=_over(meta))

    def member(self, meta: Meta, children: Children) -> ast.Member:
        return ast.Member(children[0], children[1].text, span=_over(meta))

    def method(self, meta: Meta, children: Children) -> ast.MethodCall:
        target, name, arguments = children
        return ast.MethodCall(target, name.text, tuple(arguments), span=_over(meta))

    def index(self, meta: Meta, children: Children) -> ast.Index:
        target, *_brackets, index = [child for child in children if not isinstance(child, Token)]
        return ast.Index(target, index, span=_over(meta))

    def dynamic(self, meta: Meta, children: Children) -> ast.Dynamic:
        return ast.Dynamic(children[0], span=_over(meta))

    def reference(self, meta: Meta, children: Children) -> ast.Reference:
        return ast.Reference(children[0].text, span=_over(meta))

    def call(self, meta: Meta, children: Children) -> ast.Call:
        name, arguments = children
        return ast.Call(name.text, tuple(arguments), span=_over(meta))

    def call_arguments(self, meta: Meta, children: Children) -> Arguments:
        return Arguments(child for child in children if child is not None)

    def star(self, meta: Meta, children: Children) -> ast.Star:
        return ast.Star(span=_over(meta))

    def parenthesis(self, meta: Meta, children: Children) -> ast.Expression:
        (inner,) = [child for child in children if not isinstance(child, Token)]
        return cast(ast.Expression, inner)

    def array(self, meta: Meta, children: Children) -> ast.ArrayLiteral:
        return ast.ArrayLiteral(tuple(child for child in children if child is not None), span=_over(meta))

    def case(self, meta: Meta, children: Children) -> ast.Case:
        subject, *branches, otherwise = children
        return ast.Case(subject, tuple(branches), otherwise, span=_over(meta))

    def branch(self, meta: Meta, children: Children) -> ast.Branch:
        return ast.Branch(children[0], children[1], span=_over(meta))

    def otherwise(self, meta: Meta, children: Children) -> ast.Expression:
        return cast(ast.Expression, children[0])

    def cast(self, meta: Meta, children: Children) -> ast.Cast:
        value, type_name = [child for child in children if not isinstance(child, Token)]
        return ast.Cast(value, type_name, span=_over(meta))

    def instance_of(self, meta: Meta, children: Children) -> ast.InstanceOf:
        value, *types = children
        return ast.InstanceOf(value, tuple(types), span=_over(meta))


def _operator(text: str | Token) -> str:
    return "!=" if text == "<>" else str(text)


def _annotation_value(node: ast.Expression) -> ast.AnnotationValue:
    match node:
        case ast.StringLiteral(value) | ast.BooleanLiteral(value) | ast.NumberLiteral(value):
            return value
        case ast.ArrayLiteral(items):
            return tuple(_annotation_value(item) for item in items)
        case _:
            return None
