"""What a diagnostic is: a stable code, a place, a message, and where it helps a hint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum

from msgspec import Struct

from epl.diagnostics.fix import Fix
from epl.source import Source, Span

_SHOWN = 120  # characters of a name or word in a message
_COMPARED = 60  # characters of names that are compared for a hint
_CANDIDATES = 1_000


class Severity(StrEnum):
    """How bad it is: an error stops compilation, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Code(Struct, frozen=True):
    """One kind of problem. Codes are never reused.

    `message` is a template filled by the keyword arguments of `Problems.add`. `bad` triggers the code and `good`
    does not: both are tests. Families: E1 syntax, E2 names, E3 types, E4 stages and annotations, E5 configuration,
    W6 correctness, W7 cost, W8 style, W9 migration.
    """

    id: str
    title: str
    message: str
    why: str
    bad: str
    good: str
    advice: str | None = None

    @property
    def severity(self) -> Severity:
        """Errors begin with E, warnings with W."""
        return Severity.ERROR if self.id.startswith("E") else Severity.WARNING


class Diagnostic(Struct, frozen=True):
    """A problem found at a place; `fix` mends it, where that takes no decision."""

    code: Code
    source: Source
    span: Span
    message: str
    hint: str | None = None
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """The severity of its code."""
        return self.code.severity


class Problems:
    """Collects the diagnostics of one source, so that all are reported and not the first only."""

    def __init__(self, source: Source) -> None:
        self.source = source
        # A dict keeps the order and drops repeats: a declared expression is checked wherever it is called.
        self._found: dict[tuple[Code, Span, str], Diagnostic] = {}

    def add(self, code: Code, span: Span, *, hint: str | None = None, **fields: object) -> None:
        """Records a problem, once. Raises KeyError when the code's message names a field that is not given."""
        self.add_fixable(code, span, fields, hint, None)

    def add_fixable(
        self, code: Code, span: Span, fields: Mapping[str, object], hint: str | None, fix: Fix | None
    ) -> None:
        """Records a problem with what mends it, if anything does."""
        message = code.message.format(**{name: _shortened(str(value)) for name, value in fields.items()})
        self._record(Diagnostic(code, self.source, span, message, hint or code.advice, fix))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Records problems that another pass found."""
        for diagnostic in diagnostics:
            self._record(diagnostic)

    def _record(self, diagnostic: Diagnostic) -> None:
        self._found.setdefault((diagnostic.code, diagnostic.span, diagnostic.message), diagnostic)

    @property
    def has_errors(self) -> bool:
        """True when a diagnostic stops compilation."""
        return any(found.severity is Severity.ERROR for found in self._found.values())

    def __iter__(self) -> Iterator[Diagnostic]:
        """In the order of their places in the text."""
        return iter(sorted(self._found.values(), key=lambda found: (found.span.start, found.code.id)))

    def __len__(self) -> int:
        return len(self._found)


class InvalidInput(Exception):
    """Raised where something cannot be built because of problems in the user's text; carries all of them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"{d.code.id} {d.message}" for d in self.diagnostics))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that proposes the nearest known name, or None when nothing is near.

    Nobody misspells one of a thousand names, and comparing takes its time: then, and for very long names, no hint.
    """
    candidates = [candidate for candidate in known if len(candidate) <= _COMPARED]
    if len(name) > _COMPARED or len(candidates) > _CANDIDATES:
        return None
    near = get_close_matches(name, candidates, n=1, cutoff=0.6)
    if not near:
        by_folded = {candidate.lower(): candidate for candidate in candidates}
        near = [by_folded[name.lower()]] if name.lower() in by_folded else []
    return f"did you mean `{near[0]}`?" if near else None
