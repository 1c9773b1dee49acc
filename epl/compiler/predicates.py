"""Predicates to Python text: comparison, `is`, `in`, `between`, `like`, `regexp`."""

from __future__ import annotations

from collections.abc import Sequence

from epl import typed as t
from epl import types
from epl.compiler.text import escaped, grouped, ungrouped
from epl.compiler.writer import Writer
from epl.java.patterns import compile_regex, like_for, like_matcher, regex_for

_PYTHON = {"=": "=="}


class Predicates(Writer):
    """Writes predicates, most of them once for values and once for conditions."""

    # ---- comparison

    def _comparison(self, expr: t.Compare, operator: str) -> str:
        if expr.by_kind:
            return "same({0}, {1})" if operator == "=" else "(not same({0}, {1}))"
        return f"({{0}} {_PYTHON.get(operator, operator)} {{1}})"

    def _compared(self, expr: t.Compare, operator: str) -> list[str]:
        """Tests of a comparison. Python's `==` with None is false, which is what null means here."""
        left, right = expr.left, expr.right
        if operator == "=" and not expr.by_kind and not (self.nullable(left) and self.nullable(right)):
            return [f"{grouped(self.value(left))} == {grouped(self.value(right))}"]
        tests, texts = self._guarded((left, right))
        comparison = self._comparison(expr, operator).format(*map(grouped, texts))
        return [*tests, ungrouped(comparison)]

    def _is(self, expr: t.Is) -> str:
        left, right = expr.left, expr.right
        for one, other in ((left, right), (right, left)):
            if isinstance(other, t.Const) and other.value is None:
                if isinstance(one, t.Const):
                    return str((one.value is None) is not expr.negated)
                return f"({grouped(self.value(one))} is {'not ' if expr.negated else ''}None)"
        if expr.by_kind:
            return f"({'not ' if expr.negated else ''}same({self.value(left)}, {self.value(right)}))"
        return f"({grouped(self.value(left))} {'!=' if expr.negated else '=='} {grouped(self.value(right))})"

    # ---- options

    def _in_value(self, expr: t.In) -> str:
        if _is_plain(expr):
            return self._null_safe((expr.value,), f"({{0}} in {escaped(self._tuple(expr.options))})")
        equal = ", same" if expr.by_kind else ""
        return f"contained({self.value(expr.value)}, {self._tuple(expr.options)}{equal})"

    def _in(self, expr: t.In) -> str:
        if _is_plain(expr):
            # None is in no tuple of constants, and null in truth position is false.
            return f"{grouped(self.value(expr.value))} in {self._tuple(expr.options)}"
        return self._in_value(expr)

    def _not_in(self, expr: t.In) -> list[str]:
        if not _is_plain(expr):
            return [f"{self._in_value(expr)} is False"]
        tests, (value,) = self._guarded((expr.value,))
        return [*tests, f"{grouped(value)} not in {self._tuple(expr.options)}"]

    def _quantified(self, expr: t.Quantified) -> str:
        options = self._tuple(expr.options)
        by_kind = ", True" if expr.by_kind else ""
        return f"quantified({expr.operator!r}, {expr.every}, {self.value(expr.left)}, {options}{by_kind})"

    def _tuple(self, options: Sequence[t.Expr]) -> str:
        parts = [
            f"*spread({self.value(option.array)})" if isinstance(option, t.Spread) else self.value(option)
            for option in options
        ]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    # ---- ranges

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

    # ---- patterns

    def _matching(self, expr: t.Match) -> tuple[tuple[t.Expr, ...], str]:
        """The operands of a match and its body."""
        subject = "{0}" if expr.value.type in (types.STRING, types.NULL) else "text_of({0}, None)"
        if isinstance(expr.pattern, t.Const):
            if expr.pattern.value is None:
                return (expr.pattern,), "{0}"
            note = f"{expr.operator} {expr.pattern.value!r}" + (
                "" if expr.escape is None else f" escape {expr.escape!r}"
            )
            if expr.operator == "like":
                name = self._module.constant(like_matcher(expr.pattern.value, expr.escape), "like", note)
                return (expr.value,), f"{name}({subject})"
            name = self._module.constant(compile_regex(expr.pattern.value).fullmatch, "regexp", note)
            return (expr.value,), f"({name}({subject}) is not None)"
        if expr.operator == "like":
            name = self._module.constant(like_for, "like_for")
            return (expr.value, expr.pattern), f"{name}({{1}}, {escaped(repr(expr.escape))})({subject})"
        name = self._module.constant(regex_for, "regex_for")
        return (expr.value, expr.pattern), f"({name}({{1}}).fullmatch({subject}) is not None)"

    def _match_value(self, expr: t.Match) -> str:
        operands, body = self._matching(expr)
        return self._null_safe(operands, body)

    def _matched(self, expr: t.Match, *, negated: bool) -> list[str]:
        """Tests of a match or its opposite."""
        operands, body = self._matching(expr)
        tests, texts = self._guarded(operands)
        text = body.format(*map(grouped, texts))
        return [*tests, f"not {text}" if negated else ungrouped(text)]


def _is_plain(expr: t.In) -> bool:
    """Constants only, none of them null, and Python's equality will do."""
    if expr.by_kind or not expr.options:
        return False
    return all(isinstance(option, t.Const) and option.value is not None for option in expr.options)
