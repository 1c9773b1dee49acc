"""How tightly operators bind, as in the grammar: for whoever writes expressions and wants no needless parentheses."""

from __future__ import annotations

from collections.abc import Mapping

from epl import ast

# Loose to tight.
LOOSEST, NOT, EQUALITY, RELATION, CONCATENATION, UNARY, POSTFIX = 1, 4, 5, 6, 7, 10, 11

OPERATORS: Mapping[str, int] = {
    "or": LOOSEST,
    "and": 2,
    **dict.fromkeys("&|^", 3),
    **dict.fromkeys(("=", "!=", "is", "is not"), EQUALITY),
    **dict.fromkeys(("<", "<=", ">", ">="), RELATION),
    "||": CONCATENATION,
    **dict.fromkeys("+-", 8),
    **dict.fromkeys("*/%", 9),
}


def level_of(node: ast.Expression) -> int:
    """How tightly an expression binds; as an operand of something tighter it needs parentheses."""
    match node:
        case ast.Chain(operator) | ast.Binary(operator) | ast.Quantified(operator):
            return OPERATORS[operator]
        case ast.Negate():
            return NOT
        case ast.Contained() | ast.InRange() | ast.Between() | ast.Like() | ast.Regexp():
            return RELATION
        case ast.Minus() | ast.Plus():
            return UNARY
        case _:
            return POSTFIX
