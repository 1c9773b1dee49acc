"""Columns of Arrow as Python values: what their JSON would hold, made a column at a time.

JSON is the measure, so that an event is the same from either: times are epoch ms where the field is declared as a
number, else text of ISO 8601, NaN is null, bytes are base64 where they are not declared as text. Most columns need no
more than that; one of another type than its field goes through JSON indeed, all of it at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from epl.java.arithmetic import RANGES
from epl.types import Kind, Type
from runtime.event import BAD_LINE, annotation, date_of

_NULL = np.array([None], dtype=object)
_NONE: frozenset[int] = frozenset()
_TEXT = frozenset({Kind.STRING, Kind.OBJECT})
_FRACTIONS = frozenset({Kind.FLOAT, Kind.DOUBLE, Kind.OBJECT})
_BOOLEANS = frozenset({Kind.BOOLEAN, Kind.OBJECT})
_INTEGERS = frozenset({Kind.BIGINT, Kind.OBJECT})
_PER_MS = {"ms": 1, "us": 1000, "ns": 1_000_000}

encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
"""JSON of values from Arrow. Decimals keep their digits; what JSON has nothing for becomes text."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values as their JSON would have them. Those at `unreadable` are stand-ins for what no JSON can hold.

    Fields of `kinds` hold just these values, and so do those of integers within `low` and `high`.
    """

    values: list[Any]
    kinds: frozenset[Kind] = frozenset()
    unreadable: frozenset[int] = _NONE
    low: int = 1
    high: int = 0

    def is_exact(self, type_: Type) -> bool:
        """True when a field of a type holds the values as they are."""
        if type_.kind in self.kinds:
            return True
        bounds = RANGES.get(type_.kind)
        return bounds is not None and bounds[0] <= self.low <= self.high <= bounds[1]


class ColumnReader:
    """Reads the arrays of one column, in whose field the declared type, if any, says how times and bytes are meant."""

    def __init__(self, declared: Type | None) -> None:
        self._wants_ms = declared is not None and declared.is_integral
        self._wants_text = declared is not None and declared.kind in (Kind.STRING, Kind.CHAR)
        self._dictionary: Any = None
        self._texts: Any = None

    def read(self, array: Any) -> Column:
        """The values of an array of Arrow."""
        type_ = array.type
        if pa.types.is_dictionary(type_):
            if not _is_text(type_.value_type):
                return self.read(array.dictionary_decode())
            return self._shared(array)
        if _is_text(type_) or (self._wants_text and _is_bytes(type_)):
            return _text(array)
        if pa.types.is_integer(type_):
            return _integers(array)
        if pa.types.is_floating(type_):
            return Column(_fractions(array), _FRACTIONS)
        if pa.types.is_boolean(type_):
            return Column(array.to_pylist(), _BOOLEANS)
        if pa.types.is_timestamp(type_):
            return _epoch_ms(array) if self._wants_ms else _others(array.cast(pa.timestamp("us", type_.tz), safe=False))
        if pa.types.is_date(type_) and self._wants_ms:
            return _epoch_ms(array.cast(pa.timestamp("ms")))
        return _others(array)

    def _shared(self, array: Any) -> Column:
        """Text by dictionary: each is made once and shared, so that its hash, too, is computed once."""
        dictionary = array.dictionary
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            try:
                texts = dictionary.to_numpy(zero_copy_only=False)
            except (pa.ArrowException, UnicodeDecodeError):
                return _text(array.dictionary_decode())
            self._dictionary, self._texts = dictionary, np.append(texts, _NULL)
        return Column(self._texts[_numbers(array.indices, len(self._texts) - 1)].tolist(), _TEXT)


def decoded(values: list[Any], type_: Type) -> tuple[list[Any], frozenset[int]]:
    """What a field of a type holds for values in JSON, and the places of those that it does not take."""
    decode = msgspec.json.Decoder(list[annotation(type_)]).decode  # type: ignore[misc]
    dates = type_.kind is Kind.DATE

    def all_of(some: list[Any]) -> list[Any]:
        found = decode(encode(some))
        return [None if each is None else date_of(each) for each in found] if dates else found

    try:
        return all_of(values), _NONE
    except BAD_LINE:
        return _one_by_one(values, lambda value: all_of([value])[0], BAD_LINE)


def _one_by_one(
    values: Any, convert: Callable[[Any], Any], errors: tuple[type[Exception], ...]
) -> tuple[list[Any], frozenset[int]]:
    found: list[Any] = []
    bad: list[int] = []
    for place, value in enumerate(values):
        try:
            found.append(convert(value))
        except errors:
            found.append(None)
            bad.append(place)
    return found, frozenset(bad)


_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def _is_text(type_: Any) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _is_bytes(type_: Any) -> bool:
    return any(test(type_) for test in _BYTES)


def _text(array: Any) -> Column:
    try:
        return Column((array if _is_text(array.type) else array.cast(pa.large_string())).to_pylist(), _TEXT)
    except (pa.ArrowException, UnicodeDecodeError):
        raw = array.cast(pa.large_binary()).to_pylist()
        _, bad = _one_by_one(raw, lambda value: value and value.decode(), (UnicodeDecodeError,))
        return Column([None if each is None else each.decode(errors="replace") for each in raw], _TEXT, bad)


def _integers(array: Any) -> Column:
    if array.null_count:
        values = array.to_pylist()
        known = [each for each in values if each is not None]
        return Column(values, _INTEGERS, low=min(known, default=0), high=max(known, default=0))
    numbers = array.to_numpy()
    return Column(numbers.tolist(), _INTEGERS, low=int(numbers.min(initial=0)), high=int(numbers.max(initial=0)))


def _numbers(array: Any, for_null: int) -> Any:
    """The integers of an array, with another in place of null.

    Arrow has a function for it, but it loads all of them, which takes as long as 100,000 events.
    """
    numbers = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())[array.offset : array.offset + len(array)]
    if not array.null_count:
        return numbers
    known = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return np.where(known[array.offset : array.offset + len(array)], numbers, for_null)


def _fractions(array: Any) -> list[float | None]:
    if not array.null_count:
        numbers = array.to_numpy()
        if np.isfinite(numbers).all():
            found: list[float | None] = numbers.tolist()
            return found
    return [None if each is None or not math.isfinite(each) else each for each in array.to_pylist()]


def _epoch_ms(array: Any) -> Column:
    """Times as ms since 1970, rounded down before it as after it."""
    ticks = array.view(pa.int64())
    per_ms = _PER_MS[array.type.unit]  # Parquet has no unit above ms
    if not ticks.null_count:
        return _integers(pa.array(ticks.to_numpy() // per_ms))
    return _integers(pa.array([None if each is None else each // per_ms for each in ticks.to_pylist()], pa.int64()))


def _others(array: Any) -> Column:
    """Whatever else there is: it goes through JSON where a field is decoded from it."""
    try:
        return Column(array.to_pylist(maps_as_pydicts="lossy"))
    except (OverflowError, ValueError):
        # A time beyond the years of Python, or text within lists that is none.
        values, bad = _one_by_one(array, methodcaller("as_py", maps_as_pydicts="lossy"), (OverflowError, ValueError))
        return Column(values, unreadable=bad)


Columns = Mapping[str, Column]
"""By the name of the field."""
