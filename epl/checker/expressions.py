"""Types of expressions: one method for each kind of node, gathered from the modules beside this one."""

from __future__ import annotations

from typing import cast

from epl import ast, types
from epl.checker.names import NameChecker
from epl.checker.operators import OperatorChecker
from epl.checker.predicates import PredicateChecker
from epl.diagnostics import name_codes, syntax_codes
from epl.limits import MAX_EXPANDED_DEPTH
from epl.typed import Const, Expr, Not
from epl.typed_walk import extent
from epl.types import Type


class ExpressionChecker(NameChecker, OperatorChecker, PredicateChecker):
    """Checks one expression after the other against the names of a statement."""

    def whole(self, node: ast.Expression, *, condition: bool = False) -> Expr | None:
        """The typed form of a column, an assigned value or a condition, if it is not too large to run."""
        checked = self.condition(node) if condition else self.check(node)
        if checked is None or extent(checked).depth <= MAX_EXPANDED_DEPTH:
            return checked
        self.problems.add(name_codes.TOO_LARGE, node.span)
        return None

    def check(self, node: ast.Expression) -> Expr | None:
        """The typed form of an expression that must be a value."""
        match node:
            case ast.NumberLiteral(value, kind):
                return Const(cast(Type, types.parse_type(kind)), False, value)
            case ast.StringLiteral(value):
                return Const(types.STRING, False, value)
            case ast.BooleanLiteral(value):
                return Const(types.BOOLEAN, False, value)
            case ast.NullLiteral():
                return Const(types.NULL, True, None)
            case ast.Chain():
                return self._chain(node)
            case ast.Binary():
                return self._binary(node)
            case ast.Negate(operand):
                checked = self.condition(operand, "not")
                return None if checked is None else Not(types.BOOLEAN, checked.nullable, checked)
            case ast.Minus(operand) | ast.Plus(operand):
                return self._sign(node, operand)
            case ast.Contained():
                return self._contained(node)
            case ast.Quantified():
                return self._quantified(node)
            case ast.InRange(value, low, high, low_included, high_included, negated):
                return self._range(node, value, low, high, (low_included, high_included, negated))
            case ast.Between(value, low, high, negated):
                return self._range(node, value, low, high, (True, True, negated))
            case ast.Like() | ast.Regexp():
                return self._match(node)
            case ast.Case():
                return self._case(node)
            case ast.Cast():
                return self._cast(node)
            case ast.InstanceOf():
                return self._instance_of(node)
            case ast.ArrayLiteral(items):
                return self._array(items)
            case ast.Index():
                return self._index(node)
            case ast.Reference(name):
                return self._reference(name, node.span)
            case ast.Member():
                return self._member(node)
            case ast.Dynamic(target):
                return self._dynamic(target)
            case ast.Call():
                return self._call(node)
            case ast.MethodCall():
                return self._method(node)
            case ast.Star():
                self.problems.add(syntax_codes.UNEXPECTED, node.span, found="`*`", expected="an expression")
                return None
            case _:
                raise AssertionError(f"unknown expression {type(node).__name__}")
