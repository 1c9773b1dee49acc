"""What all parts of the expression checker share: where problems go, what must hold of operands, conversions.

Each method that checks returns the typed expression, or None when a problem has been reported already, so that one
mistake gives one diagnostic and the rest of the statement is still checked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import cast

from epl import ast, types
from epl.checker.scope import Event, Names
from epl.diagnostics import Problems, did_you_mean, name_codes, type_codes
from epl.java.casts import converter
from epl.source import Span
from epl.typed import Const, Convert, Expr
from epl.types import Kind, Type


class Checker(ABC):
    """Checks against the names of one statement."""

    def __init__(self, problems: Problems, names: Names) -> None:
        self.problems = problems
        self.names = names

    @abstractmethod
    def check(self, node: ast.Expression) -> Expr | None:
        """The typed form of an expression that must be a value."""

    def check_all(self, nodes: Iterable[ast.Expression]) -> tuple[Expr, ...] | None:
        """All typed, or None when any had a problem; all are looked at."""
        checked = [self.check(node) for node in nodes]
        return None if None in checked else cast(tuple[Expr, ...], tuple(checked))

    def condition(self, node: ast.Expression, operator: str | None = None) -> Expr | None:
        """An expression that must be boolean; `operator` names who asks, None for filters and the like."""
        checked = self.check(node)
        if checked is None or checked.type == types.BOOLEAN:
            return checked
        if checked.type == types.OBJECT:
            self.problems.add(type_codes.NEEDS_CAST, node.span, hint="cast it: cast(…, boolean)")
        elif operator is None:
            self.problems.add(type_codes.CONDITION, node.span, found=shown(checked.type))
        else:
            self.operand_problem(node.span, operator, "booleans", checked.type)
        return None

    def value_type(self, type_name: ast.TypeName) -> Type | None:
        """The type of a name, or a problem."""
        type_ = types.parse_type(type_name.name)
        if type_ is None:
            hint = did_you_mean(type_name.name, types.TYPE_NAMES)
            self.problems.add(name_codes.UNKNOWN_VALUE_TYPE, type_name.span, name=type_name.name, hint=hint)
        return type_

    def event_named(self, node: ast.Expression) -> Event | None:
        """The event that a name stands for: a parameter, an alias, or the type's own name."""
        if not isinstance(node, ast.Reference):
            return None
        parameter = self.names.parameters.get(node.name)
        if isinstance(parameter, Event):
            return parameter
        return self.names.event if node.name in self.names.aliases else None

    # ---- what must hold of operands

    def enough(self, node: ast.Call, least: int, most: int | None = None) -> bool:
        """True when a call has as many arguments as it needs, else a problem."""
        if len(node.arguments) >= least and (most is None or len(node.arguments) <= most):
            return True
        needed = f"{least} arguments" if most is not None else f"{least} arguments or more"
        self.problems.add(
            type_codes.ARGUMENTS, node.span, name=node.name, found=f"{len(node.arguments)}", hint=f"it takes {needed}"
        )
        return False

    def operand_problem(self, span: Span, operator: str, needed: str, found: Type) -> None:
        """An operand that its operator does not take."""
        if found == types.OBJECT:
            self.problems.add(type_codes.NEEDS_CAST, span)
            return
        hint = "convert it: cast(…, string)" if operator == "||" else None
        self.problems.add(type_codes.OPERAND, span, operator=operator, needed=needed, found=shown(found), hint=hint)

    def comparable(self, left: Type, right: Type, operator: str, span: Span, called: str | None = None) -> bool:
        """True when two values can be compared, else a problem; `called` names the operator in it."""
        if types.NULL in (left, right) or (left.is_numeric and right.is_numeric):
            return True
        text = (types.STRING, types.CHAR)
        if left in text and right in text:
            return True
        if types.OBJECT in (left, right):
            if operator in ("=", "!="):
                return True
            self.problems.add(type_codes.NEEDS_CAST, span)
            return False
        if operator in ("=", "!=") and left == right and left.kind in (Kind.BOOLEAN, Kind.DATE):
            return True
        hint = None
        if Kind.STRING in (left.kind, right.kind) and (left.is_numeric or right.is_numeric):
            hint = "compare it with a number, or cast one side"
        self.problems.add(
            type_codes.INCOMPARABLE,
            span,
            left=shown(left),
            right=shown(right),
            operator=called or operator,
            hint=hint,
        )
        return False


def widened(expr: Expr, target: Type) -> Expr:
    """The expression converted to a wider number, where its value looks different there; else itself."""
    if expr.type == target or not (expr.type.is_numeric and target.is_numeric):
        return expr
    if expr.type.is_integral and target.is_integral:
        return expr
    function = converter(expr.type, target)
    assert function is not None, f"{expr.type} widens to {target}"
    if isinstance(expr, Const) and expr.value is not None:
        return Const(target, False, function(expr.value))
    return Convert(target, expr.nullable, expr, function, can_fail=False)


def shown(type_: Type) -> str:
    """How messages name a type."""
    return "null" if type_ == types.NULL else str(type_)
