"""What names mean at one place: the event with its aliases, parameters, variables, declared expressions, sessions."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from epl import ast
from epl.environment import Environment
from epl.session_schema import Attributes
from epl.stage import Stage
from epl.structs import replace
from epl.typed import Const, Expr, Namespace, Scope
from epl.types import Type


class Event(Struct, frozen=True):
    """An event as a name can stand for it: its type's name and fields."""

    type_name: str
    fields: Mapping[str, Type]


class Names(Struct, frozen=True):
    """The names of one statement. `attributes`: what this rule set writes, as far as known.

    `attempted`: attributes that a rule with mistakes would write; reading one is not another mistake.
    """

    environment: Environment
    stage: Stage
    event: Event | None = None
    aliases: frozenset[str] = frozenset()
    variables: Mapping[str, Const | Expr] = field(default_factory=dict)
    declared: Mapping[str, ast.CreateExpression] = field(default_factory=dict)
    parameters: Mapping[str, Expr | Event] = field(default_factory=dict)
    attributes: Attributes = field(default_factory=Attributes)
    attempted: frozenset[str] = frozenset()
    expanding: tuple[str, ...] = ()

    def inside(self, expression: str, parameters: Mapping[str, Expr | Event], *, keeps_event: bool) -> Names:
        """The names inside the body of a declared expression; an alias keeps the event of the statement."""
        return replace(
            self,
            event=self.event if keeps_event else None,
            aliases=self.aliases if keeps_event else frozenset(),
            parameters=parameters,
            expanding=(*self.expanding, expression),
        )

    def attributes_of(self, scope: Scope) -> Attributes:
        """What is written to the session of a scope."""
        if scope is Scope.PARENT:
            return self.environment.parent or Attributes()
        return self.attributes


SESSION_VARIABLES: Mapping[str, tuple[Scope, Namespace]] = {
    "session": (Scope.SESSION, Namespace.STATE),
    "metadata": (Scope.SESSION, Namespace.METADATA),
    "parentSession": (Scope.PARENT, Namespace.STATE),
    "parentMetadata": (Scope.PARENT, Namespace.METADATA),
}
"""The variables of stage 2, and which attributes each reads."""


def known_in(stage: Stage, scope: Scope) -> bool:
    """True when a session variable of this scope exists in a stage."""
    return stage is Stage.SUB or (stage is Stage.MAIN and scope is Scope.SESSION)
