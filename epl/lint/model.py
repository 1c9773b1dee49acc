"""What a lint rule is: a code, and a function that finds where a rule set deserves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from epl.diagnostics import Code, Fix
from epl.lint.context import LintContext
from epl.source import Span

_SCHEMA = (
    "create schema PageView (user string, et string, url string, n int, total long, price double, paid boolean, "
    "tags string[], props map);\n"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that a rule objects to; `fields` fill the message of its code, `fix` mends it where that is safe."""

    span: Span
    fields: Mapping[str, object] = field(default_factory=dict)
    hint: str | None = None
    fix: Fix | None = None


Check = Callable[[LintContext], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class LintRule:
    """One kind of warning. `whole`: it judges by what is nowhere in the rule set, so every statement must be sound."""

    code: Code
    check: Check
    whole: bool = False


def found(span: Span, hint: str | None = None, *, fix: Fix | None = None, **fields: object) -> Finding:
    """A finding whose message takes these fields."""
    return Finding(span, fields, hint, fix)


def example_code(id_: str, title: str, message: str, why: str, bad: str, good: str, advice: str | None = None) -> Code:
    """A code whose examples are about the events of one schema, which is put before them."""
    return Code(id_, title, message, why, _SCHEMA + bad, _SCHEMA + good, advice)
