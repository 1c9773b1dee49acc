"""What a rule set declares for all of its statements: event types, variables, expressions, and types made by
`insert into`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from epl import ast, types
from epl.diagnostics import Problems, did_you_mean, name_codes
from epl.schema import EventType, is_readable
from epl.types import Type

_S = TypeVar("_S")

InferColumns = Callable[[ast.Select], Mapping[str, Type]]
"""The columns of a statement by name, quietly: its problems are reported where it stands."""


@dataclass(slots=True)
class Declarations:
    """The declared names of one rule set."""

    problems: Problems
    event_types: dict[str, Mapping[str, Type]]
    expressions: dict[str, ast.CreateExpression] = field(default_factory=dict)
    variables: dict[str, ast.CreateVariable] = field(default_factory=dict)
    schemas: set[str] = field(default_factory=set)
    """The event types that `create schema` declares."""
    made: tuple[str, ...] = ()
    """The event types that `insert into` makes, each after those that it is made from."""
    circular: set[str] = field(default_factory=set)
    """Made types that go round in a circle: reported, and without fields."""
    _inserts: dict[str, list[ast.Select]] = field(default_factory=dict)

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
        found._order_inserts()
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
            if not is_readable(declared.name.text):
                span = declared.name.span
                self.problems.add(name_codes.FIELD_NAME, span, name=declared.name.text)
            if declared.name.text in fields:
                span = declared.name.span
                self.problems.add(name_codes.ALREADY_DECLARED, span, what="the field", name=declared.name.text)
            fields[declared.name.text] = type_ or types.OBJECT
        self.event_types[name.text] = fields
        self.schemas.add(name.text)

    def _order_inserts(self) -> None:
        """Sorts the made types so that each follows those it is made from, and refuses rows that make themselves."""
        made_from = {
            name: [s.stream.type_name.text for s in statements if s.stream.type_name.text in self._inserts]
            for name, statements in self._inserts.items()
        }
        done: dict[str, None] = {}
        for start in self._inserts:
            # Depth first without recursion: a chain of inserts may be long.
            path: dict[str, Iterator[str]] = {} if start in done else {start: iter(made_from[start])}
            while path:
                name, sources = next(reversed(path.items()))
                source = next(sources, None)
                if source is None:
                    del path[name]
                    done[name] = None
                elif source in path:
                    names = list(path)
                    self._refuse_cycle([*names[names.index(source) :], source])
                elif source not in done:
                    path[source] = iter(made_from[source])
        self.made = tuple(done)

    def _refuse_cycle(self, backwards: list[str]) -> None:
        """`backwards` leads from a type, by way of what each is made from, to the same type again."""
        circle = backwards[::-1]
        first = min(circle, key=list(self._inserts).index)
        at = circle.index(first)
        shown = [*circle[at:-1], *circle[:at], first]
        insert_into = self._inserts[first][0].insert_into
        assert insert_into is not None
        self.problems.add(name_codes.ROUTING_CYCLE, insert_into.type_name.span, name=first, path=" → ".join(shown))
        self.circular.update(circle)

    def infer(self, columns_of: InferColumns) -> None:
        """Works out the fields of the made types that nobody declared: the columns of their inserts."""
        for name in self.made:
            if name in self.event_types or name in self.circular:
                continue
            fields: dict[str, Type] = {}
            for statement in self._inserts[name]:
                for column, type_ in columns_of(statement).items():
                    known = fields.get(column, types.NULL)
                    fields[column] = types.common(known, type_) or types.OBJECT
            self.event_types[name] = {
                column: types.OBJECT if type_ == types.NULL else type_ for column, type_ in fields.items()
            }

    def known_types(self) -> list[str]:
        """All names that `from` may use."""
        return sorted(self.event_types)
