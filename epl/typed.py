"""The typed program: what the checker hands to the compiler.

Every name is resolved, every expression has a static type, and sugar is gone (`case x when`, `<>`, aliases, declared
expressions). `nullable` says whether the value can be null at all; what a surrounding condition rules out, the
compiler works out by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from typing import Literal as Choice

from epl.registry.model import Nulls, Signature
from epl.source import Source, Span
from epl.types import Kind, Type

# ---- expressions


@dataclass(frozen=True, slots=True)
class Expr:
    """A value of a known type."""

    type: Type
    nullable: bool


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A literal, a variable or a folded expression."""

    value: Any


@dataclass(frozen=True, slots=True)
class Field(Expr):
    """A field of the event; `declared` is False for `f?` of an undeclared one."""

    name: str
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Changed(Expr):
    """A field of the row that an `update istream` yields: the event as that statement leaves it.

    `name` None: whether the statement with this number has changed the event.
    """

    number: int
    name: str | None


class Scope(Enum):
    """Whose session a rule reads."""

    SESSION = "session"
    PARENT = "parent"


class Namespace(Enum):
    """The two sets of attributes of a session."""

    STATE = "state"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class SessionProperty(Expr):
    """`session.eventCount` and the like; `name` is a key of `epl.session_schema.PROPERTIES`."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class Attribute(Expr):
    """`session.int('views')`: null when absent or of another type. `type` is the getter's."""

    scope: Scope
    namespace: Namespace
    name: str


@dataclass(frozen=True, slots=True)
class AttributeContains(Expr):
    """`session.contains('items', x)` (with `item`) or `session.contains('n')`; `name` may be computed."""

    scope: Scope
    namespace: Namespace
    name: Expr
    item: Expr | None


@dataclass(frozen=True, slots=True)
class AttributeFilter(Expr):
    """`session.filter({'a','b'})`: a map of those present; `names` None: all."""

    scope: Scope
    namespace: Namespace
    names: Expr | None


@dataclass(frozen=True, slots=True)
class Now(Expr):
    """The engine's clock, epoch ms."""


