"""Values that msgpack does not take as they are: decimals, numbers beyond 64 bits, half a surrogate pair, deep nesting.

Decimals become an extension of msgpack. What else is strange is rare, and its entry is written as one flat list of
tokens, so that nothing that rules can build is too deep or too large to be kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

_DECIMAL = 1
FLAT = b"\xc1"
"""The one byte that no msgpack begins with."""
_PLAIN = (str, int, float, bool, type(None), datetime)


def plain(value: Any) -> Any:
    """A value as msgpack takes it, decimals as an extension, all the way down; itself where there are none."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value]


def from_extension(code: int, data: memoryview) -> Any:
    """The decimal that `plain` made an extension of."""
    assert code == _DECIMAL, f"an extension {code} that nobody writes"
    return Decimal(bytes(data).decode())


_encoder = msgspec.msgpack.Encoder()
_pack = _encoder.encode
_unpack = msgspec.msgpack.Decoder(ext_hook=from_extension).decode

unpack_plain = _unpack
"""A row from what msgpack made of it. Raises msgspec.DecodeError for one that `pack_strange` made."""

NOT_PLAIN = (OverflowError, RecursionError, TypeError, UnicodeError, ValueError)
"""What `pack_plain` raises for rows that are for `pack_strange`."""

pack_plain = _pack
"""A row as msgpack."""

pack_into = _encoder.encode_into
"""The same into a bytearray, which is then as long as the row."""


def pack_any(value: Any) -> bytes:
    """Whatever it is."""
    try:
        return pack_plain(plain(value))
    except NOT_PLAIN:
        return pack_strange(value)


def unpack_any(data: bytes) -> Any:
    """What `pack_any` had, tuples as lists. Raises msgspec.DecodeError."""
    return unpack_strange(data) if data.startswith(FLAT) else unpack_plain(data)


def pack_strange(row: Any) -> bytes:
    """A row that msgpack does not take."""
    tokens: list[Any] = []
    waiting = [row]
    while waiting:
        value = waiting.pop()
        match value:
            case dict():
                tokens.append(("m", len(value)))
                for name, item in reversed(value.items()):
                    waiting += (item, name)
            case list() | tuple():
                tokens.append(("l", len(value)))
                waiting += reversed(value)
            case msgspec.msgpack.Ext():
                tokens.append(("d", bytes(value.data).decode()))
            case Decimal():
                tokens.append(("d", str(value)))
            case str():
                tokens.append(("s", value.encode("utf-8", "surrogatepass")))
            case int() if not isinstance(value, bool) and value.bit_length() > 63:
                tokens.append(("i", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)))
            case _:
                tokens.append(value)
    return FLAT + _pack(tokens)


def unpack_strange(data: bytes) -> Any:
    """The row that `pack_strange` had."""
    tokens = _unpack(data[len(FLAT) :])
    made: list[Any] = []
    # From the end, so that the parts of a list or a map are made before it.
    for token in reversed(tokens):
        match token:
            case ["m", size]:
                parts = _popped(made, 2 * size)
                made.append(dict(zip(parts[::2], parts[1::2], strict=True)))
            case ["l", size]:
                made.append(_popped(made, size))
            case ["d", text]:
                made.append(Decimal(text))
            case ["s", text]:
                made.append(text.decode("utf-8", "surrogatepass"))
            case ["i", number]:
                made.append(int.from_bytes(number, "little", signed=True))
            case _:
                made.append(token)
    return made[0]


def _popped(made: list[Any], count: int) -> list[Any]:
    """The last ones, in the order in which they were written."""
    start = len(made) - count
    parts = made[start:]
    del made[start:]
    return parts[::-1]
