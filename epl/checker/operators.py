"""Types of operators: arithmetic, comparison, `||`, `& | ^`, three-valued logic."""

from __future__ import annotations

from typing import Literal, cast

from epl import ast, types
from epl.checker.base import Checker, shown, widened
from epl.diagnostics import type_codes
from epl.typed import And, Arithmetic, Bitwise, Compare, Concat, Const, Expr, Is, Minus, Or
from epl.types import Type

CompareOperator = Literal["=", "!=", "<", "<=", ">", ">="]


class OperatorChecker(Checker):
    """Checks operators."""

    def _chain(self, node: ast.Chain) -> Expr | None:
        if node.operator == "||":
            operands = self.check_all(node.operands)
            if operands is None:
                return None
            for operand, place in zip(operands, node.operands, strict=True):
                if operand.type not in (types.STRING, types.CHAR, types.NULL):
                    self.operand_problem(place.span, "||", "strings", operand.type)
                    return None
            return Concat(types.STRING, any(o.nullable for o in operands), operands)
        conditions = [self.condition(operand, node.operator) for operand in node.operands]
        if None in conditions:
            return None
        checked = cast(tuple[Expr, ...], tuple(conditions))
        make = And if node.operator == "and" else Or
        return make(types.BOOLEAN, any(c.nullable for c in checked), checked)

    def _sign(self, node: ast.Expression, operand: ast.Expression) -> Expr | None:
        checked = self.check(operand)
        if checked is None:
            return None
        if not checked.type.is_numeric:
            self.operand_problem(operand.span, "-" if isinstance(node, ast.Minus) else "+", "numbers", checked.type)
            return None
        if isinstance(node, ast.Plus):
            return checked
        type_ = types.wider(checked.type, types.INT)
        # Zero is left alone: -0.0 equals 0.0 in Python, and equal expressions share one local in generated code.
        if isinstance(checked, Const) and checked.value:
            return Const(type_, False, -checked.value)
        return Minus(type_, checked.nullable, checked)

    def _binary(self, node: ast.Binary) -> Expr | None:
        left, right = self.check(node.left), self.check(node.right)
        if left is None or right is None:
            return None
        nullable = left.nullable or right.nullable
        match node.operator:
            case "+" | "-" | "*" | "/" | "%" as operator:
                for operand, place in ((left, node.left), (right, node.right)):
                    if not operand.type.is_numeric and operand.type != types.NULL:
                        self.operand_problem(place.span, operator, "numbers", operand.type)
                        return None
                type_ = types.DOUBLE if operator == "/" else self._arithmetic_type(left.type, right.type)
                if type_ == types.DECIMAL:  # Python's decimals and floats do not mix
                    left, right = widened(left, type_), widened(right, type_)
                return Arithmetic(type_, nullable, operator, left, right)
            case "&" | "|" | "^" as operator:
                for operand, place in ((left, node.left), (right, node.right)):
                    if not (operand.type.is_integral or operand.type == types.BOOLEAN):
                        self.operand_problem(place.span, operator, "integers or booleans", operand.type)
                        return None
                if left.type != right.type:
                    both = f"{shown(left.type)} and {shown(right.type)}"
                    self.problems.add(
                        type_codes.OPERAND, node.span, operator=operator, needed="two of one type", found=both
                    )
                    return None
                return Bitwise(left.type, nullable, operator, left, right)
            case "is" | "is not" as operator:
                if not self.comparable(left.type, right.type, "=", node.span, called=operator):
                    return None
                by_kind = types.OBJECT in (left.type, right.type)
                return Is(types.BOOLEAN, False, left, right, operator == "is not", by_kind)
            case operator:
                if not self.comparable(left.type, right.type, operator, node.span):
                    return None
                by_kind = types.OBJECT in (left.type, right.type)
                return Compare(types.BOOLEAN, nullable, cast(CompareOperator, operator), left, right, by_kind)

    @staticmethod
    def _arithmetic_type(left: Type, right: Type) -> Type:
        if types.NULL in (left, right):
            other = left if right == types.NULL else right
            return types.INT if other == types.NULL else types.wider(other, types.INT)
        return types.wider(left, right)
