"""Typed expressions to Python text (architecture.md, decision 1 in the design): the three positions.

`epl.compiler.writer` says what the positions are; each kind of expression is written by a module beside this one.
"""

from __future__ import annotations

from epl import typed as t
from epl.compiler.analysis import implied
from epl.compiler.predicates import Predicates
from epl.compiler.sessions import SessionReads
from epl.compiler.text import grouped, ungrouped
from epl.compiler.values import Values
from epl.layout import slot_name
from epl.structs import replace

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Expressions(Values, Predicates, SessionReads):
    """Writes the expressions of one function."""

    def truth(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is true."""
        return self._all_true(self._true_when(expr))

    def falsity(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is false."""
        return self._all_true(self._false_when(expr))

    def _true_when(self, expr: t.Expr) -> list[str]:
        """Tests that all hold exactly when the value is true, from left to right."""
        if expr in self.computed:
            return [self.computed[expr]]
        match expr:
            case t.Not(_, _, operand):
                return self._false_when(operand)
            case t.And(_, _, operands):
                tests = []
                facts = self._facts
                for operand in operands:
                    tests += self._true_when(operand)
                    self._facts |= implied(operand)
                self._facts = facts
                return tests
            case t.Or(_, _, operands):
                return [f"({' or '.join([self.truth(operand) for operand in operands])})"]
            case t.Compare():
                return self._compared(expr, expr.operator)
            case t.Is():
                return [ungrouped(self._is(expr))]
            case t.In():
                return [self._in(expr)]
            case t.Match():
                return self._matched(expr, negated=False)
            case t.Conditional():
                return [self._choice(expr, self.truth)]
            case t.Apply():
                return self._applied(expr, negated=False)
            case _:
                return [self.value(expr)]

    def _false_when(self, expr: t.Expr) -> list[str]:
        """Tests that all hold exactly when the value is false, from left to right."""
        if expr in self.computed:
            return [f"{self.computed[expr]} is False"]
        match expr:
            case t.Not(_, _, operand):
                return self._true_when(operand)
            case t.And(_, _, operands):
                return [f"({' or '.join([self.falsity(operand) for operand in operands])})"]
            case t.Or(_, _, operands):
                return [test for operand in operands for test in self._false_when(operand)]
            case t.Compare() if expr.operator in ("=", "!=") or not _has_nan(expr):
                return self._compared(expr, _OPPOSITE[expr.operator])
            case t.Is():
                return [ungrouped(self._is(replace(expr, negated=not expr.negated)))]
            case t.In():
                return self._not_in(expr)
            case t.Match():
                return self._matched(expr, negated=True)
            case t.Conditional():
                return [self._choice(expr, self.falsity)]
            case t.Apply():
                return self._applied(expr, negated=True)
            case _ if not self.nullable(expr):
                return [f"not {grouped(self.value(expr))}"]
            case _:
                return [f"{grouped(self.value(expr))} is False"]

    def value(self, expr: t.Expr) -> str:
        """Text that gives the value, None for null."""
        if expr in self.computed:
            return self.computed[expr]
        match expr:
            case t.Const(_, _, value):
                return self._literal(value)
            case t.Field(_, _, name):
                return self._module.field(self.fields, name)
            case t.Changed(_, _, number, name):
                return f"u{number}" if name is None else f"u{number}_{slot_name(name)}"
            case t.SessionProperty() | t.Attribute() | t.AttributeContains() | t.AttributeFilter():
                return self._session(expr)
            case t.Now():
                return "now"
            case t.Arithmetic():
                return self._arithmetic(expr)
            case t.Bitwise(_, _, operator, left, right):
                return self._null_safe((left, right), f"({{0}} {operator} {{1}})")
            case t.Minus(_, _, operand):
                return self._null_safe((operand,), "(-{0})")
            case t.Concat(_, _, operands):
                return self._concat(operands)
            case t.Not(_, _, operand):
                return self._not(operand)
            case t.And(_, _, operands):
                return self._three_valued(operands, ends_at=False)
            case t.Or(_, _, operands):
                return self._three_valued(operands, ends_at=True)
            case t.Compare(_, _, operator, left, right):
                return self._null_safe((left, right), self._comparison(expr, operator))
            case t.Is():
                return self._is(expr)
            case t.In():
                return self._in_value(expr)
            case t.Quantified():
                return self._quantified(expr)
            case t.Range():
                return self._range(expr)
            case t.Match():
                return self._match_value(expr)
            case t.Conditional():
                return self._choice(expr, self.value)
            case t.Subject():
                return self._subjects[expr]
            case t.Coalesce(_, _, operands):
                return self._coalesce(operands)
            case t.Extreme(_, _, function, operands):
                places = ", ".join(f"{{{index}}}" for index in range(len(operands)))
                return self._null_safe(operands, f"{function}({places})")
            case t.Convert():
                return self._converted(expr)
            case t.TypeOf(_, _, operand, static):
                return self._type_of(operand, static)
            case t.InstanceOf():
                return self._instance_of(expr)
            case t.ArrayOf(_, _, items):
                return f"[{', '.join(self.value(item) for item in items)}]"
            case t.ElementAt(_, _, array, index):
                return f"element_at({self.value(array)}, {self.value(index)})"
            case t.MapValue(_, _, map_, key):
                return self._null_safe((map_, key), "{0}.get({1})")
            case t.Apply():
                return self._apply(expr)
            case _:
                raise AssertionError(f"no code for {type(expr).__name__}")


def _has_nan(expr: t.Compare) -> bool:
    """True where `not (a < b)` may differ from `a >= b`: NaN compares false both ways round."""
    return expr.left.type.is_fractional or expr.right.type.is_fractional
