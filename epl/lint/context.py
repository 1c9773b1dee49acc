"""What lint rules look at: a checked rule set, and plain facts of the configuration around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from epl import ast
from epl.checker import Checked
from epl.diagnostics import Severity
from epl.environment import Environment
from epl.parser import Parsed
from epl.session_schema import Attributes
from epl.source import Source
from epl.stage import Stage
from epl.typed import Namespace, Program, Rule, Scope
from epl.types import Type


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What only the configuration knows; every default means that nothing is known, and keeps rules quiet.

    `markers`: the rule set's own marker types, with the fields they have without its metadata; `end_markers` those of
    them that end a session, `other_markers` those of other rule sets. `decorated`: fields that stage 1 adds, by event
    type. `read_elsewhere`: attributes that other rule sets read, `types_elsewhere` event types they use.
    `hands_on`: rules elsewhere see the event as these decorate it, so that a declared field may be meant for them.
    `known`: this describes all rule sets around, so that what is not in it is not there.
    """

    known: bool = False
    gap_ms: int | None = None
    max_idle_ms: int | None = None
    block_size: int | None = None
    markers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    end_markers: frozenset[str] = frozenset()
    other_markers: frozenset[str] = frozenset()
    decorated: Mapping[str, frozenset[str]] = field(default_factory=dict)
    read_elsewhere: frozenset[tuple[Namespace, str]] = frozenset()
    types_elsewhere: frozenset[str] = frozenset()
    has_passive_events: bool = False
    gap_varies: bool = False
    hands_on: bool = False


_MOST_PROOFS = 400
_LONGEST_MENDED = 4_000


@dataclass(frozen=True, slots=True)
class LintContext:
    """One rule set as rules see it. `complete`: no statement was left out because of errors."""

    parsed: Parsed
    program: Program
    attributes: Attributes
    environment: Environment
    surroundings: Surroundings
    stage: Stage
    complete: bool
    sound: frozenset[int]
    """The numbers of the statements without errors."""
    nodes: tuple[tuple[ast.Statement, ast.Node], ...] = field(repr=False)
    """Every node of every sound statement, with its statement: most rules look at all of them."""
    fixes: bool = True
    """Whether rules give fixes: to prove one takes as long as to parse its statement."""
    proofs: Iterator[int] = field(default_factory=lambda: iter(range(_MOST_PROOFS)), repr=False, compare=False)
    """Runs out when enough fixes have been proven; those after it come in the next round."""

    def may_prove(self, statement: ast.Statement) -> bool:
        """True when a fix of a statement may be looked for: not in one of many pages, and not thousands at once."""
        length = statement.span.end - statement.span.start
        return self.fixes and length <= _LONGEST_MENDED and next(self.proofs, None) is not None

    @classmethod
    def of(cls, checked: Checked, surroundings: Surroundings | None = None) -> LintContext:
        """The context of a checked rule set."""
        parsed, stage = checked.parsed, checked.environment.stage
        assert stage is not None  # checking decides it
        errors = [each.span for each in checked.problems if each.severity is Severity.ERROR]
        partial = {rule.number for rule in checked.program.rules if not rule.whole}
        sound = frozenset(
            number
            for number, statement in enumerate(parsed.statements)
            if number not in partial
            and not any(statement.span.start <= error.start < statement.span.end for error in errors)
        )
        return cls(
            parsed,
            checked.program,
            checked.attributes,
            checked.environment,
            surroundings or Surroundings(),
            stage,
            not errors,
            sound,
            tuple(
                (parsed.statements[number], node)
                for number in sorted(sound)
                for node in ast.walk(parsed.statements[number])
            ),
        )

    @property
    def source(self) -> Source:
        """The text."""
        return self.parsed.source

    @property
    def statements(self) -> tuple[ast.Statement, ...]:
        """All parsed statements; `Rule.number` counts them."""
        return self.parsed.statements

    def rules(self) -> list[tuple[Rule, ast.Select]]:
        """The sound rules with their statements."""
        pairs = []
        for rule in self.program.rules:
            statement = self.statements[rule.number]
            if rule.number in self.sound and isinstance(statement, ast.Select):
                pairs.append((rule, statement))
        return pairs

    def fields(self, event_type: str) -> Mapping[str, Type]:
        """The fields of an event type, none when it is unknown."""
        return self.program.event_types.get(event_type, {})

    def written(self, scope: Scope) -> Attributes | None:
        """What rules write to the session of a scope, or None where that is not known."""
        return self.attributes if scope is Scope.SESSION else self.environment.parent

    def text(self, node: ast.Node) -> str:
        """A node as it was written, on one line."""
        return " ".join(self.source.slice(node.span).split())
