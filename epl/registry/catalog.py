"""Everything that a rule can call, found by name: what the checker, the editor and the reference pages ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from epl.registry.collections import MAPS, SEQUENCES
from epl.registry.functions import FUNCTIONS
from epl.registry.model import Entry, Form, ParamType, Pattern, Signature
from epl.registry.numbers import BOOLEANS, DATES, NUMBER_OWNER, NUMBERS
from epl.registry.statics import CLASS_PACKAGES, CLASSES, EPL_UTILS, MATH
from epl.registry.strings import STRINGS
from epl.types import NULL, Kind, Type, assignable

ENTRIES: tuple[Entry, ...] = (
    *FUNCTIONS,
    *STRINGS,
    *SEQUENCES,
    *MAPS,
    *NUMBERS,
    *BOOLEANS,
    *DATES,
    *MATH,
    *CLASSES,
    *EPL_UTILS,
)
"""The entries that come with the language."""

_Key = tuple[Form, str, str]
_FULL_NAMES = {f"{package}.{name}": name for name, package in CLASS_PACKAGES.items()}


@dataclass(frozen=True, slots=True)
class Catalog:
    """Entries by name. Raises ValueError when two entries have one name and owner."""

    entries: tuple[Entry, ...]
    _index: dict[_Key, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[_Key, Entry] = {}
        for entry in self.entries:
            if index.setdefault(_key(entry), entry) is not entry:
                raise ValueError(f"`{entry.title}` is defined twice")
        object.__setattr__(self, "_index", index)

    def extended(self, more: Iterable[Entry]) -> Catalog:
        """A catalog with further entries. Raises ValueError when one of them has a name that is taken."""
        return Catalog((*self.entries, *more))

    def function(self, name: str) -> Entry | None:
        """The plain function of a name."""
        return self._index.get((Form.FUNCTION, "", name))

    def method(self, receiver: Type, name: str) -> Entry | None:
        """The method that a value of a type has: its own, or the one that its kind of type shares."""
        for owner in _owners(receiver):
            if entry := self._index.get((Form.METHOD, owner, name)):
                return entry
        return None

    def static(self, owner: str, name: str) -> Entry | None:
        """The static function of a class, which is named in short or in full: `Math` or `java.lang.Math`."""
        return self._index.get((Form.STATIC, _short(owner), name))

    def is_static_owner(self, name: str) -> bool:
        """True for the name of a class that has static functions, short or full."""
        return any(form is Form.STATIC and owner == _short(name) for form, owner, _ in self._index)

    def function_names(self) -> list[str]:
        """All plain functions, sorted."""
        return self._names(Form.FUNCTION, ("",))

    def method_names(self, receiver: Type) -> list[str]:
        """All methods of a type, sorted."""
        return self._names(Form.METHOD, _owners(receiver))

    def static_names(self, owner: str) -> list[str]:
        """All static functions of a class, sorted."""
        return self._names(Form.STATIC, (_short(owner),))

    def _names(self, form: Form, owners: tuple[str, ...]) -> list[str]:
        return sorted({name for form_, owner, name in self._index if form_ is form and owner in owners})


def _key(entry: Entry) -> _Key:
    owner = entry.owner
    return entry.form, owner.kind.value if isinstance(owner, Type) else owner or "", entry.name


def _owners(receiver: Type) -> tuple[str, ...]:
    own = receiver.kind.value
    if receiver.is_numeric:
        return own, NUMBER_OWNER
    if receiver.is_sequence:
        return own, Kind.LIST.value
    return (own, Kind.STRING.value) if receiver.kind is Kind.CHAR else (own,)


def _short(owner: str) -> str:
    return _FULL_NAMES.get(owner, owner)


CATALOG = Catalog(ENTRIES)
"""What every rule can call; a profile's imports make a larger one with `extended`."""


def select(entry: Entry, argument_types: Sequence[Type]) -> Signature | None:
    """The signature that a call uses: the one of exactly these types, or else the first that they fit.

    `argument_types` are those of the written arguments, without a method's receiver. A number fits a wider one, a char
    a string, null everything, and an `object` only parameters of any type.
    """
    fitting = None
    for signature in entry.signatures:
        expected = _expected(signature, len(argument_types))
        if expected is None:
            continue
        if all(want == have for want, have in zip(expected, argument_types, strict=True)):
            return signature
        if fitting is None and all(map(_fits, expected, argument_types)):
            fitting = signature
    return fitting


def _expected(signature: Signature, count: int) -> list[ParamType] | None:
    """The parameter of each of `count` arguments; the last one of a variadic signature stands for all that follow."""
    types = [param.type for param in signature.params]
    if signature.variadic and types and count > len(types):
        types += [types[-1]] * (count - len(types))
    return types if len(types) == count else None


def _fits(want: ParamType, have: Type) -> bool:
    if have == NULL:
        return True
    match want:
        case Pattern.VALUE:
            return True
        case Pattern.NUMBER:
            return have.is_numeric
        case Pattern.INTEGRAL:
            return have.is_integral
        case Type(kind=Kind.STRING) if have.kind is Kind.CHAR:
            return True
        case Type(kind=Kind.FLOAT | Kind.DOUBLE) if have.kind is Kind.BIGINT:
            return False  # Java does not widen a BigInteger
        case Type():
            return assignable(want, have)
