"""What a rule set declares for all of its statements: event types, variables, expressions, and types made by
`insert into`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from epl import ast, types
from epl.diagnostics import Problems, did_you_mean, name_codes
from epl.schema import EventType
from epl.types import Type

_S = TypeVar("_S")

InferColumns = Callable[[ast.Select], Mapping[str, Type]]
"""The columns of a statement by name, quietly: its problems are reported where it stands."""


@dataclass(slots=True)
class Declarations:
    """The declared names of one rule set; inferred event types are worked out when first asked for."""

    problems: Problems
    event_types: dict[str, Mapping[str, Type]]
    expressions: dict[str, ast.CreateExpression] = field(default_factory=dict)
    variables: dict[str, ast.CreateVariable] = field(default_factory=dict)
    _inserts: dict[str, list[ast.Select]] = field(default_factory=dict)
    _inferring: list[str] = field(default_factory=list)

    @classmethod
    def collect(
        cls, statements: tuple[ast.Statement, ...], known: Mapping[str, EventType], problems: Problems
    ) -> Declarations:
        """Reads the `create` and `insert into` statements of a rule set."""
        found = cls(problems, {name: event_type.fields for name, event_type in known.items()})
        for statement in statements:
            match statement:
                case ast.CreateSchema():
                    found._add_schema(statement)
                case ast.CreateVariable(_, _, _, name, _):
                    found._add(found.variables, name, statement, "the variable")
                case ast.CreateExpression(_, name, _, _, _):
                    found._add(found.expressions, name, statement, "the expression")
                case ast.Select(_, insert_into) if insert_into is not None:
                    found._inserts.setdefault(insert_into.type_name.text, []).append(statement)
                case _:
                    pass
        found._refuse_cycles()
        return found

    @property
    def routed(self) -> frozenset[str]:
        """The event types that `insert into` makes."""
        return frozenset(self._inserts)

    def _add(self, table: dict[str, _S], name: ast.Name, statement: _S, what: str) -> None:
        if name.text in table:
            self.problems.add(name_codes.ALREADY_DECLARED, name.span, what=what, name=name.text)
        else:
            table[name.text] = statement

    def _add_schema(self, statement: ast.CreateSchema) -> None:
        name = statement.name
        if name.text in self.event_types:
            self.problems.add(name_codes.ALREADY_DECLARED, name.span, what="the event type", name=name.text)
            return
        fields: dict[str, Type] = {}
        for declared in statement.fields:
            type_ = types.parse_type(declared.type.name)
            if type_ is None:
                hint = did_you_mean(declared.type.name, types.TYPE_NAMES)
                span = declared.type.span
                self.problems.add(name_codes.UNKNOWN_VALUE_TYPE, span, name=declared.type.name, hint=hint)
            if declared.name.text in fields:
                span = declared.name.span
                self.problems.add(name_codes.ALREADY_DECLARED, span, what="the field", name=declared.name.text)
            fields[declared.name.text] = type_ or types.OBJECT
        self.event_types[name.text] = fields

    def _refuse_cycles(self) -> None:
        """Rows that would make themselves, over any number of steps."""
        reported: set[str] = set()
        for target in self._inserts:
            path = self._path_back(target)
            if path is not None and not reported & set(path):
                reported |= set(path)
                insert_into = self._inserts[target][0].insert_into
                assert insert_into is not None
                span = insert_into.type_name.span
                self.problems.add(name_codes.ROUTING_CYCLE, span, name=target, path=" → ".join([*path, target]))
        # A circle has no first event: drop its inserts, so that inference ends.
        for name in reported:
            self.event_types.setdefault(name, {})

    def _path_back(self, target: str) -> list[str] | None:
        """The types from `target` round to `target` again, or None."""
        pending = [[target]]
        seen = set()
        while pending:
            path = pending.pop()
            for made, statements in self._inserts.items():
                if any(statement.stream.type_name.text == path[-1] for statement in statements):
                    if made == target:
                        return path
                    if made not in seen:
                        seen.add(made)
                        pending.append([*path, made])
        return None

    def fields_of(self, name: str, infer: InferColumns) -> Mapping[str, Type] | None:
        """The fields of an event type, or None when nothing declares or makes it."""
        if name in self.event_types:
            return self.event_types[name]
        if name not in self._inserts or name in self._inferring:
            return None
        self._inferring.append(name)
        try:
            fields: dict[str, Type] = {}
            for statement in self._inserts[name]:
                for column, type_ in infer(statement).items():
                    known = fields.get(column, types.NULL)
                    fields[column] = types.common(known, type_) or types.OBJECT
        finally:
            self._inferring.pop()
        self.event_types[name] = {
            column: types.OBJECT if type_ == types.NULL else type_ for column, type_ in fields.items()
        }
        return self.event_types[name]

    def known_types(self) -> list[str]:
        """All names that `from` may use."""
        return sorted({*self.event_types, *self._inserts})
