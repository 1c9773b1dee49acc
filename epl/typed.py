"""The typed program: what the checker hands to the compiler.

Every name is resolved, every expression has a static type, and sugar is gone (`case x when`, `<>`, aliases, declared
expressions). `nullable` says whether the value can be null at all; what a surrounding condition rules out, the
compiler works out by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any
from typing import Literal as Choice

from msgspec import Struct

from epl.registry.model import Nulls, Signature
from epl.source import Source, Span
from epl.types import Kind, Type

# ---- expressions


class Expr(Struct, frozen=True):
    """A value of a known type."""

    type: Type
    nullable: bool


class Const(Expr, frozen=True):
    """A literal, a variable or a folded expression."""

    value: Any


class Field(Expr, frozen=True):
    """A field of the event; `declared` is False for `f?` of an undeclared one."""

    name: str
    declared: bool = True


class Changed(Expr, frozen=True):
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


class SessionProperty(Expr, frozen=True):
    """`session.eventCount` and the like; `name` is a key of `epl.session_schema.PROPERTIES`."""

    scope: Scope
    name: str


class Attribute(Expr, frozen=True):
    """`session.int('views')`: null when absent or of another type. `type` is the getter's."""

    scope: Scope
    namespace: Namespace
    name: str


class AttributeContains(Expr, frozen=True):
    """`session.contains('items', x)` (with `item`) or `session.contains('n')`; `name` may be computed."""

    scope: Scope
    namespace: Namespace
    name: Expr
    item: Expr | None


class AttributeFilter(Expr, frozen=True):
    """`session.filter({'a','b'})`: a map of those present; `names` None: all."""

    scope: Scope
    namespace: Namespace
    names: Expr | None


class Now(Expr, frozen=True):
    """The engine's clock, epoch ms."""


class Arithmetic(Expr, frozen=True):
    """`+ - * / %` on numbers, operands converted to `type` where Java does."""

    operator: Choice["+", "-", "*", "/", "%"]
    left: Expr
    right: Expr


class Bitwise(Expr, frozen=True):
    """`& | ^` on two integers or two booleans."""

    operator: Choice["&", "|", "^"]
    left: Expr
    right: Expr


class Minus(Expr, frozen=True):
    """`-operand`."""

    operand: Expr


class Concat(Expr, frozen=True):
    """`||` over strings."""

    operands: tuple[Expr, ...]


class Not(Expr, frozen=True):
    """Three-valued `not`."""

    operand: Expr


class And(Expr, frozen=True):
    """Three-valued `and`."""

    operands: tuple[Expr, ...]


class Or(Expr, frozen=True):
    """Three-valued `or`."""

    operands: tuple[Expr, ...]


