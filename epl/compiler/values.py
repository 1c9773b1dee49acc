"""Values to Python text: literals, arithmetic, logic in three values, choices, calls."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from epl import typed as t
from epl.compiler.analysis import implied, may_be_huge
from epl.compiler.text import grouped
from epl.compiler.writer import LONG, Write, Writer
from epl.java.arithmetic import divide, remainder, to_float32
from epl.registry.model import Nulls
from epl.types import Kind


class Values(Writer):
    """Writes what gives a value of any type."""

    def _literal(self, value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return self._module.constant(value, "number")
        if value is None or isinstance(value, bool | int | float | str):
            text = repr(value)
            return f"({text})" if text.startswith("-") else text
        return self._module.constant(value, "constant")

    def _arithmetic(self, expr: t.Arithmetic) -> str:
        match expr.operator:
            case "/":
                body = "({0} / {1})" if _is_safe_division(expr) else f"{self._function(divide)}({{0}}, {{1}})"
            case "%":
                body = f"{self._function(remainder)}({{0}}, {{1}})"
            case operator:
                body = f"({{0}} {operator} {{1}})"
        if expr.type.kind is Kind.FLOAT:
            body = f"{self._function(to_float32)}({body})"
        return self._null_safe((expr.left, expr.right), body)

    def _function(self, function: Any) -> str:
        return self._module.constant(function, function.__name__)

    def _concat(self, operands: Sequence[t.Expr]) -> str:
        places = [f"{{{index}}}" for index in range(len(operands))]
        body = f"''.join(({', '.join(places)}))" if len(places) > LONG else f"({' + '.join(places)})"
        return self._null_safe(operands, body)

    # ---- three values

    def _not(self, operand: t.Expr) -> str:
        if not self.nullable(operand):
            return f"(not {grouped(self.value(operand))})"
        first, later = self.bound(operand)
        return f"(None if {first} is None else not {later})"

    def _three_valued(self, operands: Sequence[t.Expr], *, ends_at: bool) -> str:
        """`and` (ends at False) or `or` (ends at True), left to right as far as needed, with null."""
        if not any(self.nullable(operand) for operand in operands):
            joint = " or " if ends_at else " and "
            return f"({joint.join(grouped(self.value(operand)) for operand in operands)})"
        if len(operands) > LONG:
            make = t.Or if ends_at else t.And
            parts = (operands[start : start + LONG] for start in range(0, len(operands), LONG))
            operands = [make(part[0].type, any(each.nullable for each in part), tuple(part)) for part in parts]
            return self._three_valued(operands, ends_at=ends_at)
        text = ""
        unknown: list[str] = []
        for operand in operands:
            first, later = self.bound(operand)
            text += f"{ends_at} if {first} is {ends_at} else "
            if self.nullable(operand):
                unknown.append(f"{later} is None")
        return f"({text}None if {' or '.join(unknown)} else {not ends_at})"

    # ---- choices

    def _choice(self, expr: t.Conditional, write: Write) -> str:
        outer = self._subjects
        later: dict[t.Subject, str] = {}
        if expr.subject is not None:
            subject, value = expr.subject
            first, later[subject] = self.bound(value)
            self._subjects = {**outer, subject: first}
        choices = []
        for condition, result in expr.branches:
            test = self.truth(condition)
            self._subjects = {**outer, **later}
            with self.knowing(implied(condition)):
                choices.append((test, write(result)))
        text = _first_of(choices, write(expr.otherwise))
        self._subjects = outer
        return text

    def _coalesce(self, operands: Sequence[t.Expr]) -> str:
        choices: list[tuple[str, str]] = []
        for operand in operands[:-1]:
            if not self.nullable(operand):
                return _first_of(choices, self.value(operand))
            first, later = self.bound(operand)
            choices.append((f"{first} is not None", later))
        return _first_of(choices, self.value(operands[-1]))

    def _converted(self, expr: t.Convert) -> str:
        if expr.function is float or expr.function is str:
            name = expr.function.__name__
        else:
            name = self._module.constant(expr.function, "convert", f"to {expr.type}")
        return self._null_safe((expr.operand,), f"{name}({{0}})")

    def _type_of(self, operand: t.Expr, static: str | None) -> str:
        if static is None:
            return f"type_name({self.value(operand)})"
        return self._null_safe((operand,), repr(static)) if operand.nullable else repr(static)

    def _instance_of(self, expr: t.InstanceOf) -> str:
        first, later = self.bound(expr.operand)
        return f"({first} is not None and kind_of({later}) in {self._module.constant(expr.kinds, 'kinds')})"

    # ---- calls

    def _call(self, expr: t.Apply, texts: Sequence[str]) -> str:
        if expr.signature.inline is not None:
            return grouped(expr.signature.inline.format(*map(grouped, texts)))
        name = self._module.constant(expr.signature.call, re.sub(r"\W", "_", expr.name, flags=re.ASCII), expr.name)
        return f"{name}({', '.join(texts)})"

    def _apply(self, expr: t.Apply) -> str:
        if expr.nulls is Nulls.PASSED:
            return self._call(expr, [self.value(argument) for argument in expr.arguments])
        tests, texts = self._guarded(expr.arguments)
        call = self._call(expr, texts)
        return f"({call} if {' and '.join(tests)} else None)" if tests else call

    def _applied(self, expr: t.Apply, *, negated: bool) -> list[str]:
        """Tests of a call that gives a boolean, or of its opposite."""
        if expr.nulls is Nulls.PASSED:
            call = self._apply(expr)
            return [f"{call} is False" if negated else call]
        tests, texts = self._guarded(expr.arguments)
        call = self._call(expr, texts)
        if negated:
            call = f"{call} is False" if expr.signature.may_be_null else f"not {call}"
        return [*tests, call]


def _first_of(choices: Sequence[tuple[str, str]], otherwise: str) -> str:
    """The result of the first test that holds."""
    if not choices:
        return grouped(otherwise)
    if len(choices) <= LONG:
        return f"({''.join(f'{result} if {test} else ' for test, result in choices)}{otherwise})"
    # Tuples of one are true whatever they hold, so this is the same without nesting.
    parts = [f"{grouped(test)} and ({result},)" for test, result in choices]
    return f"({' or '.join([*parts, f'({otherwise},)'])})[0]"


def _is_safe_division(expr: t.Arithmetic) -> bool:
    """True where Python's own division gives what Java's does."""
    nonzero = isinstance(expr.right, t.Const) and bool(expr.right.value)
    decimal = Kind.DECIMAL in (expr.left.type.kind, expr.right.type.kind)
    return nonzero and not decimal and not may_be_huge(expr.left)
