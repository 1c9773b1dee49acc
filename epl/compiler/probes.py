"""The conditions of rules taken apart, for explaining: each term by itself, with what it reads.

A variant of its own beside the handlers, made only when somebody asks why; the handlers carry no hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epl import typed as t
from epl.compiler.expressions import Expressions
from epl.compiler.module import Module
from epl.compiler.text import replace_words, ungrouped
from epl.layout import SessionLayout, slot_name
from epl.typed_walk import subexpressions

Probe = Callable[[Any, Any, Any, int], Any]
"""Called with event, session, parent session and the clock, as handlers are."""

_NAMES = {t.Scope.SESSION: ("session", "metadata"), t.Scope.PARENT: ("parentSession", "parentMetadata")}


@dataclass(frozen=True, slots=True)
class Read:
    """Something that a term reads: how it is written, and its value."""

    text: str
    value: Probe


@dataclass(frozen=True, slots=True)
class Term:
    """One of the conditions that must all be true."""

    text: str
    value: Probe
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an `update istream` sets."""

    name: str
    value: Probe


@dataclass(frozen=True, slots=True)
class Probed:
    """A statement taken apart; `assignments` are those of an update."""

    statement: t.Rule | t.Update
    terms: tuple[Term, ...]
    assignments: tuple[Assignment, ...] = ()


class _Prober:
    def __init__(self, name: str, layouts: dict[t.Scope, SessionLayout]) -> None:
        self._module = Module(f"probes of {name}")
        self._layouts = layouts
        self._made: list[str] = []

    def probe(self, expr: t.Expr) -> str:
        """Writes the function of an expression; its name."""
        write = Expressions(self._module, self._layouts)
        text = ungrouped(write.value(expr))
        places = {local: f"e.{slot_name(name)}" for name, local in write.fields.items()}
        name = f"on_{len(self._made)}"
        self._made.append(name)
        body = replace_words(text, lambda word: places.get(word, word))
        self._module.lines += [f"def {name}(e, s, p, now):", f"    return {body}"]
        return name

    def load(self) -> Mapping[str, Probe]:
        """All functions by name."""
        return self._module.load()


def probed(
    statements: Sequence[tuple[t.Rule | t.Update, Sequence[tuple[str, t.Expr]]]],
    name: str,
    layout: SessionLayout,
    parent: SessionLayout | None,
) -> list[Probed]:
    """The statements of a rule set taken apart; each comes with its terms as written and as checked."""
    layouts = {t.Scope.SESSION: layout}
    if parent is not None:
        layouts[t.Scope.PARENT] = parent
    prober = _Prober(name, layouts)
    plans = []
    for statement, terms in statements:
        planned = [
            (text, prober.probe(expr), [(shown, prober.probe(part)) for shown, part in _read(expr)])
            for text, expr in terms
        ]
        columns = statement.assignments if isinstance(statement, t.Update) else ()
        plans.append((statement, planned, [(column.name, prober.probe(column.expr)) for column in columns]))
    made = prober.load()
    return [
        Probed(
            statement,
            tuple(
                Term(text, made[place], tuple(Read(shown, made[read]) for shown, read in reads))
                for text, place, reads in planned
            ),
            tuple(Assignment(column, made[place]) for column, place in assigned),
        )
        for statement, planned, assigned in plans
    ]


def _read(expr: t.Expr) -> Iterator[tuple[str, t.Expr]]:
    """What an expression reads, each once, in no order of meaning but the same at each run."""
    found: dict[str, t.Expr] = {}
    for part in subexpressions(expr):
        match part:
            case t.Field(_, _, name):
                found[name] = part
            case t.SessionProperty(_, _, scope, name):
                found[f"{_NAMES[scope][0]}.{name}"] = part
            case t.Attribute(type_, _, scope, namespace, name):
                variable = _NAMES[scope][namespace is t.Namespace.METADATA]
                found[f"{variable}.{type_}({name!r})"] = part
            case t.Now():
                found["current_timestamp"] = part
            case _:
                pass
    yield from sorted(found.items())
