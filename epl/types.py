"""Static types of the rule language (language.md §2 in the design): names, widening, common types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a value is. The order of the numeric kinds is the order of widening."""

    BYTE = "byte"
    SHORT = "short"
    INT = "int"
    LONG = "long"
    BIGINT = "bigint"
    FLOAT = "float"
    DOUBLE = "double"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    CHAR = "char"
    DATE = "date"
    MAP = "map"
    LIST = "list"
    ARRAY = "array"
    OBJECT = "object"
    NULL = "null"
    EVENT = "event"


_NUMERIC = (Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT, Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL)
_RANK = {kind: rank for rank, kind in enumerate(_NUMERIC)}
_FRACTIONAL = frozenset({Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL})


@dataclass(frozen=True, slots=True)
class Type:
    """A static type; `element` is given for arrays, and for lists whose elements are known."""

    kind: Kind
    element: Type | None = None

    @property
    def is_numeric(self) -> bool:
        """byte to decimal."""
        return self.kind in _RANK

    @property
    def is_integral(self) -> bool:
        """Numbers without a fraction."""
        return self.kind in _RANK and self.kind not in _FRACTIONAL

    @property
    def is_fractional(self) -> bool:
        """float, double and decimal."""
        return self.kind in _FRACTIONAL

    @property
    def is_sequence(self) -> bool:
        """Arrays and lists."""
        return self.kind in (Kind.ARRAY, Kind.LIST)

    @property
    def rank(self) -> int:
        """Place in the order of widening; numeric types only."""
        return _RANK[self.kind]

    def __str__(self) -> str:
        if self.kind is Kind.ARRAY and self.element is not None:
            return f"{self.element}[]"
        return self.kind.value


BYTE = Type(Kind.BYTE)
SHORT = Type(Kind.SHORT)
INT = Type(Kind.INT)
LONG = Type(Kind.LONG)
BIGINT = Type(Kind.BIGINT)
FLOAT = Type(Kind.FLOAT)
DOUBLE = Type(Kind.DOUBLE)
DECIMAL = Type(Kind.DECIMAL)
STRING = Type(Kind.STRING)
BOOLEAN = Type(Kind.BOOLEAN)
CHAR = Type(Kind.CHAR)
DATE = Type(Kind.DATE)
MAP = Type(Kind.MAP)
LIST = Type(Kind.LIST)
OBJECT = Type(Kind.OBJECT)
NULL = Type(Kind.NULL)
EVENT = Type(Kind.EVENT)


def array_of(element: Type) -> Type:
    """The type of an array of `element`."""
    return Type(Kind.ARRAY, element)


def list_of(element: Type | None) -> Type:
    """The type of a list whose elements are of one known type, or of mixed types for None."""
    return Type(Kind.LIST, element)


_NAMES: dict[str, Type] = {
    **{t.kind.value: t for t in (BYTE, SHORT, INT, LONG, BIGINT, FLOAT, DOUBLE, DECIMAL, STRING, BOOLEAN, CHAR, DATE)},
    "map": MAP,
    "list": LIST,
    "object": OBJECT,
    "integer": INT,
    "bool": BOOLEAN,
    "character": CHAR,
    "biginteger": BIGINT,
    "bigdecimal": DECIMAL,
}
_JAVA_NAMES: dict[str, Type] = {
    "java.lang.Byte": BYTE,
    "java.lang.Short": SHORT,
    "java.lang.Integer": INT,
    "java.lang.Long": LONG,
    "java.lang.Float": FLOAT,
    "java.lang.Double": DOUBLE,
    "java.lang.String": STRING,
    "java.lang.Boolean": BOOLEAN,
    "java.lang.Character": CHAR,
    "java.lang.Object": OBJECT,
    "java.math.BigInteger": BIGINT,
    "java.math.BigDecimal": DECIMAL,
    "java.util.Date": DATE,
    "java.util.Map": MAP,
    "java.util.List": LIST,
}
_SHORT_JAVA_NAMES = {name.rsplit(".", 1)[1]: type_ for name, type_ in _JAVA_NAMES.items()}

TYPE_NAMES: tuple[str, ...] = tuple(t.kind.value for t in dict.fromkeys(_NAMES.values()))
"""The canonical names, for hints and the reference pages."""

JAVA_SHORT_NAMES: dict[Kind, str] = {type_.kind: name for name, type_ in _SHORT_JAVA_NAMES.items()}
"""What `typeof` answers, by kind."""


def java_name(type_: Type) -> str | None:
    """What `typeof` answers for a value of a static type, or None where the value itself must tell."""
    if type_.kind is not Kind.ARRAY:
        return JAVA_SHORT_NAMES.get(type_.kind)
    element = None if type_.element is None else java_name(type_.element)
    return None if element is None else f"{element}[]"


def parse_type(name: str) -> Type | None:
    """The type of a name such as `long`, `string[]` or `java.lang.Integer`, or None when there is none."""
    if name.endswith("[]"):
        element = parse_type(name[:-2].rstrip())
        return None if element is None else array_of(element)
    return _NAMES.get(name.lower()) or _JAVA_NAMES.get(name) or _SHORT_JAVA_NAMES.get(name)


def wider(left: Type, right: Type) -> Type:
    """The wider of two numeric types, as Java promotes them: never narrower than int."""
    widest = left if left.rank >= right.rank else right
    return widest if widest.rank >= INT.rank else INT


def common(left: Type, right: Type) -> Type | None:
    """The type that holds both, or None: numbers widen, null fits anything, otherwise the types must agree."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if left.is_numeric and right.is_numeric:
        return left if left.rank >= right.rank else right
    if left.kind is right.kind and left.is_sequence:
        return Type(left.kind, None)
    return None


def assignable(target: Type, value: Type) -> bool:
    """True when a value of a type may be stored as `target`: the same, null, a narrower number, or into object."""
    if value == NULL or target in (OBJECT, value):
        return True
    if target.is_numeric and value.is_numeric:
        return value.rank <= target.rank
    if target.kind is Kind.LIST:
        return value.is_sequence
    if target.kind is Kind.ARRAY and value.kind is Kind.ARRAY:
        return value.element is None
    return False
