"""What all parts of the expression compiler share: known facts, temporaries, null tests.

Null logic comes in three positions. In *truth* position the text is truthy exactly when the value is true, so null
and false need no telling apart; *falsity* is its mirror, for what stands under `not`; in *value* position null is
None. `not (a and b)` thus needs no three-valued operator at all. What a condition rules out as null (`facts`) is not
tested again further right.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from epl import typed as t
from epl.compiler.module import Module
from epl.compiler.text import grouped, is_atom, ungrouped
from epl.layout import SessionLayout

Write = Callable[[t.Expr], str]

LONG = 50
"""Longer chains are written flat: CPython parses `a if b else c if d else …` and `a + b + …` by recursion."""


class Writer(ABC):
    """Writes the expressions of one function. `layouts` has the sessions' slots by scope."""

    def __init__(self, module: Module, layouts: dict[t.Scope, SessionLayout]) -> None:
        self._module = module
        self._layouts = layouts
        self._facts: frozenset[t.Expr] = frozenset()
        self._temporaries = 0
        self._subjects: dict[t.Subject, str] = {}
        self.fields: dict[str, str] = {}
        """The local variable of each event field in use, by field name."""
        self.computed: dict[t.Expr, str] = {}
        """Local variables of what has been evaluated already."""

    @abstractmethod
    def truth(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is true."""

    @abstractmethod
    def falsity(self, expr: t.Expr) -> str:
        """Text that is truthy exactly when the value is false."""

    @abstractmethod
    def value(self, expr: t.Expr) -> str:
        """Text that gives the value, None for null."""

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
        if self._is_repeatable(expr, text):
            return text, text
        name = self.temporary()
        return f"({name} := {text})", name

    def named(self, expr: t.Expr) -> tuple[list[str], str]:
        """The same as statements: what to run first, and text that may be repeated."""
        text = self.value(expr)
        if self._is_repeatable(expr, text):
            return [], text
        name = self.temporary()
        return [f"{name} = {ungrouped(text)}"], name

    def _is_repeatable(self, expr: t.Expr, text: str) -> bool:
        """True for names and literals; a session's slot takes longer to read than a local."""
        return is_atom(text) and (not isinstance(expr, t.Attribute) or expr in self.computed)

    def temporary(self) -> str:
        """A new local variable."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    # ---- null tests

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
        return f"({text} if {' and '.join(dict.fromkeys(tests))} else None)"

    @staticmethod
    def _all_true(tests: Iterable[str]) -> str:
        """One test of several, each once."""
        distinct = list(dict.fromkeys(tests))
        return distinct[0] if len(distinct) == 1 else f"({' and '.join(distinct)})"
