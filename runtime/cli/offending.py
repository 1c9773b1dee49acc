"""Where in an event the reason of its dead letter points: at a byte, or at a value named by its path."""

from __future__ import annotations

import re

_AT_PATH = re.compile(r"at `(?:key in )?(\$[^`]*)`")
_AT_BYTE = re.compile(r"\(byte ([0-9]{1,9})\)")
_STEP = re.compile(r"\.([^.\[\]]+)|(\[\.\.\.\]|\[\d+\])")
_TOKEN = re.compile(rb'\s*("(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+)', re.DOTALL)

Span = tuple[int, int]


def offending(reason: str, raw: bytes) -> Span | None:
    """The bytes that a reason speaks of, from and to; None when it names no place, or the event has no such place."""
    if "codec can't decode" in reason:
        return _not_utf8(raw)  # the reason counts from the beginning of a string in the event
    at_byte = _AT_BYTE.search(reason)
    if at_byte is not None:
        place = int(at_byte[1])
        return (place, place + 1) if place < len(raw) else None
    if "truncated" in reason and raw:
        return len(raw) - 1, len(raw)
    at_path = _AT_PATH.search(reason)
    if at_path is None:
        return None
    span: Span | None = None
    inside = _value(raw, 0)
    for name, index in _STEP.findall(at_path[1]):
        if inside is None or index:
            break  # in a list the reason does not say which: the list is marked
        inside = _member(raw, inside[0], name.encode())
        span = inside
    return span


def _not_utf8(raw: bytes) -> Span | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start, error.end
    return None


def _value(raw: bytes, start: int) -> Span | None:
    """The value that begins at or after a byte."""
    depth = 0
    first = None
    place = start
    while (token := _TOKEN.match(raw, place)) is not None:
        text = token[1]
        first = token.start(1) if first is None else first
        depth += (text in (b"{", b"[")) - (text in (b"}", b"]"))
        place = token.end()
        if depth <= 0:
            return first, place
    return None


def _member(raw: bytes, start: int, name: bytes) -> Span | None:
    """The last value of a name in the object that begins at a byte, as decoders take it."""
    opening = _TOKEN.match(raw, start)
    if opening is None or opening[1] != b"{":
        return None
    found = None
    place = opening.end()
    while (key := _TOKEN.match(raw, place)) is not None and key[1].startswith(b'"'):
        colon = _TOKEN.match(raw, key.end())
        value = None if colon is None else _value(raw, colon.end())
        if value is None:
            break
        if key[1][1:-1] == name:
            found = value
        comma = _TOKEN.match(raw, value[1])
        if comma is None or comma[1] != b",":
            break
        place = comma.end()
    return found
