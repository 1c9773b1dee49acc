"""What rules can know of a session: its properties, and the attributes that rules write."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from epl import types
from epl.typed import AddToCounter, AppendToList, Namespace, Rule, WriteAttributes
from epl.types import Type


class Property(Struct, frozen=True):
    """A built-in property of sessions; `slot` is the attribute of the session object that holds it."""

    type: Type
    slot: str
    summary: str


PROPERTIES: Mapping[str, Property] = {
    "eventCount": Property(types.INT, "count", "events so far, this one included"),
    "duration": Property(types.LONG, "duration_ms", "ms from the first to the latest event, by arrival"),
    "identifier": Property(types.STRING, "key", "the session key that stage 1 gave"),
    "sessionId": Property(types.STRING, "session_id", "key and time of the first event; unique"),
    "creationTime": Property(types.LONG, "created_ms", "arrival of the first event, epoch ms"),
    "lastModifiedTime": Property(types.LONG, "modified_ms", "arrival of the latest event, epoch ms"),
    "expirationTime": Property(types.LONG, "expires_at_ms", "when the session ends if nothing comes, epoch ms"),
    "firstEventTimestamp": Property(types.LONG, "first_event_ms", "the first event's own time, epoch ms"),
    "botType": Property(types.INT, "bot_type", "what @MarkBot set; 0 means no bot"),
    "botEventCount": Property(types.INT, "bot_count", "events that came while botType was above 0"),
}

GETTERS: Mapping[str, Type] = {
    "int": types.INT,
    "long": types.LONG,
    "string": types.STRING,
    "double": types.DOUBLE,
    "float": types.FLOAT,
    "boolean": types.BOOLEAN,
    "list": types.LIST,
    "date": types.DATE,
}
"""Getters by name; `getInt` is accepted for `int`, and so on."""


class Attributes(Struct, frozen=True):
    """The attributes that a rule set writes, by namespace and name, with the types written.

    More than one type means that the type shows at run time only. `appended`: those of the state that are lists and
    written by @AppendState alone.
    """

    state: Mapping[str, frozenset[Type]] = field(default_factory=dict)
    metadata: Mapping[str, frozenset[Type]] = field(default_factory=dict)
    appended: frozenset[str] = frozenset()

    def of(self, namespace: Namespace) -> Mapping[str, frozenset[Type]]:
        """The attributes of one namespace."""
        return self.state if namespace is Namespace.STATE else self.metadata

    def merged(self, other: Attributes) -> Attributes:
        """The attributes of both, with the types of both."""
        appended = self.appended & other.appended
        return Attributes(_merged(self.state, other.state), _merged(self.metadata, other.metadata), appended)


def _merged(left: Mapping[str, frozenset[Type]], right: Mapping[str, frozenset[Type]]) -> Mapping[str, frozenset[Type]]:
    return {name: left.get(name, frozenset()) | right.get(name, frozenset()) for name in {**left, **right}}


def written_attributes(rules: tuple[Rule, ...]) -> Attributes:
    """Collects what rules write. A null column writes nothing, so its type does not count."""
    state: dict[str, set[Type]] = {}
    metadata: dict[str, set[Type]] = {}
    counters: dict[str, Type] = {}
    appended: dict[str, set[Type]] = {}
    for rule in rules:
        for effect in rule.effects:
            match effect:
                case WriteAttributes(namespace, columns):
                    target = state if namespace is Namespace.STATE else metadata
                    for column in columns:
                        known = target.setdefault(column.name, set())
                        if column.expr.type != types.NULL:
                            known.add(_stored(column.expr.type))
                case AddToCounter(name, amount):
                    step = types.INT if amount is None else amount.type
                    counters[name] = types.wider(counters.get(name, types.INT), step)
                case AppendToList(name, item, _, _):
                    appended.setdefault(name, set()).add(types.list_of(item.type))
                case _:
                    pass
    only_appended = frozenset(appended.keys() - state.keys() - counters.keys())
    for name, lists in appended.items():
        state.setdefault(name, set()).update(lists)
    # All counters of one name share the widest type among them.
    for name, type_ in counters.items():
        state.setdefault(name, set()).add(type_)
    return Attributes(
        {name: frozenset(found) for name, found in state.items()},
        {name: frozenset(found) for name, found in metadata.items()},
        only_appended,
    )


def _stored(type_: Type) -> Type:
    # An array is stored as a list: both are read back by session.list('n').
    return types.list_of(type_.element) if type_.kind is types.Kind.ARRAY else type_
