"""The canonical text of an expression: the name of a column that has none, as the reference engine writes it."""

from __future__ import annotations

from epl import ast
from epl.java.text import text_of
from epl.types import DOUBLE, FLOAT

# Loose to tight; parentheses stand only where a looser expression is an operand of a tighter one.
_CHAIN_LEVEL = {"or": 1, "and": 2, "||": 7}
_BINARY_LEVEL = {
    **dict.fromkeys("&|^", 3),
    **dict.fromkeys(("=", "!=", "is", "is not"), 5),
    **dict.fromkeys(("<", "<=", ">", ">="), 6),
    **dict.fromkeys("+-", 8),
    **dict.fromkeys("*/%", 9),
}
_NOT, _EQUALITY, _RELATION, _CONCAT, _UNARY, _ATOM = 4, 5, 6, 7, 10, 11


def canonical(node: ast.Expression) -> str:
    """The text of an expression, without blanks round operators and with `"` round strings."""
    return _write(node)[0]


def _operand(node: ast.Expression, level: int) -> str:
    text, own = _write(node)
    return text if own >= level else f"({text})"


def _list(nodes: tuple[ast.Expression, ...]) -> str:
    return ",".join(_operand(node, 1) for node in nodes)


def _write(node: ast.Expression) -> tuple[str, int]:
    """Text and level of binding."""
    match node:
        case ast.NumberLiteral(value, kind):
            if isinstance(value, float):
                return text_of(value, FLOAT if kind == "float" else DOUBLE), _ATOM
            return str(value), _ATOM
        case ast.StringLiteral(value):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"', _ATOM
        case ast.BooleanLiteral(value):
            return str(value).lower(), _ATOM
        case ast.NullLiteral():
            return "null", _ATOM
        case ast.Star():
            return "*", _ATOM
        case ast.Reference(name):
            return name, _ATOM
        case ast.Member(target, name):
            return f"{_operand(target, _ATOM)}.{name}", _ATOM
        case ast.Index(target, index):
            return f"{_operand(target, _ATOM)}[{_operand(index, 1)}]", _ATOM
        case ast.Dynamic(target):
            return f"{_operand(target, _ATOM)}?", _ATOM
        case ast.Call(name, arguments):
            return f"{name}({_list(arguments)})", _ATOM
        case ast.MethodCall(target, name, arguments):
            return f"{_operand(target, _ATOM)}.{name}({_list(arguments)})", _ATOM
        case ast.Negate(operand):
            return f"not {_operand(operand, _EQUALITY)}", _NOT
        case ast.Minus(operand):
            return f"-{_operand(operand, _UNARY)}", _UNARY
        case ast.Plus(operand):
            return _write(operand)
        case ast.Chain(operator, operands):
            level = _CHAIN_LEVEL[operator]
            joint = operator if operator == "||" else f" {operator} "
            return joint.join(_operand(operand, level + 1) for operand in operands), level
        case ast.Binary(operator, left, right):
            level = _BINARY_LEVEL[operator]
            joint = f" {operator} " if operator.startswith("is") else operator
            return f"{_operand(left, level)}{joint}{_operand(right, level + 1)}", level
        case ast.Quantified(operator, quantifier, left, options):
            level = _BINARY_LEVEL[operator]
            return f"{_operand(left, level)}{operator}{quantifier}({_list(options)})", level
        case _:
            return _write_predicate(node)


def _write_predicate(node: ast.Expression) -> tuple[str, int]:
    match node:
        case ast.Contained(value, options, negated):
            return f"{_operand(value, _CONCAT)}{_not(negated)} in ({_list(options)})", _RELATION
        case ast.InRange(value, low, high, low_included, high_included, negated):
            opened, closed = "[" if low_included else "(", "]" if high_included else ")"
            bounds = f"{opened}{_operand(low, 1)}:{_operand(high, 1)}{closed}"
            return f"{_operand(value, _CONCAT)}{_not(negated)} in {bounds}", _RELATION
        case ast.Between(value, low, high, negated):
            bounds = f"{_operand(low, _CONCAT)} and {_operand(high, _CONCAT)}"
            return f"{_operand(value, _CONCAT)}{_not(negated)} between {bounds}", _RELATION
        case ast.Like(value, pattern, escape, negated):
            suffix = "" if escape is None else f' escape "{escape}"'
            text = f"{_operand(value, _CONCAT)}{_not(negated)} like {_operand(pattern, _CONCAT)}{suffix}"
            return text, _RELATION
        case ast.Regexp(value, pattern, negated):
            return f"{_operand(value, _CONCAT)}{_not(negated)} regexp {_operand(pattern, _CONCAT)}", _RELATION
        case ast.Case(subject, branches, otherwise):
            head = "case" if subject is None else f"case {_operand(subject, 1)}"
            whens = [f" when {_operand(b.condition, 1)} then {_operand(b.result, 1)}" for b in branches]
            tail = "" if otherwise is None else f" else {_operand(otherwise, 1)}"
            return f"{head}{''.join(whens)}{tail} end", _ATOM
        case ast.Cast(value, type_name):
            return f"cast({_operand(value, 1)},{type_name.name})", _ATOM
        case ast.InstanceOf(value, types):
            return f"instanceof({_operand(value, 1)},{','.join(t.name for t in types)})", _ATOM
        case ast.ArrayLiteral(items):
            return f"{{{_list(items)}}}", _ATOM
        case _:
            raise AssertionError(f"no canonical text for {type(node).__name__}")


def _not(negated: bool) -> str:
    return " not" if negated else ""
