"""Types of choices and conversions: `case`, `coalesce`, `min`, `max`, `cast`, `typeof`, `instanceof`, arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from epl import ast, types
from epl.checker.base import Checker, shown, widened
from epl.checker.scope import Names
from epl.diagnostics import Problems, type_codes
from epl.java.casts import converter
from epl.source import Span
from epl.typed import (
    ArrayOf,
    Coalesce,
    Conditional,
    Const,
    Convert,
    ElementAt,
    Expr,
    Extreme,
    InstanceOf,
    Is,
    Subject,
    TypeOf,
)
from epl.types import Kind, Type


class ChoiceChecker(Checker):
    """Checks what has one of several values, or one value as another type."""

    def __init__(self, problems: Problems, names: Names) -> None:
        super().__init__(problems, names)
        self._subjects = 0

    def _unify(self, exprs: Iterable[tuple[Expr, Span]], construct: str) -> tuple[Type, tuple[Expr, ...]] | None:
        """The common type of several results, and each converted to it."""
        results = list(exprs)
        type_ = types.NULL
        for expr, span in results:
            merged = types.common(type_, expr.type)
            if merged is None:
                self.problems.add(
                    type_codes.NO_COMMON_TYPE,
                    span,
                    construct=construct,
                    left=shown(type_),
                    right=shown(expr.type),
                    hint="cast one of them" if types.OBJECT in (type_, expr.type) else None,
                )
                return None
            type_ = merged
        return type_, tuple(widened(expr, type_) for expr, _ in results)

    def _case(self, node: ast.Case) -> Expr | None:
        value = None if node.subject is None else self.check(node.subject)
        failed = node.subject is not None and value is None
        subject = value
        if value is not None and not isinstance(value, Const):
            subject = Subject(value.type, value.nullable, self._next_subject())
        conditions: list[Expr] = []
        results: list[tuple[Expr, Span]] = []
        for branch in node.branches:
            if subject is None:
                condition = self.condition(branch.condition) if node.subject is None else None
            else:
                condition = self._case_equals(subject, branch)
            result = self.check(branch.result)
            if condition is None or result is None:
                failed = True
                continue
            conditions.append(condition)
            results.append((result, branch.result.span))
        if node.otherwise is None:
            results.append((Const(types.NULL, True, None), node.span))
        else:
            otherwise = self.check(node.otherwise)
            if otherwise is None:
                failed = True
            else:
                results.append((otherwise, node.otherwise.span))
        unified = None if failed else self._unify(results, "case")
        if unified is None:
            return None
        type_, values = unified
        nullable = any(value.nullable for value in values)
        branches = tuple(zip(conditions, values[:-1], strict=True))
        stands_for = (subject, value) if isinstance(subject, Subject) and value is not None else None
        return Conditional(type_, nullable, branches, values[-1], stands_for)

    def _next_subject(self) -> int:
        self._subjects += 1
        return self._subjects

    def _case_equals(self, subject: Expr, branch: ast.Branch) -> Expr | None:
        # `case x when null` takes the branch when x is null: the comparison is the null-safe one.
        option = self.check(branch.condition)
        if option is None or not self.comparable(subject.type, option.type, "=", branch.condition.span, "case"):
            return None
        by_kind = types.OBJECT in (subject.type, option.type)
        return Is(types.BOOLEAN, False, subject, option, negated=False, by_kind=by_kind)

    def coalesce(self, node: ast.Call) -> Expr | None:
        """`coalesce(a, b, …)`."""
        checked = self.check_all(node.arguments)
        if checked is None or not self.enough(node, 2):
            return None
        unified = self._unify(zip(checked, (a.span for a in node.arguments), strict=True), "coalesce")
        if unified is None:
            return None
        type_, operands = unified
        return Coalesce(type_, all(operand.nullable for operand in operands), operands)

    def extreme(self, node: ast.Call) -> Expr | None:
        """`min(a, b, …)` and `max(a, b, …)` of two or more numbers."""
        if not self.enough(node, 2):
            return None
        checked = self.check_all(node.arguments)
        if checked is None:
            return None
        for operand, place in zip(checked, node.arguments, strict=True):
            if not operand.type.is_numeric and operand.type != types.NULL:
                self.operand_problem(place.span, node.name.lower(), "numbers", operand.type)
                return None
        unified = self._unify(zip(checked, (a.span for a in node.arguments), strict=True), node.name.lower())
        if unified is None:
            return None
        type_, operands = unified
        function: Literal["min", "max"] = "min" if node.name.lower() == "min" else "max"
        return Extreme(type_, any(operand.nullable for operand in operands), function, operands)

    def type_of(self, node: ast.Call) -> Expr | None:
        """`typeof(x)`."""
        if not self.enough(node, 1, most=1):
            return None
        operand = self.check(node.arguments[0])
        if operand is None:
            return None
        static = None if operand.type == types.OBJECT else types.java_name(operand.type)
        return TypeOf(types.STRING, operand.nullable, operand, static)

    def _cast(self, node: ast.Cast) -> Expr | None:
        target = self.value_type(node.type)
        operand = self.check(node.value)
        if operand is None or target is None:
            return None
        if operand.type == types.NULL:
            return Const(target, True, None)
        if operand.type == target:
            return operand
        function = converter(operand.type, target)
        if function is None:
            self.problems.add(type_codes.NOT_CASTABLE, node.span, source=shown(operand.type), target=str(target))
            return None
        safe = operand.type.is_numeric and target.is_numeric and operand.type.rank <= target.rank
        return Convert(target, operand.nullable, operand, function, can_fail=not safe and target != types.STRING)

    def _instance_of(self, node: ast.InstanceOf) -> Expr | None:
        operand = self.check(node.value)
        kinds: set[Kind] = set()
        for type_name in node.types:
            if type_name.name in ("Number", "java.lang.Number"):
                kinds |= {kind for kind in Kind if Type(kind).is_numeric}
                continue
            type_ = self.value_type(type_name)
            if type_ is None:
                return None
            kinds |= set(Kind) if type_ == types.OBJECT else {type_.kind}
        if operand is None:
            return None
        if operand.type != types.OBJECT:
            # The exact type is known: true for every value that is not null, or never.
            if operand.type.kind in kinds:
                return Is(types.BOOLEAN, False, operand, Const(types.NULL, True, None), negated=True)
            return Const(types.BOOLEAN, False, False)
        return InstanceOf(types.BOOLEAN, False, operand, frozenset(kinds))

    def _array(self, nodes: tuple[ast.Expression, ...]) -> Expr | None:
        checked = self.check_all(nodes)
        if checked is None:
            return None
        type_ = types.NULL
        for item in checked:
            type_ = types.common(type_, item.type) or types.OBJECT
        items = checked if type_ == types.OBJECT else tuple(widened(item, type_) for item in checked)
        element = types.OBJECT if type_ == types.NULL else type_
        return ArrayOf(types.array_of(element), False, items)

    def _index(self, node: ast.Index) -> Expr | None:
        target, index = self.check(node.target), self.check(node.index)
        if target is None or index is None:
            return None
        if not target.type.is_sequence:
            self.problems.add(type_codes.NOT_INDEXABLE, node.span, found=shown(target.type))
            return None
        if not index.type.is_integral:
            self.operand_problem(node.index.span, "[]", "an integer", index.type)
            return None
        return ElementAt(target.type.element or types.OBJECT, True, target, index)
