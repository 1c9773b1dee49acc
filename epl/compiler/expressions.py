"""Typed expressions to Python text (architecture.md, decision 1 in the design).

Null logic comes in three positions. In *truth* position the text is truthy exactly when the value is true, so null
and false need no telling apart; *falsity* is its mirror, for what stands under `not`; in *value* position null is
None. `not (a and b)` thus needs no three-valued operator at all. What a condition rules out as null (`facts`) is not
tested again further right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from epl import typed as t
from epl import types
from epl.compiler.module import Module
from epl.java.arithmetic import divide, remainder, to_float32
from epl.java.patterns import compile_regex, like_for, like_matcher, regex_for

from epl.layout import SessionLayout
from epl.registry.model import Nulls
from epl.session_schema import PROPERTIES
from epl.types import Kind

_PYTHON = {"=": "==", "!=": "!="}
_ATOM = re.compile(r"[\w.]+|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_SESSION = {t.Scope.SESSION: "s", t.Scope.PARENT: "p"}


def is_atom(text: str) -> bool:
    """A name, a dotted name or a literal: needs no parentheses and may be repeated freely."""
    return _ATOM.fullmatch(text) is not None


def grouped(text: str) -> str:
    """The text in parentheses, unless it is an atom."""
    return text if is_atom(text) else f"({text})"


class Expressions:
    """Writes the expressions of one function. `layouts` has the sessions' slots by scope."""

    def __init__(self, module: Module, layouts: dict[t.Scope, SessionLayout]) -> None:
        self._module = module
        self._layouts = layouts
        self._facts: frozenset[t.Expr] = frozenset()
        self._temporaries = 0
        self.fields: dict[str, str] = {}
        """The local variable of each event field in use, by field name."""
        self.computed: dict[t.Expr, str] = {}
        """Local variables of what has been evaluated already."""

    # ---- facts and temporaries

    @contextmanager
    def knowing(self, facts: Iterable[t.Expr]) -> Iterator[None]:
        """Within: these expressions are not null."""
        before = self._facts
        self._facts = before | frozenset(facts)
        try:
            yield
        finally:
            self._facts = before

    def nullable(self, expr: t.Expr) -> bool:
        """True when the value may be null here."""
        return expr.nullable and expr not in self._facts

    def bound(self, expr: t.Expr) -> tuple[str, str]:
        """Text for the first use of a value and for all later ones."""
        text = self.value(expr)
        if is_atom(text) and not isinstance(expr, t.Attribute):
            return text, text
        self._temporaries += 1
        name = f"t{self._temporaries}"
        return f"({name} := {text})", name

    def _guarded(self, operands: Sequence[t.Expr]) -> tuple[list[str], list[str]]:
        """Tests that nullable operands are there, and the text of each operand behind those tests."""
        tests: list[str] = []
        texts: list[str] = []
        for operand in operands:
            if self.nullable(operand):
                first, later = self.bound(operand)
                tests.append(f"{first} is not None")
                texts.append(later)
            else:
                texts.append(self.value(operand))
        return tests, texts

    def _null_safe(self, operands: Sequence[t.Expr], body: str) -> str:
        """The value of `body` (with `{0}` … for the operands), or None when an operand is null."""
        tests, texts = self._guarded(operands)
        text = body.format(*map(grouped, texts))
        if not tests:
            return text
        return f"({text} if {' and '.join(tests)} else None)"

    def _all_true(self, tests: Iterable[str]) -> str:
        parts = list(tests)
        return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"

    # ---- positions

    def truth(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is true."""
        if expr in self.computed:
            return self.computed[expr]
        match expr:
            case t.Not(_, _, operand):
                return self.falsity(operand)
            case t.And(_, _, operands):
                parts = []
                facts = self._facts
                for operand in operands:
                    parts.append(self.truth(operand))
                    self._facts |= implied(operand)
                self._facts = facts
                return self._all_true(parts)
            case t.Or(_, _, operands):
                return f"({' or '.join(self.truth(operand) for operand in operands)})"
            case t.Compare():
                return self._compared(expr, expr.operator)
            case t.In():
                return self._in(expr)
            case t.Match(_, _, _, value, pattern, _):
                return self._matched(expr, negated=False)
            case t.Conditional(_, _, branches, otherwise):
                return self._choice(branches, otherwise, self.truth)
            case t.Apply():
                return self._applied(expr, negated=False)
            case _:
                return self.value(expr)

    def falsity(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is false."""
        if expr in self.computed:
            return f"{self.computed[expr]} is False"
        match expr:
            case t.Not(_, _, operand):
                return self.truth(operand)
            case t.And(_, _, operands):
                return f"({' or '.join(self.falsity(operand) for operand in operands)})"
            case t.Or(_, _, operands):
                return self._all_true([self.falsity(operand) for operand in operands])
            case t.Compare():
                opposite = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}[expr.operator]
                # NaN compares false both ways round, so order on fractions cannot be turned.
                fractional = expr.left.type.is_fractional or expr.right.type.is_fractional
                if opposite in ("=", "!=") or not fractional:
                    return self._compared(expr, opposite)
                return f"{grouped(self.value(expr))} is False"
            case t.In():
                return self._not_in(expr)
            case t.Match():
                return self._matched(expr, negated=True)
            case t.Conditional(_, _, branches, otherwise):
                return self._choice(branches, otherwise, self.falsity)
            case t.Apply():
                return self._applied(expr, negated=True)
            case _ if not self.nullable(expr):
                return f"not {grouped(self.value(expr))}"
            case _:
                return f"{grouped(self.value(expr))} is False"

    def value(self, expr: t.Expr) -> str:
        """Text that gives the value, None for null."""
        if expr in self.computed:
            return self.computed[expr]
        match expr:
            case t.Const(_, _, value):
                return self._literal(value)
            case t.Field(_, _, name):
                return self._module.field(self.fields, name)
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
                body = " + ".join(f"{{{index}}}" for index in range(len(operands)))
                return self._null_safe(operands, f"({body})")
            case t.Not(_, _, operand):
                if not self.nullable(operand):
                    return f"(not {grouped(self.value(operand))})"
                first, later = self.bound(operand)
                return f"(None if {first} is None else not {later})"
            case t.And(_, _, operands):
                return self._three_valued(operands, ends_at=False)
            case t.Or(_, _, operands):
                return self._three_valued(operands, ends_at=True)
            case t.Compare(_, _, _, left, right, _):
                return self._null_safe((left, right), self._comparison(expr, expr.operator))
            case t.Is():
                return self._is(expr)
            case t.In(_, _, value, options, by_kind):
                if self._constant_options(options):
                    return self._null_safe((value,), f"({{0}} in {self._escaped(self._tuple(options))})")
                equal = ", same" if by_kind else ""
                return f"contained({self.value(value)}, {self._tuple(options)}{equal})"
            case t.Quantified(_, _, operator, every, left, options, by_kind):
                keyword = ", by_kind=True" if by_kind else ""
                return f"quantified({operator!r}, {every}, {self.value(left)}, {self._tuple(options)}{keyword})"
            case t.Range():
                return self._range(expr)
            case t.Match():
                operands, body = self._matching(expr)
                return self._null_safe(operands, body)
            case t.Conditional(_, _, branches, otherwise):
                return self._choice(branches, otherwise, self.value)
            case t.Coalesce(_, _, operands):
                return self._coalesce(operands)
            case t.Extreme(_, _, function, operands):
                body = ", ".join(f"{{{index}}}" for index in range(len(operands)))
                return self._null_safe(operands, f"{function}({body})")
            case t.Convert(_, _, operand, function, _):
                name = "float" if function is float else self._module.constant(function, "convert")
                return self._null_safe((operand,), f"{name}({{0}})")
            case t.TypeOf(_, _, operand, static):
                if static is None:
                    return f"type_name({self.value(operand)})"
                return self._null_safe((operand,), f"{static!r}") if operand.nullable else repr(static)
            case t.InstanceOf(_, _, operand, kinds):
                first, later = self.bound(operand)
                wanted = self._module.constant(kinds, "kinds")
                return f"({first} is not None and kind_of({later}) in {wanted})"
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

    # ---- parts

    def _literal(self, value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return self._module.constant(value, "number")
        if value is None or isinstance(value, bool | int | float | str):
            text = repr(value)
            return f"({text})" if text.startswith("-") else text
        return self._module.constant(value, "constant")

    @staticmethod
    def _escaped(text: str) -> str:
        """Text that goes through `format`."""
        return text.replace("{", "{{").replace("}", "}}")

    def _choice(self, branches: Any, otherwise: t.Expr, write: Any) -> str:
        parts = []
        for condition, result in branches:
            test = self.truth(condition)
            with self.knowing(implied(condition)):
                parts.append(f"{write(result)} if {test} else ")
        return f"({''.join(parts)}{write(otherwise)})"

    def _three_valued(self, operands: Sequence[t.Expr], *, ends_at: bool) -> str:
        """`and` (ends at False) or `or` (ends at True), left to right as far as needed, with null."""
        if not any(self.nullable(operand) for operand in operands):
            joint = " or " if ends_at else " and "
            return f"({joint.join(self.value(operand) for operand in operands)})"
        text = ""
        unknown: list[str] = []
        for operand in operands:
            first, later = self.bound(operand)
            text += f"{ends_at} if {first} is {ends_at} else "
            if self.nullable(operand):
                unknown.append(f"{later} is None")
        return f"({text}None if {' or '.join(unknown)} else {not ends_at})"

    def _comparison(self, expr: t.Compare, operator: str) -> str:
        if expr.by_kind:
            return "same({0}, {1})" if operator == "=" else "(not same({0}, {1}))"
        return f"({{0}} {_PYTHON.get(operator, operator)} {{1}})"

    def _compared(self, expr: t.Compare, operator: str) -> str:
        """Truth of a comparison. Python's `==` with None is false, which is what null means here."""
        left, right = expr.left, expr.right
        if operator == "=" and not expr.by_kind and not (self.nullable(left) and self.nullable(right)):
            return f"{self._side(left)} == {self._side(right)}"
        tests, texts = self._guarded((left, right))
        comparison = self._comparison(expr, operator).format(*map(grouped, texts))
        if comparison.startswith("("):
            comparison = comparison[1:-1]
        return self._all_true([*tests, comparison])

    def _side(self, expr: t.Expr) -> str:
        return grouped(self.value(expr))

    def _is(self, expr: t.Is) -> str:
        left, right = expr.left, expr.right
        for one, other in ((left, right), (right, left)):
            if isinstance(other, t.Const) and other.value is None:
                if isinstance(one, t.Attribute):
                    return f"({self.value(one)} is {'not ' if expr.negated else ''}None)"
                return f"({self._side(one)} is {'not ' if expr.negated else ''}None)"
        if expr.by_kind:
            return f"({'not ' if expr.negated else ''}same({self.value(left)}, {self.value(right)}))"
        return f"({self._side(left)} {'!=' if expr.negated else '=='} {self._side(right)})"

    def _constant_options(self, options: Sequence[t.Expr]) -> bool:
        return all(isinstance(option, t.Const) and option.value is not None for option in options) and bool(options)

    def _tuple(self, options: Sequence[t.Expr]) -> str:
        parts = [
            f"*spread({self.value(option.array)})" if isinstance(option, t.Spread) else self.value(option)
            for option in options
        ]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def _in(self, expr: t.In) -> str:
        if self._constant_options(expr.options) and not expr.by_kind:
            # None is in no tuple of constants, and null in truth position is false.
            return f"{self._side(expr.value)} in {self._tuple(expr.options)}"
        return self.value(expr)

    def _not_in(self, expr: t.In) -> str:
        if not self._constant_options(expr.options) or expr.by_kind:
            return f"{self.value(expr)} is False"
        tests, (value,) = self._guarded((expr.value,))
        return self._all_true([*tests, f"{grouped(value)} not in {self._tuple(expr.options)}"])

    def _range(self, expr: t.Range) -> str:
        low, high = expr.low, expr.high
        if isinstance(low, t.Const) and isinstance(high, t.Const) and None not in (low.value, high.value):
            ends = sorted((low, high), key=lambda end: end.value)
            tests, (value,) = self._guarded((expr.value,))
            before, after = "<=" if expr.low_included else "<", "<=" if expr.high_included else "<"
            inside = f"{self.value(ends[0])} {before} {grouped(value)} {after} {self.value(ends[1])}"
            return f"({' and '.join([*tests, f'not {inside}' if expr.negated else inside])})"
        flags = f"{expr.low_included}, {expr.high_included}, {expr.negated}"
        return f"in_range({self.value(expr.value)}, {self.value(low)}, {self.value(high)}, {flags})"

    def _matching(self, expr: t.Match) -> tuple[tuple[t.Expr, ...], str]:
        """The operands of a match and its body."""
        subject = "{0}" if expr.value.type in (types.STRING, types.NULL) else "text_of({0}, None)"
        if isinstance(expr.pattern, t.Const):
            if expr.pattern.value is None:
                return (expr.pattern,), "{0}"
            if expr.operator == "like":
                name = self._module.constant(like_matcher(expr.pattern.value, expr.escape), "like")
                return (expr.value,), f"{name}({subject})"
            name = self._module.constant(compile_regex(expr.pattern.value).fullmatch, "regexp")
            return (expr.value,), f"({name}({subject}) is not None)"
        if expr.operator == "like":
            name = self._module.constant(like_for, "like_for")
            return (expr.value, expr.pattern), f"{name}({{1}}, {expr.escape!r})({subject})"
        name = self._module.constant(regex_for, "regex_for")
        return (expr.value, expr.pattern), f"({name}({{1}}).fullmatch({subject}) is not None)"

    def _matched(self, expr: t.Match, *, negated: bool) -> str:
        operands, body = self._matching(expr)
        tests, texts = self._guarded(operands)
        text = body.format(*map(grouped, texts))
        return self._all_true([*tests, f"not {text}" if negated else text])

    def _coalesce(self, operands: Sequence[t.Expr]) -> str:
        text = ""
        for operand in operands[:-1]:
            if not self.nullable(operand):
                return f"({text}{self.value(operand)})"
            first, later = self.bound(operand)
            text += f"{later} if {first} is not None else "
        return f"({text}{self.value(operands[-1])})"

    def _arithmetic(self, expr: t.Arithmetic) -> str:
        operands = (expr.left, expr.right)
        match expr.operator:
            case "/":
                nonzero = isinstance(expr.right, t.Const) and expr.right.value
                body = "({0} / {1})" if nonzero else f"{self._module.constant(divide, 'divide')}({{0}}, {{1}})"
            case "%":
                body = f"{self._module.constant(remainder, 'remainder')}({{0}}, {{1}})"
            case operator:
                body = f"({{0}} {operator} {{1}})"
        if expr.type.kind is Kind.FLOAT:
            body = f"{self._module.constant(to_float32, 'to_float32')}({body})"
        return self._null_safe(operands, body)

    # ---- calls

    def _call(self, expr: t.Apply, texts: Sequence[str]) -> str:
        if expr.signature.inline is not None:
            return "(" + expr.signature.inline.format(*map(grouped, texts)) + ")"
        name = self._module.constant(expr.signature.call, _identifier(expr.name))
        return f"{name}({', '.join(texts)})"

    def _apply(self, expr: t.Apply) -> str:
        if expr.nulls is Nulls.PASSED:
            return self._call(expr, [self.value(argument) for argument in expr.arguments])
        tests, texts = self._guarded(expr.arguments)
        call = self._call(expr, texts)
        return f"({call} if {' and '.join(tests)} else None)" if tests else call

    def _applied(self, expr: t.Apply, *, negated: bool) -> str:
        """Truth or falsity of a call that gives a boolean."""
        if expr.nulls is Nulls.PASSED:
            call = self._apply(expr)
            return f"{call} is False" if negated else call
        tests, texts = self._guarded(expr.arguments)
        call = self._call(expr, texts)
        if negated:
            call = f"{call} is False" if expr.signature.may_be_null else f"not {call}"
        return self._all_true([*tests, call])

    # ---- sessions

    def _session(self, expr: t.SessionProperty | t.Attribute | t.AttributeContains | t.AttributeFilter) -> str:
        session = _SESSION[expr.scope]
        if isinstance(expr, t.SessionProperty):
            return f"{session}.{PROPERTIES[expr.name].slot}"
        layout = self._layouts.get(expr.scope)
        slots = {} if layout is None else layout.of(expr.namespace)
        match expr:
            case t.Attribute(type_, _, _, _, name):
                slot = slots.get(name)
                if slot is None:
                    return "None"
                place = f"{session}.{slot.attribute}"
                if type_.kind is Kind.OBJECT or slot.kind is type_.kind:
                    return place
                if slot.kind is Kind.OBJECT:
                    return f"of_kind({place}, {self._module.constant(type_.kind, type_.kind.value)})"
                if slot.kind is not None:
                    return "None"
                return f"({place} if {session}.{slot.kind_attribute} == {type_.kind.value!r} else None)"
            case t.AttributeContains(_, _, _, _, name, item):
                return self._attribute_contains(session, slots, name, item)
            case t.AttributeFilter(_, _, _, _, names):
                all_slots = {known.name: known.attribute for known in slots.values()}
                if names is None:
                    return f"present({session}, {self._module.constant(tuple(all_slots.items()), 'slots')})"
                if isinstance(names, t.ArrayOf) and all(isinstance(item, t.Const) for item in names.items):
                    wanted = [item.value for item in names.items if isinstance(item, t.Const)]
                    pairs = tuple((name, all_slots[name]) for name in dict.fromkeys(wanted) if name in all_slots)
                    return f"present({session}, {self._module.constant(pairs, 'slots')})"
                return f"picked({session}, {self._module.constant(all_slots, 'slots')}, {self.value(names)})"

    def _attribute_contains(self, session: str, slots: Any, name: t.Expr, item: t.Expr | None) -> str:
        if not isinstance(name, t.Const):
            all_slots = {known.name: known.attribute for known in slots.values()}
            found = f"attribute({session}, {self._module.constant(all_slots, 'slots')}, {self.value(name)})"
            return f"({found} is not None)" if item is None else f"has_item({found}, {self.value(item)})"
        slot = slots.get(name.value)
        if slot is None:
            return "False"
        place = f"{session}.{slot.attribute}"
        if item is None:
            return f"({place} is not None)"
        if slot.kind not in (Kind.LIST, None, Kind.OBJECT):
            return "False"
        if slot.element is not None and slot.element.kind is not Kind.OBJECT and item.type.kind is not Kind.OBJECT:
            if slot.element != item.type:
                return "False"
            if slot.kind is Kind.LIST:
                # None is never in a list of one type: appending ignores null.
                return f"({place} is not None and {self.value(item)} in {place})"
        return f"has_item({place}, {self.value(item)})"


def implied(expr: t.Expr) -> frozenset[t.Expr]:
    """What is not null when a condition is true."""
    match expr:
        case t.And(_, _, operands):
            return frozenset().union(*map(implied, operands))
        case t.Compare(_, _, _, left, right, _):
            return frozenset((left, right))
        case t.Is(_, _, left, right, True, _) if isinstance(right, t.Const) and right.value is None:
            return frozenset((left,))
        case t.In(_, _, value, _, _) | t.Match(_, _, _, value, _, _) | t.Quantified(_, _, _, _, value, _, _):
            return frozenset((value,))
        case t.Range(_, _, value, _, _, _, _, _):
            return frozenset((value,))
        case t.Not(_, _, t.Compare() | t.In() | t.Match() as operand):
            return implied(operand)
        case t.Apply(_, _, _, _, Nulls.PROPAGATE, arguments):
            return frozenset(arguments)
        case _:
            return frozenset()


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)
