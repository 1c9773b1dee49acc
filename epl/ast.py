"""The syntax tree. Nodes are frozen and slotted; the place of a node takes no part in equality, so trees compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar
from typing import Literal as Choice

from msgspec import Struct

from epl.source import Span
from epl.structs import annotations_of

NumberKind = Choice["int", "long", "float", "double"]


class Node(Struct, frozen=True, eq=False, kw_only=True):
    """Anything with a place in the source."""

    span: Span

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), self._content()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _parts(type(self))[0])
        return f"{type(self).__name__}({shown})"

    def _content(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in _parts(type(self))[0]])


_N = TypeVar("_N", bound=Node)


# ---- expressions


class Expression(Node, frozen=True, eq=False):
    """A value, or a name that stands for one."""


class NumberLiteral(Expression, frozen=True, eq=False):
    """`7`, `10L`, `2.5`, `1.5f`."""

    value: int | float
    kind: NumberKind


class StringLiteral(Expression, frozen=True, eq=False):
    """A string, its escapes resolved."""

    value: str


class BooleanLiteral(Expression, frozen=True, eq=False):
    """`true` or `false`."""

    value: bool


class NullLiteral(Expression, frozen=True, eq=False):
    """`null`."""


class Reference(Expression, frozen=True, eq=False):
    """A name: a field, an alias, a session variable, a declared expression or a class."""

    name: str


class Member(Expression, frozen=True, eq=False):
    """`target.name`."""

    target: Expression
    name: str


class Index(Expression, frozen=True, eq=False):
    """`target[index]`."""

    target: Expression
    index: Expression


class Dynamic(Expression, frozen=True, eq=False):
    """`target?`: a property that needs no declaration."""

    target: Expression


class Star(Expression, frozen=True, eq=False):
    """`*` as an argument, as in `count(*)`."""


class Call(Expression, frozen=True, eq=False):
    """`name(…)`: a function, a declared expression, or a map read by key."""

    name: str
    arguments: tuple[Expression, ...]


class MethodCall(Expression, frozen=True, eq=False):
    """`target.name(…)`."""

    target: Expression
    name: str
    arguments: tuple[Expression, ...]


class Negate(Expression, frozen=True, eq=False):
    """`not operand`."""

    operand: Expression


class Minus(Expression, frozen=True, eq=False):
    """`-operand`."""

    operand: Expression


class Plus(Expression, frozen=True, eq=False):
    """`+operand`."""

    operand: Expression


class Binary(Expression, frozen=True, eq=False):
    """An operator with two sides: arithmetic, `& | ^`, comparison, `is`, `is not`."""

    operator: str
    left: Expression
    right: Expression


class Chain(Expression, frozen=True, eq=False):
    """`and`, `or` or `||` over two or more operands."""

    operator: Choice["and", "or", "||"]
    operands: tuple[Expression, ...]


class Quantified(Expression, frozen=True, eq=False):
    """`left operator any|some|all (…)`."""

    operator: str
    quantifier: Choice["any", "some", "all"]
    left: Expression
    options: tuple[Expression, ...]


class Contained(Expression, frozen=True, eq=False):
    """`value [not] in (…)`."""

    value: Expression
    options: tuple[Expression, ...]
    negated: bool


class InRange(Expression, frozen=True, eq=False):
    """`value [not] in [low:high]` with either end open or closed."""

    value: Expression
    low: Expression
    high: Expression
    low_included: bool
    high_included: bool
    negated: bool


class Between(Expression, frozen=True, eq=False):
    """`value [not] between low and high`."""

    value: Expression
    low: Expression
    high: Expression
    negated: bool


class Like(Expression, frozen=True, eq=False):
    """`value [not] like pattern [escape c]`."""

    value: Expression
    pattern: Expression
    escape: str | None
    negated: bool


class Regexp(Expression, frozen=True, eq=False):
    """`value [not] regexp pattern`."""

    value: Expression
    pattern: Expression
    negated: bool


class Branch(Node, frozen=True, eq=False):
    """`when condition then result` of a case."""

    condition: Expression
    result: Expression


class Case(Expression, frozen=True, eq=False):
    """`case [subject] when … then … [else …] end`."""

    subject: Expression | None
    branches: tuple[Branch, ...]
    otherwise: Expression | None


class TypeName(Node, frozen=True, eq=False):
    """The name of a type as written: `int`, `string[]`, `java.lang.Long`."""

    name: str


class Cast(Expression, frozen=True, eq=False):
    """`cast(value, type)`."""

    value: Expression
    type: TypeName


class InstanceOf(Expression, frozen=True, eq=False):
    """`instanceof(value, type, …)`."""

    value: Expression
    types: tuple[TypeName, ...]


class ArrayLiteral(Expression, frozen=True, eq=False):
    """`{1, 2, 3}`."""

    items: tuple[Expression, ...]


# ---- annotations

AnnotationValue = bool | int | float | str | None | tuple["AnnotationValue", ...]


class AnnotationArgument(Node, frozen=True, eq=False):
    """One argument of an annotation; `name` is None for the bare form `@Session("Profile")`."""

    name: str | None
    value: AnnotationValue


class Annotation(Node, frozen=True, eq=False):
    """`@Name(…)`."""

    name: str
    arguments: tuple[AnnotationArgument, ...]


# ---- statements


class Name(Node, frozen=True, eq=False):
    """A name that a statement introduces or refers to, with its place."""

    text: str


class Statement(Node, frozen=True, eq=False):
    """One statement with its annotations."""

    annotations: tuple[Annotation, ...]


class Column(Node, frozen=True, eq=False):
    """`expression [as name]`."""

    expression: Expression
    name: Name | None


class Wildcard(Node, frozen=True, eq=False):
    """`*` or `alias.*`."""

    alias: Name | None


class Stream(Node, frozen=True, eq=False):
    """`TYPE(filter, …) as alias`."""

    type_name: Name
    filters: tuple[Expression, ...]
    alias: Name | None


class InsertInto(Node, frozen=True, eq=False):
    """`insert into TYPE (column, …)`; `columns` is None when not given."""

    type_name: Name
    columns: tuple[Name, ...] | None


class Select(Statement, frozen=True, eq=False):
    """`[insert into …] select … from … [where …]`."""

    insert_into: InsertInto | None
    columns: tuple[Column | Wildcard, ...]
    stream: Stream
    where: Expression | None


class Assignment(Node, frozen=True, eq=False):
    """`name = expression` of an update."""

    name: Name
    expression: Expression


class Update(Statement, frozen=True, eq=False):
    """`update istream TYPE [as alias] set … [where …]`."""

    type_name: Name
    alias: Name | None
    assignments: tuple[Assignment, ...]
    where: Expression | None


class FieldDeclaration(Node, frozen=True, eq=False):
    """`name type` of a schema."""

    name: Name
    type: TypeName


class CreateSchema(Statement, frozen=True, eq=False):
    """`create schema NAME (field type, …)`."""

    name: Name
    fields: tuple[FieldDeclaration, ...]


class CreateVariable(Statement, frozen=True, eq=False):
    """`create [constant] variable TYPE NAME [= value]`."""

    constant: bool
    type: TypeName
    name: Name
    value: Expression | None


class CreateExpression(Statement, frozen=True, eq=False):
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
        declared = {name: type_ for name, type_ in annotations_of(kind).items() if name != "span"}
        holding = [name for name, type_ in declared.items() if not _PLAIN.fullmatch(type_)]
        _part_names[kind] = (tuple(declared), tuple(holding))
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
