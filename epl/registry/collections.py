"""Methods of arrays, lists and maps. Equality is Java's: 1, 1.0 and true are three values.

Arrays and lists share the sequence methods; their owner is the list. (`arr.length` is a property, not a method.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from epl.java.values import position
from epl.registry.model import Entry, Example, Form, Param, Pattern, Signature
from epl.types import BOOLEAN, INT, LIST, MAP, OBJECT, STRING, Type

_VALUE = Param("value", Pattern.VALUE)
_KEY = Param("key", STRING)


def _element(types: Sequence[Type]) -> Type:
    """What `get` gives: the element type of the receiver where it is known."""
    return types[0].element or OBJECT


def _contains(items: list[Any], value: object) -> bool:
    return position(items, value) >= 0


def _get(items: list[Any], index: int) -> Any:
    return items[index] if 0 <= index < len(items) else None


def _contains_value(entries: dict[str, Any], value: object) -> bool:
    return position(list(entries.values()), value) >= 0


def _method(owner: Type, name: str, summary: str, examples: tuple[Example, ...], signature: Signature) -> Entry:
    return Entry(name, Form.METHOD, (signature,), summary, examples, owner=owner)


SEQUENCES: tuple[Entry, ...] = (
    _method(
        LIST,
        "size",
        "The number of elements.",
        (Example("{1, 2}.size()", 2), Example("'a,b,c'.split(',').size()", 3)),
        Signature((), INT, len, inline="len({0})", may_be_null=False),
    ),
    _method(
        LIST,
        "isEmpty",
        "True when there is no element.",
        (Example("{1}.isEmpty()", False), Example("','.split(',').isEmpty()", True)),
        Signature((), BOOLEAN, lambda items: not items, inline="(not {0})", may_be_null=False),
    ),
    _method(
        LIST,
        "get",
        "The element at an index, counted from 0; null past the end.",
        (Example("{5, 6}.get(1)", 6), Example("{5, 6}.get(2)", None)),
        Signature((Param("index", INT),), _element, _get),
    ),
    _method(
        LIST,
        "contains",
        "True when an element equals the value, in type and value.",
        (Example("'a,b'.split(',').contains('b')", True), Example("{1, 2}.contains(1.0)", False)),
        Signature((_VALUE,), BOOLEAN, _contains, may_be_null=False),
    ),
    _method(
        LIST,
        "indexOf",
        "The index of the first element that equals the value, in type and value; -1 without any.",
        (Example("'a,b'.split(',').indexOf('b')", 1), Example("{1, 2}.indexOf(3)", -1)),
        Signature((_VALUE,), INT, position, may_be_null=False),
    ),
)

MAPS: tuple[Entry, ...] = (
    _method(
        MAP,
        "get",
        "The value of a key; null without the key. The same as `m('key')`.",
        (Example("""fromJson('{"a":1}').get('a')""", 1), Example("fromJson('{}').get('a')", None)),
        Signature((_KEY,), OBJECT, dict.get, inline="{0}.get({1})"),
    ),
    _method(
        MAP,
        "containsKey",
        "True when the map has the key, even with a null value.",
        (
            Example("""fromJson('{"a":null}').containsKey('a')""", True),
            Example("fromJson('{}').containsKey('a')", False),
        ),
        Signature((_KEY,), BOOLEAN, dict.__contains__, inline="({1} in {0})", may_be_null=False),
    ),
    _method(
        MAP,
        "containsValue",
        "True when a value of the map equals the given one, in type and value.",
        (Example("""fromJson('{"a":"x"}').containsValue('x')""", True),),
        Signature((_VALUE,), BOOLEAN, _contains_value, may_be_null=False),
    ),
    _method(
        MAP,
        "size",
        "The number of keys.",
        (Example("""fromJson('{"a":1,"b":2}').size()""", 2),),
        Signature((), INT, len, inline="len({0})", may_be_null=False),
    ),
    _method(
        MAP,
        "isEmpty",
        "True when there is no key.",
        (Example("fromJson('{}').isEmpty()", True),),
        Signature((), BOOLEAN, lambda entries: not entries, inline="(not {0})", may_be_null=False),
    ),
)
