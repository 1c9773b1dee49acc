"""Types of expressions: operators, predicates, conversions. Names and calls are in `epl.checker.names`.

Each method returns the typed expression, or None when a problem has been reported already, so that one mistake gives
one diagnostic and the rest of the statement is still checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from epl import ast, types
from epl.checker.names import NameChecker
from epl.diagnostics import type_codes
from epl.java.casts import converter
from epl.java.patterns import PatternError, compile_regex
from epl.source import Span
from epl.typed import (
    And,
    Arithmetic,
    ArrayOf,
    Bitwise,
    Coalesce,
    Compare,
    Concat,
    Conditional,
    Const,
    Convert,
    ElementAt,
    Expr,
    Extreme,
    In,
    InstanceOf,
    Is,
    Match,
    Minus,
    Not,
    Or,
    Quantified,
    Range,
    Spread,
    TypeOf,
)
from epl.types import Kind, Type

_ORDER = ("<", "<=", ">", ">=")
CompareOperator = Literal["=", "!=", "<", "<=", ">", ">="]


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


class ExpressionChecker(NameChecker):
    """Checks one expression after the other against the names of a statement."""

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
            case _:
                return self.check_name(node)

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
            self.problems.add(type_codes.CONDITION, node.span, found=_shown(checked.type))
        else:
            self._operand_problem(node.span, operator, "booleans", checked.type)
        return None

    # ---- operators

    def _operand_problem(self, span: Span, operator: str, needed: str, found: Type) -> None:
        if found == types.OBJECT:
            self.problems.add(type_codes.NEEDS_CAST, span)
            return
        hint = "convert it: cast(…, string)" if operator == "||" else None
        self.problems.add(type_codes.OPERAND, span, operator=operator, needed=needed, found=_shown(found), hint=hint)

    def _chain(self, node: ast.Chain) -> Expr | None:
        if node.operator == "||":
            operands = self.check_all(node.operands)
            if operands is None:
                return None
            for operand, place in zip(operands, node.operands, strict=True):
                if operand.type not in (types.STRING, types.CHAR, types.NULL):
                    self._operand_problem(place.span, "||", "strings", operand.type)
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
            self._operand_problem(operand.span, "-" if isinstance(node, ast.Minus) else "+", "numbers", checked.type)
            return None
        if isinstance(node, ast.Plus):
            return checked
        type_ = types.wider(checked.type, types.INT)
        if isinstance(checked, Const):
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
                        self._operand_problem(place.span, operator, "numbers", operand.type)
                        return None
                type_ = types.DOUBLE if operator == "/" else self._arithmetic_type(left.type, right.type)
                return Arithmetic(type_, nullable, operator, left, right)
            case "&" | "|" | "^" as operator:
                for operand, place in ((left, node.left), (right, node.right)):
                    if not (operand.type.is_integral or operand.type == types.BOOLEAN):
                        self._operand_problem(place.span, operator, "integers or booleans", operand.type)
                        return None
                if left.type != right.type:
                    both = f"{_shown(left.type)} and {_shown(right.type)}"
                    self.problems.add(
                        type_codes.OPERAND, node.span, operator=operator, needed="two of one type", found=both
                    )
                    return None
                return Bitwise(left.type, nullable, operator, left, right)
            case "is" | "is not" as operator:
                if not self._comparable(left.type, right.type, "=", node.span, shown=operator):
                    return None
                by_kind = types.OBJECT in (left.type, right.type)
                return Is(types.BOOLEAN, False, left, right, operator == "is not", by_kind)
            case operator:
                if not self._comparable(left.type, right.type, operator, node.span):
                    return None
                by_kind = types.OBJECT in (left.type, right.type)
                return Compare(types.BOOLEAN, nullable, cast(CompareOperator, operator), left, right, by_kind)

    @staticmethod
    def _arithmetic_type(left: Type, right: Type) -> Type:
        if types.NULL in (left, right):
            other = left if right == types.NULL else right
            return types.INT if other == types.NULL else types.wider(other, types.INT)
        return types.wider(left, right)

    def _comparable(self, left: Type, right: Type, operator: str, span: Span, shown: str | None = None) -> bool:
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
        if {left.kind, right.kind} & {Kind.STRING} and (left.is_numeric or right.is_numeric):
            hint = "compare it with a number, or cast one side"
        self.problems.add(
            type_codes.INCOMPARABLE,
            span,
            left=_shown(left),
            right=_shown(right),
            operator=shown or operator,
            hint=hint,
        )
        return False

    # ---- predicates

    def _options(
        self, value: Type, nodes: tuple[ast.Expression, ...], operator: str
    ) -> tuple[tuple[Expr, ...], bool] | None:
        """The options of `in` and `any`, arrays spread, and whether values are compared by kind."""
        options = self.check_all(nodes)
        if options is None:
            return None
        by_kind = value == types.OBJECT
        spread: list[Expr] = []
        for option, node in zip(options, nodes, strict=True):
            element = option.type
            if option.type.is_sequence:
                element = option.type.element or types.OBJECT
                option = Spread(element, True, option)
            if not self._comparable(value, element, operator, node.span, shown="in" if operator == "=" else None):
                return None
            by_kind = by_kind or element == types.OBJECT
            spread.append(option)
        return tuple(spread), by_kind

    def _contained(self, node: ast.Contained) -> Expr | None:
        value = self.check(node.value)
        found = None if value is None else self._options(value.type, node.options, "=")
        if value is None or found is None:
            return None
        options, by_kind = found
        nullable = value.nullable or any(option.nullable for option in options)
        inside = In(types.BOOLEAN, nullable, value, options, by_kind)
        return Not(types.BOOLEAN, nullable, inside) if node.negated else inside

    def _quantified(self, node: ast.Quantified) -> Expr | None:
        operator = {"is": "=", "is not": "!="}.get(node.operator, node.operator)
        left = self.check(node.left)
        found = None if left is None else self._options(left.type, node.options, operator)
        if left is None or found is None:
            return None
        options, by_kind = found
        nullable = left.nullable or any(option.nullable for option in options)
        every = node.quantifier == "all"
        return Quantified(types.BOOLEAN, nullable, cast(CompareOperator, operator), every, left, options, by_kind)

    def _range(
        self,
        node: ast.Expression,
        value: ast.Expression,
        low: ast.Expression,
        high: ast.Expression,
        flags: tuple[bool, bool, bool],
    ) -> Expr | None:
        checked = self.check_all((value, low, high))
        if checked is None:
            return None
        operand, lowest, highest = checked
        for bound, place in ((lowest, low), (highest, high)):
            if not self._comparable(operand.type, bound.type, "<", place.span, shown="between"):
                return None
        low_included, high_included, negated = flags
        return Range(types.BOOLEAN, False, operand, lowest, highest, low_included, high_included, negated)

    def _match(self, node: ast.Like | ast.Regexp) -> Expr | None:
        operator: Literal["like", "regexp"] = "like" if isinstance(node, ast.Like) else "regexp"
        value, pattern = self.check(node.value), self.check(node.pattern)
        if value is None or pattern is None:
            return None
        if not (value.type.is_numeric or value.type in (types.STRING, types.NULL)):
            self._operand_problem(node.value.span, operator, "strings and numbers", value.type)
            return None
        if pattern.type not in (types.STRING, types.NULL):
            self._operand_problem(node.pattern.span, operator, "a string as pattern", pattern.type)
            return None
        escape = node.escape if isinstance(node, ast.Like) else None
        if escape is not None and len(escape) != 1:
            self.problems.add(type_codes.BAD_PATTERN, node.span, reason="an escape is one character")
            return None
        if operator == "regexp" and isinstance(pattern, Const) and pattern.value is not None:
            try:
                compile_regex(pattern.value)
            except PatternError as error:
                self.problems.add(type_codes.BAD_PATTERN, node.pattern.span, reason=str(error))
                return None
        nullable = value.nullable or pattern.nullable
        match = Match(types.BOOLEAN, nullable, operator, value, pattern, escape)
        return Not(types.BOOLEAN, nullable, match) if node.negated else match

    # ---- choices and conversions

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
                    left=_shown(type_),
                    right=_shown(expr.type),
                    hint="cast one of them" if types.OBJECT in (type_, expr.type) else None,
                )
                return None
            type_ = merged
        return type_, tuple(widened(expr, type_) for expr, _ in results)

    def _case(self, node: ast.Case) -> Expr | None:
        subject = None if node.subject is None else self.check(node.subject)
        failed = node.subject is not None and subject is None
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
        return Conditional(type_, nullable, tuple(zip(conditions, values[:-1], strict=True)), values[-1])

    def _case_equals(self, subject: Expr, branch: ast.Branch) -> Expr | None:
        # `case x when null` takes the branch when x is null: the comparison is the null-safe one.
        option = self.check(branch.condition)
        if option is None or not self._comparable(subject.type, option.type, "=", branch.condition.span, "case"):
            return None
        by_kind = types.OBJECT in (subject.type, option.type)
        return Is(types.BOOLEAN, False, subject, option, negated=False, by_kind=by_kind)

    def coalesce(self, node: ast.Call) -> Expr | None:
        """`coalesce(a, b, …)`."""
        checked = self.check_all(node.arguments)
        if checked is None or not self._enough(node, 2):
            return None
        unified = self._unify(zip(checked, (a.span for a in node.arguments), strict=True), "coalesce")
        if unified is None:
            return None
        type_, operands = unified
        return Coalesce(type_, all(operand.nullable for operand in operands), operands)

    def extreme(self, node: ast.Call) -> Expr | None:
        """`min(a, b, …)` and `max(a, b, …)` of two or more numbers."""
        if not self._enough(node, 2):
            return None
        checked = self.check_all(node.arguments)
        if checked is None:
            return None
        for operand, place in zip(checked, node.arguments, strict=True):
            if not operand.type.is_numeric and operand.type != types.NULL:
                self._operand_problem(place.span, node.name.lower(), "numbers", operand.type)
                return None
        unified = self._unify(zip(checked, (a.span for a in node.arguments), strict=True), node.name.lower())
        if unified is None:
            return None
        type_, operands = unified
        function: Literal["min", "max"] = "min" if node.name.lower() == "min" else "max"
        return Extreme(type_, any(operand.nullable for operand in operands), function, operands)

    def type_of(self, node: ast.Call) -> Expr | None:
        """`typeof(x)`."""
        if not self._enough(node, 1, most=1):
            return None
        operand = self.check(node.arguments[0])
        if operand is None:
            return None
        static = types.JAVA_SHORT_NAMES.get(operand.type.kind)
        if operand.type.kind is Kind.ARRAY and operand.type.element is not None:
            static = f"{types.JAVA_SHORT_NAMES[operand.type.element.kind]}[]"
        return TypeOf(types.STRING, operand.nullable, operand, None if operand.type == types.OBJECT else static)

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
            self.problems.add(type_codes.NOT_CASTABLE, node.span, source=_shown(operand.type), target=str(target))
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
            self.problems.add(type_codes.NOT_INDEXABLE, node.span, found=_shown(target.type))
            return None
        if not index.type.is_integral:
            self._operand_problem(node.index.span, "[]", "an integer", index.type)
            return None
        return ElementAt(target.type.element or types.OBJECT, True, target, index)


def _shown(type_: Type) -> str:
    """How messages name a type."""
    return "null" if type_ == types.NULL else str(type_)
