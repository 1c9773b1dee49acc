"""The common part of the builder: names, literals and annotations."""

from __future__ import annotations

import re
from typing import Any

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from epl import ast
from epl.diagnostics import Code, Problems, syntax_codes
from epl.java.arithmetic import to_float32
from epl.source import Span

_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# A pair of \u that Java reads as one character beyond U+FFFF; one \u; anything else.
_ESCAPE = re.compile(
    r"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL
)
_MAX_INT = 2**31 - 1
_MAX_LONG = 2**63 - 1

Children = list[Any]
"""What the parts of a grammar rule have become, in order; optional parts that are absent are None."""


def at(token: Token) -> Span:
    """The place of a token."""
    assert token.start_pos is not None and token.end_pos is not None
    return Span(token.start_pos, token.end_pos)


def over(meta: Meta) -> Span:
    """The place of a rule's whole text."""
    return Span(meta.start_pos, meta.end_pos)


def present(children: Children) -> tuple[Any, ...]:
    """The parts that are there: between empty parentheses, Lark leaves a None."""
    return tuple(child for child in children if child is not None)


@v_args(meta=True)
class LiteralBuilder(Transformer_NonRecursive[Token, Any]):
    """Builds names, literals and annotations; problems of literals go to `problems` and set `failed`."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(visit_tokens=False)
        self._problems = problems
        self.failed = False

    def __default__(self, data: str, children: Children, meta: Meta) -> Any:
        raise AssertionError(f"the builder has no method for the grammar rule `{data}`")

    def _fail(self, code: Code, span: Span, *, hint: str | None = None, **fields: object) -> None:
        self.failed = True
        self._problems.add(code, span, hint=hint, **fields)

    # ---- names and literals

    def name(self, meta: Meta, children: Children) -> ast.Name:
        token: Token = children[0]
        text = token[1:-1] if token.type == "QUOTED_NAME" else str(token)
        return ast.Name(text, span=at(token))

    def dotted(self, meta: Meta, children: Children) -> ast.Name:
        return ast.Name(".".join(part.text for part in children), span=over(meta))

    def name_list(self, meta: Meta, children: Children) -> tuple[ast.Name, ...]:
        return tuple(children)

    def literal(self, meta: Meta, children: Children) -> ast.Expression:
        token: Token = children[0]
        span = at(token)
        match token.type:
            case "STRING":
                return ast.StringLiteral(self._unescaped(token), span=span)
            case "INTEGER":
                return self._integer(token)
            case "DECIMAL":
                number = float(token.rstrip("fFdD"))
                if token[-1] in "fF":
                    return ast.NumberLiteral(to_float32(number), "float", span=span)
                return ast.NumberLiteral(number, "double", span=span)
            case "NULL":
                return ast.NullLiteral(span=span)
            case _:
                return ast.BooleanLiteral(token.type == "TRUE", span=span)

    def _unescaped(self, token: Token) -> str:
        def refuse(match: re.Match[str], hint: str) -> str:
            start = at(token).start + 1 + match.start()
            self._fail(syntax_codes.BAD_ESCAPE, Span(start, start + len(match[0])), hint=hint, escape=match[0][1:])
            return ""

        def character(match: re.Match[str]) -> str:
            pair, code, escape = match.groups()
            if pair is not None:
                return bytes.fromhex(match[0].replace("\\u", "")).decode("utf-16-be")
            if code is not None:
                char = chr(int(code, 16))
                # Half a character cannot be written to any output.
                return refuse(match, "write the whole pair, or the character itself") if _is_half(char) else char
            if escape not in _ESCAPES:
                return refuse(match, f"write `\\\\{escape}` for a backslash and `{escape}`")
            return _ESCAPES[escape]

        return _ESCAPE.sub(character, token[1:-1])

    def _integer(self, token: Token) -> ast.NumberLiteral:
        is_hex = token[:2].lower() == "0x"
        digits = token.rstrip("lL")
        # More digits than any long has: int() would be slow, or refuse.
        value = _MAX_LONG + 1 if len(digits) > 40 else int(digits, 16 if is_hex else 10)
        if is_hex and token[-1] not in "lL" and value < 2**32:
            # As in Java, a hexadecimal literal names the 32 bits of an int.
            value -= 2**32 if value > _MAX_INT else 0
        if value > _MAX_LONG:
            self._fail(syntax_codes.NUMBER_TOO_LARGE, at(token), number=str(token), type="long")
        kind: ast.NumberKind = "long" if token[-1] in "lL" or value > _MAX_INT else "int"
        return ast.NumberLiteral(value, kind, span=at(token))

    # ---- annotations

    def annotation(self, meta: Meta, children: Children) -> ast.Annotation:
        name, arguments = children
        return ast.Annotation(name.text, arguments or (), span=over(meta))

    def annotation_arguments(self, meta: Meta, children: Children) -> tuple[ast.AnnotationArgument, ...]:
        return tuple(
            child
            if isinstance(child, ast.AnnotationArgument)
            else ast.AnnotationArgument(None, _annotation_value(child), span=child.span)
            for child in present(children)
        )

    def annotation_pair(self, meta: Meta, children: Children) -> ast.AnnotationArgument:
        name, value = children
        return ast.AnnotationArgument(name.text, _annotation_value(value), span=over(meta))

    def annotation_negative(self, meta: Meta, children: Children) -> ast.NumberLiteral:
        token: Token = children[0]
        positive = self.literal(meta, [token])
        assert isinstance(positive, ast.NumberLiteral)
        return ast.NumberLiteral(-positive.value, positive.kind, span=over(meta))

    def annotation_list(self, meta: Meta, children: Children) -> ast.ArrayLiteral:
        return ast.ArrayLiteral(present(children), span=over(meta))

    def annotation_constant(self, meta: Meta, children: Children) -> ast.StringLiteral:
        # The name of a constant, such as @Hint(ITERATE_ONLY): only documentation takes one, so its text will do.
        return ast.StringLiteral(children[0].text, span=over(meta))


def _is_half(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def _annotation_value(node: ast.Expression) -> ast.AnnotationValue:
    match node:
        case ast.StringLiteral(value) | ast.BooleanLiteral(value) | ast.NumberLiteral(value):
            return value
        case ast.ArrayLiteral(items):
            return tuple(_annotation_value(item) for item in items)
        case _:
            return None
