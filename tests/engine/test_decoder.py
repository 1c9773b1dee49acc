"""What a line is: an event with the fields that rules read, a refusal with its code and line, or none of the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from epl.layout import slot_name
from epl.types import Type, parse_type
from runtime.event import BAD_LINE, EventDecoder, Refused

DEEP = b"[" * 50_000 + b"]" * 50_000
LINE = 7
UNKNOWN = "of an unknown type, or blank"


def types(**fields: str) -> dict[str, Type]:
    found = {name: parse_type(text) for name, text in fields.items()}
    assert None not in found.values()
    return found  # type: ignore[return-value]


FIELDS = types(
    s="string", c="char", b="boolean", y="byte", h="short", i="int", l="long", f="float", x="double", g="bigint",
    m="decimal", d="date", p="map", o="object", a="int[]",
)  # fmt: skip
ONE = EventDecoder({"Click": FIELDS}, "_type")
TWO = EventDecoder({"Click": FIELDS, "Move": types(s="string")}, "_type")


def read(line: bytes, decoder: EventDecoder = ONE) -> Any:
    """The event of a line, or the code under which it is refused, or UNKNOWN."""
    try:
        return decoder.decode(line)
    except BAD_LINE as error:
        refused = decoder.explain(line, error, LINE)
    if refused is None:
        return UNKNOWN
    assert (refused.line, refused.raw) == (LINE, line)
    assert refused.reason
    return refused.code


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (b"{}", "s", None),
        (b' { "s" : "a" } \r', "s", "a"),
        (b'{"s":null}', "s", None),
        (b'{"s":"\\u00e9\\"\\n"}', "s", 'é"\n'),
        (b'{"s":"first","s":"last"}', "s", "last"),
        (b'{"not read":{"s":1},"s":"a","_type":"Click"}', "s", "a"),
        (b'{"not read":1e999,"s":"a"}', "s", "a"),
        (b'{"not read":"\xff","s":"a"}', "s", "a"),
        (b'{"c":""}', "c", ""),
        (b'{"b":true}', "b", True),
        (b'{"y":-128}', "y", -128),
        (b'{"h":32767}', "h", 32767),
        (b'{"i":-2147483648}', "i", -(2**31)),
        (b'{"l":9223372036854775807}', "l", 2**63 - 1),
        (b'{"f":1}', "f", 1.0),
        (b'{"x":1e3}', "x", 1000.0),
        (b'{"g":123456789012345678901234567890}', "g", 123456789012345678901234567890),
        (b'{"p":{"k":[1,null]}}', "p", {"k": [1, None]}),
        (b'{"o":[1]}', "o", [1]),
        (b'{"a":[1,null]}', "a", [1, None]),
        (b'{"d":0}', "d", datetime(1970, 1, 1, tzinfo=UTC)),
        (b'{"d":-1}', "d", datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        (b'{"d":"2024-05-01T12:00:00+02:00"}', "d", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        (b'{"d":"2024-05-01T12:00:00"}', "d", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        (b'{"d":253402300799999}', "d", datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_events(line: bytes, field: str, value: object) -> None:
    found = getattr(read(line), slot_name(field))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "line",
    [
        b'{"s":1}', b'{"c":"ab"}', b'{"b":1}', b'{"b":"true"}', b'{"y":128}', b'{"h":-32769}', b'{"i":2147483648}',
        b'{"i":1.0}', b'{"i":true}', b'{"i":"1"}', b'{"l":9223372036854775808}', b'{"x":"1.5"}', b'{"x":1e999}',
        b'{"m":"x"}', b'{"p":[]}', b'{"a":1}', b'{"a":["1"]}', b'{"o":1e999}', b'{"g":%s}' % (b"9" * 5000),
        b'{"d":"2024-05-01"}', b'{"d":true}', b'{"d":1.5}', b'{"d":253402300800000}', b'{"d":-62135596800001}',
        b'{"d":"0001-01-01T00:00:00+14:00"}', b'{"d":"9999-12-31T23:59:59-14:00"}',
        b"[]", b"1", b"null", b'"text"', b'{"_type":5}', b'{"_type":null}',
    ],
)  # fmt: skip
def test_bad_types(line: bytes) -> None:
    assert read(line) == "bad_type"


@pytest.mark.parametrize(
    "line",
    [
        b"{", b'{"s":"a"', b'{"s":"a"} x', b'{"s":"a"} {"s":"b"}', b'{"s":"a",}', b"{'s':1}", b"nonsense",
        b'{"s":"\xff"}', b'{"s":"a\tb"}', b'{"s":"\\ud800"}', b'{"x":NaN}', b'{"x":01}', b'{"x":-}',
        b'{"o":%s}' % DEEP, b'{"not read":%s}' % DEEP, b'\xef\xbb\xbf{"s":"a"}',
    ],
)  # fmt: skip
def test_bad_json(line: bytes) -> None:
    assert read(line) == "bad_json"


@pytest.mark.parametrize("line", [b"", b"  ", b"\r", b'{"_type":"Other"}', b'{"s":5,"_type":"Other"}'])
def test_neither_event_nor_refused(line: bytes) -> None:
    assert read(line) == UNKNOWN


def test_a_type_may_be_left_out_only_where_there_is_one() -> None:
    assert type(read(b'{"s":"a"}')) is ONE.classes["Click"]
    assert read(b'{"s":"a"}', TWO) == "bad_type"
    assert type(read(b'{"s":"a","_type":"Move"}', TWO)) is TWO.classes["Move"]
    assert read(b'{"_type":"Other"}', TWO) == UNKNOWN


def test_a_refusal_names_the_field() -> None:
    line = b'{"i":"x"}'
    with pytest.raises(BAD_LINE) as failed:
        ONE.decode(line)
    refused = ONE.explain(line, failed.value, 3)
    assert isinstance(refused, Refused)
    assert "$.i" in refused.reason


@pytest.mark.parametrize("name", ["class", "None", "my-field", "a b", "é", "__init__", "x.y", "1st", "self", "/"])
def test_any_name_of_a_field(name: str) -> None:
    decoder = EventDecoder({"Click": {name: FIELDS["i"], "other": FIELDS["i"]}}, "_type")
    assert getattr(decoder.decode(b'{"%s":5,"other":6}' % name.encode()), slot_name(name)) == 5


def test_rules_may_read_the_type_field() -> None:
    fields = {name: types(_type="string") for name in ("Click", "Move")}
    decoder = EventDecoder(fields, "_type")
    assert decoder.decode(b'{"_type":"Move"}')._type == "Move"
    assert EventDecoder({"Click": types(_type="string")}, "_type").decode(b"{}")._type == "Click"
