"""Expressions as documents: which parentheses they need, and where they break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from epl import ast
from epl.formatter.layout import LINE, SOFT, Doc, Group, Indent, Part, join
from epl.formatter.words import name, string, type_name
from epl.precedence import CONCATENATION, EQUALITY, LOOSEST, OPERATORS, POSTFIX, UNARY, level_of
from epl.source import Source, Span


def listed(opening: str, items: Iterable[tuple[Span, Doc]], closing: str) -> Doc:
    """A list between marks: on one line, or each item on a line of its own."""
    parts = [Part(span, doc, begins_line=True, ends_line=True) for span, doc in items]
    if not parts:
        return opening + closing
    return Group((opening, Indent((SOFT, join((",", LINE), parts))), SOFT, closing))


class Expressions:
    """Writes the expressions of one source; numbers keep the form that they have there."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def write(self, node: ast.Expression, *, at_least: int = LOOSEST, indented: bool = True) -> Doc:
        """The document of an expression, in parentheses if it binds less than `at_least`.

        `indented`: when it breaks into operands, those from the second on are indented, because other things stand
        beside the expression on the same indentation.
        """
        if level_of(node) >= at_least:
            return Part(node.span, self._bare(node, indented))
        return Group(("(", Indent((SOFT, Part(node.span, self._bare(node, False)))), SOFT, ")"))

    def items(self, nodes: Sequence[ast.Expression]) -> Iterable[tuple[Span, Doc]]:
        """The items of a list."""
        alone = len(nodes) == 1
        return [(node.span, self.write(node, indented=not alone)) for node in nodes]

    def _bare(self, node: ast.Expression, indented: bool) -> Doc:
        match node:
            case ast.NumberLiteral():
                return self._source.slice(node.span)
            case ast.StringLiteral(value):
                return string(value)
            case ast.BooleanLiteral(value):
                return str(value).lower()
            case ast.NullLiteral():
                return "null"
            case ast.Star():
                return "*"
            case ast.Reference(text):
                return name(text)
            case ast.Member(target, text):
                return (self._target(target), f".{name(text)}")
            case ast.Index(target, index):
                return (self._target(target), "[", self.write(index), "]")
            case ast.Dynamic(target):
                return (self._target(target), "?")
            case ast.Call(text, arguments):
                return (name(text), listed("(", self.items(arguments), ")"))
            case ast.MethodCall(target, text, arguments):
                return (self._target(target), f".{name(text)}", listed("(", self.items(arguments), ")"))
            case ast.ArrayLiteral(items):
                return listed("{", self.items(items), "}")
            case ast.Cast(value, type_):
                return ("cast", listed("(", [*self.items([value]), *_types([type_])], ")"))
            case ast.InstanceOf(value, types):
                return ("instanceof", listed("(", [*self.items([value]), *_types(types)], ")"))
            case ast.Case():
                return self._case(node)
            case _:
                return self._operation(node, indented)

    def _operation(self, node: ast.Expression, indented: bool) -> Doc:
        match node:
            case ast.Negate(operand):
                return ("not ", self.write(operand, at_least=EQUALITY))
            case ast.Minus(operand):
                return ("-", self._signed(operand))
            case ast.Plus(operand):
                return ("+", self._signed(operand))
            case ast.Chain(operator, operands):
                return self._broken([(operator, each) for each in operands], OPERATORS[operator], indented)
            case ast.Binary("=" | "!=" | "is" | "is not" | "<" | "<=" | ">" | ">=", left, right):
                level = OPERATORS[node.operator]
                return (self.write(left, at_least=level), f" {node.operator} ", self.write(right, at_least=level + 1))
            case ast.Binary():
                return self._broken(_flattened(node), OPERATORS[node.operator], indented)
            case ast.Quantified(operator, quantifier, left, options):
                head = f" {operator} {quantifier} "
                return (self.write(left, at_least=OPERATORS[operator]), head, listed("(", self.items(options), ")"))
            case ast.Contained(value, options, negated):
                return (self._side(value), _word("in", negated), listed("(", self.items(options), ")"))
            case ast.InRange(value, low, high, low_included, high_included, negated):
                opening, closing = "[" if low_included else "(", "]" if high_included else ")"
                return (
                    self._side(value),
                    _word("in", negated),
                    opening,
                    self.write(low),
                    ":",
                    self.write(high),
                    closing,
                )
            case ast.Between(value, low, high, negated):
                return (self._side(value), _word("between", negated), self._side(low), " and ", self._side(high))
            case ast.Like(value, pattern, escape, negated):
                suffix = "" if escape is None else f" escape {string(escape)}"
                return (self._side(value), _word("like", negated), self._side(pattern), suffix)
            case ast.Regexp(value, pattern, negated):
                return (self._side(value), _word("regexp", negated), self._side(pattern))
            case _:
                raise AssertionError(f"no layout for {type(node).__name__}")

    def _side(self, node: ast.Expression) -> Doc:
        return self.write(node, at_least=CONCATENATION)

    def _signed(self, operand: ast.Expression) -> Doc:
        # `--` and `++` are operators of their own in many languages.
        is_signed = isinstance(operand, ast.Minus | ast.Plus)
        return self.write(operand, at_least=POSTFIX if is_signed else UNARY)

    def _target(self, node: ast.Expression) -> Doc:
        # The point of `1.length` would belong to the number.
        is_odd = isinstance(node, ast.NumberLiteral | ast.Case)
        return ("(", self.write(node), ")") if is_odd else self.write(node, at_least=POSTFIX)

    def _broken(self, operands: Sequence[tuple[str, ast.Expression]], level: int, indented: bool) -> Doc:
        """Operands with the operators before them, at which lines may begin; that of the first is not written."""
        (_, first), *others = operands
        rest = [
            (LINE, Part(node.span, (f"{operator} ", self.write(node, at_least=level + 1)), True, True))
            for operator, node in others
        ]
        head: Doc = Part(first.span, self.write(first, at_least=level + 1), ends_line=True)
        if not indented:
            return Group((head, *rest))
        # The lines of a tighter operation go deeper than those of this one, also in the first operand.
        nested = isinstance(first, ast.Chain | ast.Binary) and level_of(first) > level
        return Group((Indent(head) if nested else head, Indent(tuple(rest))))

    def _case(self, node: ast.Case) -> Doc:
        subject = () if node.subject is None else (" ", Part(node.subject.span, self.write(node.subject), False, True))
        lines = [Part(branch.span, self._branch(branch), True, True) for branch in node.branches]
        if node.otherwise is not None:
            lines.append(Part(node.otherwise.span, ("else ", self.write(node.otherwise)), True, True))
        return Group(("case", subject, Indent(tuple((LINE, line) for line in lines)), LINE, "end"))

    def _branch(self, node: ast.Branch) -> Doc:
        condition = Part(node.condition.span, self.write(node.condition), ends_line=True)
        result = Part(node.result.span, ("then ", self.write(node.result)), True, True)
        return Group(("when ", condition, Indent((LINE, result))))


def _flattened(node: ast.Binary) -> list[tuple[str, ast.Expression]]:
    """The operands of `a + b - c`, which is a tree that leans to the left, with the operators before them."""
    operands: list[tuple[str, ast.Expression]] = []
    current: ast.Expression = node
    while isinstance(current, ast.Binary) and level_of(current) == level_of(node):
        operands.append((current.operator, current.right))
        current = current.left
    return [(node.operator, current), *reversed(operands)]


def _word(keyword: str, negated: bool) -> str:
    return f" not {keyword} " if negated else f" {keyword} "


def _types(types: Iterable[ast.TypeName]) -> list[tuple[Span, Doc]]:
    return [(each.span, type_name(each)) for each in types]