@dataclass(frozen=True, slots=True)
class Arithmetic(Expr):
    """`+ - * / %` on numbers, operands converted to `type` where Java does."""

    operator: Choice["+", "-", "*", "/", "%"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Bitwise(Expr):
    """`& | ^` on two integers or two booleans."""

    operator: Choice["&", "|", "^"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Minus(Expr):
    """`-operand`."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Concat(Expr):
    """`||` over strings."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not(Expr):
    """Three-valued `not`."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class And(Expr):
    """Three-valued `and`."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or(Expr):
    """Three-valued `or`."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare(Expr):
    """`= != < <= > >=`: null with null on either side. `by_kind`: an `object` is compared by type and value."""

    operator: Choice["=", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr
    by_kind: bool = False


@dataclass(frozen=True, slots=True)
class Is(Expr):
    """`is`, `is not`: never null."""

    left: Expr
    right: Expr
    negated: bool
    by_kind: bool = False


@dataclass(frozen=True, slots=True)
class Spread(Expr):
    """An array among the options of `in` or `any`: its elements stand for it."""

    array: Expr


@dataclass(frozen=True, slots=True)
class In(Expr):
    """`value in (…)`; negation is a `Not` around it."""

    value: Expr
    options: tuple[Expr, ...]
    by_kind: bool = False


@dataclass(frozen=True, slots=True)
class Quantified(Expr):
    """`left op any (…)` (`every` False) or `all` (`every` True)."""

    operator: Choice["=", "!=", "<", "<=", ">", ">="]
    every: bool
    left: Expr
    options: tuple[Expr, ...]
    by_kind: bool = False


@dataclass(frozen=True, slots=True)
class Range(Expr):
    """`between` and the ranges of `in`: never null (language.md §2)."""

    value: Expr
    low: Expr
    high: Expr
    low_included: bool
    high_included: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Match(Expr):
    """`like` (`escape` may be given) and `regexp`; negation is a `Not` around it."""

    operator: Choice["like", "regexp"]
    value: Expr
    pattern: Expr
    escape: str | None


@dataclass(frozen=True, slots=True)
class Subject(Expr):
    """In the conditions of `case x when …`: x, which is evaluated once. `number` tells it from those around it."""

    number: int


@dataclass(frozen=True, slots=True)
class Conditional(Expr):
    """`case`: the first branch whose condition is true, else `otherwise`. `subject`: what `Subject` stands for."""

    branches: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr
    subject: tuple[Subject, Expr] | None = None


@dataclass(frozen=True, slots=True)
class Coalesce(Expr):
    """The first operand that is not null."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Extreme(Expr):
    """`min` or `max` of two or more."""

    function: Choice["min", "max"]
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Convert(Expr):
    """A widening number, or `cast`; `function` is called on a value that is not null and may raise RuleError."""

    operand: Expr
    function: Callable[[Any], Any]
    can_fail: bool


@dataclass(frozen=True, slots=True)
class TypeOf(Expr):
    """`typeof(x)`: Java's short name. `static` is known unless the operand is an object."""

    operand: Expr
    static: str | None


@dataclass(frozen=True, slots=True)
class InstanceOf(Expr):
    """`instanceof(x, …)` of an object, whose type shows at run time only."""

    operand: Expr
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class ArrayOf(Expr):
    """`{a, b}`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ElementAt(Expr):
    """`array[i]`: null past either end."""

    array: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class MapValue(Expr):
    """`m('key')` and `m.key`."""

    map: Expr
    key: Expr


@dataclass(frozen=True, slots=True)
class Apply(Expr):
    """A call of a registry entry: receiver first, then the arguments. `pure`: the same arguments, the same answer."""

    name: str
    signature: Signature
    nulls: Nulls
    arguments: tuple[Expr, ...]
    pure: bool = True


# ---- statements


@dataclass(frozen=True, slots=True)
class Column:
    """A named column of a row."""

    name: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rule does with its row. Each kind is made by one annotation."""


@dataclass(frozen=True, slots=True)
class WriteAttributes(Effect):
    """@UpdateState, @UpdateMetadata: every column is written, a null removes."""

    namespace: Namespace
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class AddToCounter(Effect):
    """@UpdateCounter, @AppendCounter: `amount` None adds one."""

    name: str
    amount: Expr | None


@dataclass(frozen=True, slots=True)
class AppendToList(Effect):
    """@AppendState; `maxlength` 0 means no limit."""

    name: str
    item: Expr
    unique: bool
    maxlength: int


@dataclass(frozen=True, slots=True)
class SetDuration(Effect):
    """@UpdateDuration: the session's gap from now on, ms."""

    duration_ms: Expr


@dataclass(frozen=True, slots=True)
class Decorate(Effect):
    """@DecorateEvent."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class RouteToProfile(Effect):
    """@Session: the profile and session key; `passive` by @Passive."""

    profile: str
    key: Expr
    timestamp_ms: Expr | None
    duration_ms: Expr | None
    passive: bool


@dataclass(frozen=True, slots=True)
class OpenSubSession(Effect):
    """@SubSession."""

    name: str
    key: Expr
    duration_ms: Expr | None


@dataclass(frozen=True, slots=True)
class CountDebug(Effect):
    """@DebugSession."""

    counter: str
    value: Expr | None
    audit: tuple[Column, ...] | None


@dataclass(frozen=True, slots=True)
class EndSession(Effect):
    """@EndSession."""


@dataclass(frozen=True, slots=True)
class SplitSession(Effect):
    """@SplitSession."""


@dataclass(frozen=True, slots=True)
class MarkBot(Effect):
    """@MarkBot: the number of the bot's type; 0 clears the mark."""

    bot_type: Expr


@dataclass(frozen=True, slots=True)
class Insert(Effect):
    """`insert into`: the row goes on as an event of another type; columns in the order of its schema."""

    type_name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Call(Effect):
    """Hands the row to a Python function. Registered annotations make it (`epl.extend.call`)."""

    function: Callable[[dict[str, Any]], object]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Report(Effect):
    """Hands the row to the driver: for explaining, and for tests. No annotation makes it."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A select statement. `number` counts the statements of the file from 0.

    `whole` False: parts of it had problems and are left out. `made_by` says for each effect which annotation of the
    statement makes it, counted from 0; an effect beyond those is that of `insert into`. `shadow`: its rows are
    counted, and have no effect. `of_update`: it is what the annotations of an `update istream` of the same number do
    with its row.
    """

    number: int
    name: str
    span: Span
    event_type: str
    condition: Expr | None
    columns: tuple[Column, ...]
    effects: tuple[Effect, ...]
    whole: bool = True
    made_by: tuple[int, ...] = ()
    shadow: bool = False
    of_update: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """`update istream`: assignments see the event as it was before the statement."""

    number: int
    name: str
    span: Span
    event_type: str
    condition: Expr | None
    assignments: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A checked rule set. `event_types` holds the declared and the inferred ones; `routed` those that `insert into`
    makes, in no order."""

    source: Source
    event_types: Mapping[str, Mapping[str, Type]]
    routed: frozenset[str]
    updates: tuple[Update, ...]
    rules: tuple[Rule, ...]

    def statements(self) -> tuple[Rule | Update, ...]:
        """Updates and rules, in file order; what is done with the row of an update comes right after it."""
        both: list[Rule | Update] = [*self.updates, *self.rules]
        return tuple(sorted(both, key=lambda statement: statement.number))
