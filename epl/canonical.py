"""The canonical text of an expression: the name of a column that has none, as the reference engine writes it."""

from __future__ import annotations

from epl import ast
from epl.java.text import text_of
from epl.precedence import CONCATENATION, EQUALITY, OPERATORS, POSTFIX, UNARY, level_of
from epl.types import DOUBLE, FLOAT


def canonical(node: ast.Expression) -> str:
    """The text of an expression, without blanks round operators and with `"` round strings."""
    match node:
        case ast.NumberLiteral(value, kind):
            if isinstance(value, float):
                return text_of(value, FLOAT if kind == "float" else DOUBLE)
            return str(value)
        case ast.StringLiteral(value):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case ast.BooleanLiteral(value):
            return str(value).lower()
        case ast.NullLiteral():
            return "null"
        case ast.Star():
            return "*"
        case ast.Reference(name):
            return name
        case ast.Member(target, name):
            return f"{_operand(target, POSTFIX)}.{name}"
        case ast.Index(target, index):
            return f"{_operand(target, POSTFIX)}[{_operand(index, 1)}]"
        case ast.Dynamic(target):
            return f"{_operand(target, POSTFIX)}?"
        case ast.Call(name, arguments):
            return f"{name}({_list(arguments)})"
        case ast.MethodCall(target, name, arguments):
            return f"{_operand(target, POSTFIX)}.{name}({_list(arguments)})"
        case ast.Negate(operand):
            return f"not {_operand(operand, EQUALITY)}"
        case ast.Minus(operand):
            return f"-{_operand(operand, UNARY)}"
        case ast.Plus(operand):
            return canonical(operand)
        case ast.Chain(operator, operands):
            level = OPERATORS[operator]
            joint = operator if operator == "||" else f" {operator} "
            return joint.join(_operand(operand, level + 1) for operand in operands)
        case ast.Binary(operator, left, right):
            level = OPERATORS[operator]
            joint = f" {operator} " if operator.startswith("is") else operator
            return f"{_operand(left, level)}{joint}{_operand(right, level + 1)}"
        case ast.Quantified(operator, quantifier, left, options):
            level = OPERATORS[operator]
            return f"{_operand(left, level)}{operator}{quantifier}({_list(options)})"
        case _:
            return _predicate(node)


def _operand(node: ast.Expression, level: int) -> str:
    text = canonical(node)
    # A plus is not written, so what stands behind it decides.
    while isinstance(node, ast.Plus):
        node = node.operand
    return text if level_of(node) >= level else f"({text})"


def _list(nodes: tuple[ast.Expression, ...]) -> str:
    return ",".join(_operand(node, 1) for node in nodes)


def _predicate(node: ast.Expression) -> str:
    match node:
        case ast.Contained(value, options, negated):
            return f"{_operand(value, CONCATENATION)}{_not(negated)} in ({_list(options)})"
        case ast.InRange(value, low, high, low_included, high_included, negated):
            opened, closed = "[" if low_included else "(", "]" if high_included else ")"
            bounds = f"{opened}{_operand(low, 1)}:{_operand(high, 1)}{closed}"
            return f"{_operand(value, CONCATENATION)}{_not(negated)} in {bounds}"
        case ast.Between(value, low, high, negated):
            bounds = f"{_operand(low, CONCATENATION)} and {_operand(high, CONCATENATION)}"
            return f"{_operand(value, CONCATENATION)}{_not(negated)} between {bounds}"
        case ast.Like(value, pattern, escape, negated):
            suffix = "" if escape is None else f' escape "{escape}"'
            return f"{_operand(value, CONCATENATION)}{_not(negated)} like {_operand(pattern, CONCATENATION)}{suffix}"
        case ast.Regexp(value, pattern, negated):
            return f"{_operand(value, CONCATENATION)}{_not(negated)} regexp {_operand(pattern, CONCATENATION)}"
        case ast.Case(subject, branches, otherwise):
            head = "case" if subject is None else f"case {_operand(subject, 1)}"
            whens = [f" when {_operand(b.condition, 1)} then {_operand(b.result, 1)}" for b in branches]
            tail = "" if otherwise is None else f" else {_operand(otherwise, 1)}"
            return f"{head}{''.join(whens)}{tail} end"
        case ast.Cast(value, type_name):
            return f"cast({_operand(value, 1)},{type_name.name})"
        case ast.InstanceOf(value, types):
            return f"instanceof({_operand(value, 1)},{','.join(t.name for t in types)})"
        case ast.ArrayLiteral(items):
            return f"{{{_list(items)}}}"
        case _:
            raise AssertionError(f"no canonical text for {type(node).__name__}")


def _not(negated: bool) -> str:
    return " not" if negated else ""
