"""Lines to events: one generated Struct an event type, with the fields that rules read and no others.

Decoding what no rule reads would double the cost of an event (architecture.md, decision 2); the line itself is kept
as bytes and goes out as it came, with decorations spliced in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from epl.java.values import from_epoch_ms, utc
from epl.layout import slot_name
from epl.types import Kind, Type

_Bound = msgspec.Meta
_SCALARS: Mapping[Kind, Any] = {
    Kind.BYTE: Annotated[int, _Bound(ge=-(2**7), le=2**7 - 1)],
    Kind.SHORT: Annotated[int, _Bound(ge=-(2**15), le=2**15 - 1)],
    Kind.INT: Annotated[int, _Bound(ge=-(2**31), le=2**31 - 1)],
    Kind.LONG: Annotated[int, _Bound(ge=-(2**63), le=2**63 - 1)],
    Kind.BIGINT: int,
    Kind.FLOAT: float,
    Kind.DOUBLE: float,
    Kind.DECIMAL: Decimal,
    Kind.STRING: str,
    Kind.CHAR: Annotated[str, _Bound(max_length=1)],
    Kind.BOOLEAN: bool,
    # Years 1 to 9999, in ms.
    Kind.DATE: datetime | Annotated[int, _Bound(ge=-62_135_596_800_000, le=253_402_300_799_999)],
    Kind.MAP: dict[str, Any],
    Kind.LIST: list[Any],
}


class NoEvent(msgspec.MsgspecError):
    """What there is in place of a line gives no event."""


BAD_LINE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)
"""What a line may raise: bad JSON or a bad type, bad UTF-8, nesting too deep, a date that its zone takes too far."""


def annotation(type_: Type) -> Any:
    """The Python type that msgspec decodes a field of this type into; absent and null are None."""
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return list[annotation(type_.element)] | None  # type: ignore[misc]
    return _SCALARS.get(type_.kind, Any) | None if type_.kind in _SCALARS else Any


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no event: `line` counts from 1 in its source; `code` is `bad_json` or `bad_type`."""

    line: int
    code: str
    reason: str
    raw: bytes


class EventDecoder:
    """Decodes lines of NDJSON into events of the declared types, one after the other.

    One at a time beats `decode_lines` over a block: the event is still in the processor's cache when its rules run
    (Job P: 0.4 µs an event less). `fields` gives for each type the fields to decode. An event names its type in
    `type_field`; where only one type is declared, it may leave that out.
    """

    def __init__(self, fields: Mapping[str, Mapping[str, Type]], type_field: str) -> None:
        self.fields = fields
        self.type_field = type_field
        self.classes: dict[str, type[Any]] = {
            name: _struct(name, wanted, type_field) for name, wanted in fields.items()
        }
        classes = tuple(self.classes.values())
        union: Any = classes[0] if classes else dict[str, Any]
        for other in classes[1:]:
            union = union | other
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(union).decode
        self._decode_any = msgspec.json.Decoder(dict[str, Any]).decode
        self._dates = {
            self.classes[name]: tuple(slot_name(field) for field, type_ in wanted.items() if type_.kind is Kind.DATE)
            for name, wanted in fields.items()
            if any(type_.kind is Kind.DATE for type_ in wanted.values())
        }
        self.decode: Callable[[bytes], Any] = self._decode_dated if self._dates else self._decode
        """The event of a line. Raises one of BAD_LINE; `explain` says what that means."""

    def explain(self, line: bytes, error: Exception, number: int) -> Refused | None:
        """Why a line did not decode; None when it is an event of an undeclared type, or blank."""
        if not line.strip() or self._is_of_unknown_type(line):
            return None
        is_json = isinstance(error, msgspec.ValidationError | OverflowError)
        return Refused(number, "bad_type" if is_json else "bad_json", str(error), line)

    def _is_of_unknown_type(self, line: bytes) -> bool:
        try:
            name = self._decode_any(line).get(self.type_field)
        except BAD_LINE:
            return False
        return isinstance(name, str) and name not in self.classes

    def _decode_dated(self, line: bytes) -> Any:
        """Dates are datetimes in UTC, also those given as epoch ms or without a zone."""
        event = self._decode(line)
        for slot in self._dates.get(type(event), ()):
            value = getattr(event, slot)
            if value is not None:
                setattr(event, slot, date_of(value))
        return event


def date_of(value: datetime | int) -> datetime:
    """What a field of type date holds for what its JSON decodes to. Raises OverflowError."""
    return from_epoch_ms(value) if isinstance(value, int) else utc(value)


def fits(value: Any, type_: Type) -> bool:
    """True when a value that did not come from a decoder, such as a decoration, may stand in a field."""
    match type_.kind:
        case Kind.STRING | Kind.CHAR:
            return isinstance(value, str)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.DATE:
            return isinstance(value, datetime)
        case Kind.MAP:
            return isinstance(value, dict)
        case Kind.LIST | Kind.ARRAY:
            return isinstance(value, list)
        case Kind.FLOAT | Kind.DOUBLE | Kind.DECIMAL:
            return isinstance(value, float | int) and not isinstance(value, bool)
        case Kind.OBJECT:
            return True
        case _:
            return isinstance(value, int) and not isinstance(value, bool)


def _struct(name: str, wanted: Mapping[str, Type], type_field: str) -> type[Any]:
    fields = [(slot_name(field), annotation(type_), None) for field, type_ in wanted.items() if field != type_field]
    renamed = {slot_name(field): field for field in wanted if slot_name(field) != field}
    # The tag is the type's name in JSON; rules that read the type field as a field get it as a constant.
    constants = {slot_name(type_field): name} if type_field in wanted else {}
    return msgspec.defstruct(
        f"Event_{slot_name(name)}",
        fields,
        tag=name,
        tag_field=type_field,
        rename=renamed or None,
        namespace=constants,
        gc=False,
    )
