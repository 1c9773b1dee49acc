"""Types of predicates: `in`, `between`, `any`, `like`, `regexp`."""

from __future__ import annotations

from typing import Literal, cast

from epl import ast, types
from epl.checker.base import Checker
from epl.checker.operators import CompareOperator
from epl.diagnostics import type_codes
from epl.java.patterns import PatternError, compile_regex, like_matcher
from epl.typed import ArrayOf, Const, Expr, In, Match, Not, Quantified, Range, Spread
from epl.types import Type


class PredicateChecker(Checker):
    """Checks predicates."""

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
            items: tuple[Expr, ...] = (option,)
            if option.type.is_sequence:
                element = option.type.element or types.OBJECT
                items = option.items if isinstance(option, ArrayOf) else (Spread(element, True, option),)
            if not self.comparable(value, element, operator, node.span, called="in" if operator == "=" else None):
                return None
            by_kind = by_kind or element == types.OBJECT
            spread += items
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
            if not self.comparable(operand.type, bound.type, "<", place.span, called="between"):
                return None
        low_included, high_included, negated = flags
        return Range(types.BOOLEAN, False, operand, lowest, highest, low_included, high_included, negated)

    def _match(self, node: ast.Like | ast.Regexp) -> Expr | None:
        operator: Literal["like", "regexp"] = "like" if isinstance(node, ast.Like) else "regexp"
        value, pattern = self.check(node.value), self.check(node.pattern)
        if value is None or pattern is None:
            return None
        if not (value.type.is_numeric or value.type in (types.STRING, types.NULL)):
            self.operand_problem(node.value.span, operator, "strings and numbers", value.type)
            return None
        if pattern.type not in (types.STRING, types.NULL):
            self.operand_problem(node.pattern.span, operator, "a string as pattern", pattern.type)
            return None
        escape = node.escape if isinstance(node, ast.Like) else None
        if escape is not None and len(escape) != 1:
            self.problems.add(type_codes.BAD_PATTERN, node.span, reason="an escape is one character")
            return None
        if isinstance(pattern, Const) and pattern.value is not None:
            try:
                compile_regex(pattern.value) if operator == "regexp" else like_matcher(pattern.value, escape)
            except PatternError as error:
                self.problems.add(type_codes.BAD_PATTERN, node.pattern.span, reason=error.message)
                return None
        nullable = value.nullable or pattern.nullable
        match = Match(types.BOOLEAN, nullable, operator, value, pattern, escape)
        return Not(types.BOOLEAN, nullable, match) if node.negated else match
