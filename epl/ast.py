"""The syntax tree. Nodes are frozen and slotted; the place of a node takes no part in equality, so trees compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from typing import Literal as Choice

from epl.source import Span

NumberKind = Choice["int", "long", "float", "double"]


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in the source."""

    span: Span = field(compare=False, repr=False, kw_only=True)


_N = TypeVar("_N", bound=Node)


# ---- expressions


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """A value, or a name that stands for one."""


@dataclass(frozen=True, slots=True)
class NumberLiteral(Expression):
    """`7`, `10L`, `2.5`, `1.5f`."""

    value: int | float
    kind: NumberKind


@dataclass(frozen=True, slots=True)
class StringLiteral(Expression):
    """A string, its escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class BooleanLiteral(Expression):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class NullLiteral(Expression):
    """`null`."""


@dataclass(frozen=True, slots=True)
class Reference(Expression):
    """A name: a field, an alias, a session variable, a declared expression or a class."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """`target.name`."""

    target: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """`target[index]`."""

    target: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Dynamic(Expression):
    """`target?`: a property that needs no declaration."""

    target: Expression


@dataclass(frozen=True, slots=True)
class Star(Expression):
    """`*` as an argument, as in `count(*)`."""


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """`name(…)`: a function, a declared expression, or a map read by key."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MethodCall(Expression):
    """`target.name(…)`."""

    target: Expression
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negate(Expression):
    """`not operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Minus(Expression):
    """`-operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Plus(Expression):
    """`+operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """An operator with two sides: arithmetic, `& | ^`, comparison, `is`, `is not`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Chain(Expression):
    """`and`, `or` or `||` over two or more operands."""

    operator: Choice["and", "or", "||"]
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Quantified(Expression):
    """`left operator any|some|all (…)`."""

    operator: str
    quantifier: Choice["any", "some", "all"]
    left: Expression
    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Contained(Expression):
    """`value [not] in (…)`."""

    value: Expression
    options: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class InRange(Expression):
    """`value [not] in [low:high]` with either end open or closed."""

    value: Expression
    low: Expression
    high: Expression
    low_included: bool
    high_included: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Between(Expression):
    """`value [not] between low and high`."""

    value: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Like(Expression):
    """`value [not] like pattern [escape c]`."""

    value: Expression
    pattern: Expression
    escape: str | None
    negated: bool


@dataclass(frozen=True, slots=True)
class Regexp(Expression):
    """`value [not] regexp pattern`."""

    value: Expression
    pattern: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """`when condition then result` of a case."""

    condition: Expression
    result: Expression


@dataclass(frozen=True, slots=True)
class Case(Expression):
    """`case [subject] when … then … [else …] end`."""

    subject: Expression | None
    branches: tuple[Branch, ...]
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """The name of a type as written: `int`, `string[]`, `java.lang.Long`."""

    name: str


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """`cast(value, type)`."""

    value: Expression
    type: TypeName


@dataclass(frozen=True, slots=True)
class InstanceOf(Expression):
    """`instanceof(value, type, …)`."""

    value: Expression
    types: tuple[TypeName, ...]


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Expression):
    """`{1, 2, 3}`."""

    items: tuple[Expression, ...]


# ---- annotations

AnnotationValue = bool | int | float | str | None | tuple["AnnotationValue", ...]


@dataclass(frozen=True, slots=True)
class AnnotationArgument(Node):
    """One argument of an annotation; `name` is None for the bare form `@Session("Profile")`."""

    name: str | None
    value: AnnotationValue


@dataclass(frozen=True, slots=True)
class Annotation(Node):
    """`@Name(…)`."""

    name: str
    arguments: tuple[AnnotationArgument, ...]


# ---- statements


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name that a statement introduces or refers to, with its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """One statement with its annotations."""

    annotations: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class Column(Node):
    """`expression [as name]`."""

    expression: Expression
    name: Name | None


@dataclass(frozen=True, slots=True)
class Wildcard(Node):
    """`*` or `alias.*`."""

    alias: Name | None


@dataclass(frozen=True, slots=True)
class Stream(Node):
    """`TYPE(filter, …) as alias`."""

    type_name: Name
    filters: tuple[Expression, ...]
    alias: Name | None


@dataclass(frozen=True, slots=True)
class InsertInto(Node):
    """`insert into TYPE (column, …)`; `columns` is None when not given."""

    type_name: Name
    columns: tuple[Name, ...] | None


@dataclass(frozen=True, slots=True)
class Select(Statement):
    """`[insert into …] select … from … [where …]`."""

    insert_into: InsertInto | None
    columns: tuple[Column | Wildcard, ...]
    stream: Stream
    where: Expression | None


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`name = expression` of an update."""

    name: Name
    expression: Expression


@dataclass(frozen=True, slots=True)
class Update(Statement):
    """`update istream TYPE [as alias] set … [where …]`."""

    type_name: Name
    alias: Name | None
    assignments: tuple[Assignment, ...]
    where: Expression | None


@dataclass(frozen=True, slots=True)
class FieldDeclaration(Node):
    """`name type` of a schema."""

    name: Name
    type: TypeName


@dataclass(frozen=True, slots=True)
class CreateSchema(Statement):
    """`create schema NAME (field type, …)`."""

    name: Name
    fields: tuple[FieldDeclaration, ...]


@dataclass(frozen=True, slots=True)
class CreateVariable(Statement):
    """`create [constant] variable TYPE NAME [= value]`."""

    constant: bool
    type: TypeName
    name: Name
    value: Expression | None


@dataclass(frozen=True, slots=True)
class CreateExpression(Statement):
    """`create expression NAME { x => … }`; `alias` marks the form `NAME alias for { … }`, which has no parameters."""

    name: Name
    parameters: tuple[Name, ...]
    body: Expression
    alias: bool


# ---- walking


_PLAIN = re.compile(r"(?:str|bool|int|float|None|NumberKind|AnnotationValue|Choice\[.*\]|[ |])+")
_part_names: dict[type, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _parts(kind: type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of a kind of node beside its place; and those of them that may hold nodes, by their declared types."""
    if kind not in _part_names:
        parts = [part for part in fields(kind) if part.name != "span"]
        holding = [part.name for part in parts if not _PLAIN.fullmatch(str(part.type))]
        _part_names[kind] = (tuple(part.name for part in parts), tuple(holding))
    return _part_names[kind]


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of its fields."""
    for name in _parts(type(node))[1]:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, without recursion."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(children(current))


def moved(node: _N, by: int) -> _N:
    """The same tree with every place moved by a number of characters."""
    changes: dict[str, Any] = {"span": Span(node.span.start + by, node.span.end + by)}
    for name in _parts(type(node))[0]:
        value = getattr(node, name)
        if isinstance(value, Node):
            value = moved(value, by)
        elif isinstance(value, tuple):
            value = tuple(moved(item, by) if isinstance(item, Node) else item for item in value)
        changes[name] = value
    return type(node)(**changes)


def depth(node: Node) -> int:
    """The number of levels from the node downwards, 1 for a node without children."""
    levels = 0
    level = [node]
    while level:
        levels += 1
        level = [child for parent in level for child in children(parent)]
    return levels