class Compare(Expr, frozen=True):
    """`= != < <= > >=`: null with null on either side. `by_kind`: an `object` is compared by type and value."""

    operator: Choice["=", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr
    by_kind: bool = False


class Is(Expr, frozen=True):
    """`is`, `is not`: never null."""

    left: Expr
    right: Expr
    negated: bool
    by_kind: bool = False


class Spread(Expr, frozen=True):
    """An array among the options of `in` or `any`: its elements stand for it."""

    array: Expr


class In(Expr, frozen=True):
    """`value in (…)`; negation is a `Not` around it."""

    value: Expr
    options: tuple[Expr, ...]
    by_kind: bool = False


class Quantified(Expr, frozen=True):
    """`left op any (…)` (`every` False) or `all` (`every` True)."""

    operator: Choice["=", "!=", "<", "<=", ">", ">="]
    every: bool
    left: Expr
    options: tuple[Expr, ...]
    by_kind: bool = False


class Range(Expr, frozen=True):
    """`between` and the ranges of `in`: never null (language.md §2)."""

    value: Expr
    low: Expr
    high: Expr
    low_included: bool
    high_included: bool
    negated: bool


class Match(Expr, frozen=True):
    """`like` (`escape` may be given) and `regexp`; negation is a `Not` around it."""

    operator: Choice["like", "regexp"]
    value: Expr
    pattern: Expr
    escape: str | None


class Subject(Expr, frozen=True):
    """In the conditions of `case x when …`: x, which is evaluated once. `number` tells it from those around it."""

    number: int


class Conditional(Expr, frozen=True):
    """`case`: the first branch whose condition is true, else `otherwise`. `subject`: what `Subject` stands for."""

    branches: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr
    subject: tuple[Subject, Expr] | None = None


class Coalesce(Expr, frozen=True):
    """The first operand that is not null."""

    operands: tuple[Expr, ...]


class Extreme(Expr, frozen=True):
    """`min` or `max` of two or more."""

    function: Choice["min", "max"]
    operands: tuple[Expr, ...]


class Convert(Expr, frozen=True):
    """A widening number, or `cast`; `function` is called on a value that is not null and may raise RuleError."""

    operand: Expr
    function: Callable[[Any], Any]
    can_fail: bool


class TypeOf(Expr, frozen=True):
    """`typeof(x)`: Java's short name. `static` is known unless the operand is an object."""

    operand: Expr
    static: str | None


class InstanceOf(Expr, frozen=True):
    """`instanceof(x, …)` of an object, whose type shows at run time only."""

    operand: Expr
    kinds: frozenset[Kind]


class ArrayOf(Expr, frozen=True):
    """`{a, b}`."""

    items: tuple[Expr, ...]


class ElementAt(Expr, frozen=True):
    """`array[i]`: null past either end."""

    array: Expr
    index: Expr


class MapValue(Expr, frozen=True):
    """`m('key')` and `m.key`."""

    map: Expr
    key: Expr


class Apply(Expr, frozen=True):
    """A call of a registry entry: receiver first, then the arguments. `pure`: the same arguments, the same answer."""

    name: str
    signature: Signature
    nulls: Nulls
    arguments: tuple[Expr, ...]
    pure: bool = True


# ---- statements


class Column(Struct, frozen=True):
    """A named column of a row."""

    name: str
    expr: Expr


class Effect(Struct, frozen=True):
    """What a rule does with its row. Each kind is made by one annotation."""


class WriteAttributes(Effect, frozen=True):
    """@UpdateState, @UpdateMetadata: every column is written, a null removes."""

    namespace: Namespace
    columns: tuple[Column, ...]


class AddToCounter(Effect, frozen=True):
    """@UpdateCounter, @AppendCounter: `amount` None adds one."""

    name: str
    amount: Expr | None


class AppendToList(Effect, frozen=True):
    """@AppendState; `maxlength` 0 means no limit."""

    name: str
    item: Expr
    unique: bool
    maxlength: int


class SetDuration(Effect, frozen=True):
    """@UpdateDuration: the session's gap from now on, ms."""

    duration_ms: Expr


class Decorate(Effect, frozen=True):
    """@DecorateEvent."""

    columns: tuple[Column, ...]


class RouteToProfile(Effect, frozen=True):
    """@Session: the profile and session key; `passive` by @Passive."""

    profile: str
    key: Expr
    timestamp_ms: Expr | None
    duration_ms: Expr | None
    passive: bool


class OpenSubSession(Effect, frozen=True):
    """@SubSession."""

    name: str
    key: Expr
    duration_ms: Expr | None


class CountDebug(Effect, frozen=True):
    """@DebugSession."""

    counter: str
    value: Expr | None
    audit: tuple[Column, ...] | None


class EndSession(Effect, frozen=True):
    """@EndSession."""


class SplitSession(Effect, frozen=True):
    """@SplitSession."""


class MarkBot(Effect, frozen=True):
    """@MarkBot: the number of the bot's type; 0 clears the mark."""

    bot_type: Expr


class Insert(Effect, frozen=True):
    """`insert into`: the row goes on as an event of another type; columns in the order of its schema."""

    type_name: str
    columns: tuple[Column, ...]


class Call(Effect, frozen=True):
    """Hands the row to a Python function. Registered annotations make it (`epl.extend.call`)."""

    function: Callable[[dict[str, Any]], object]
    columns: tuple[Column, ...]


class Report(Effect, frozen=True):
    """Hands the row to the driver: for explaining, and for tests. No annotation makes it."""

    columns: tuple[Column, ...]


class Rule(Struct, frozen=True):
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


class Update(Struct, frozen=True):
    """`update istream`: assignments see the event as it was before the statement."""

    number: int
    name: str
    span: Span
    event_type: str
    condition: Expr | None
    assignments: tuple[Column, ...]


class Program(Struct, frozen=True):
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
