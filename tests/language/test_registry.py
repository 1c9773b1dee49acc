"""The registry: every entry is documented and consistent, calls give Java's answers, names are found by type."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from epl.registry import (
    BUILTINS,
    CATALOG,
    ENTRIES,
    Catalog,
    Entry,
    Example,
    Form,
    Param,
    Pattern,
    RuleError,
    Signature,
    select,
)
from epl.types import (
    BIGINT,
    BOOLEAN,
    CHAR,
    DATE,
    DECIMAL,
    DOUBLE,
    FLOAT,
    INT,
    LIST,
    LONG,
    MAP,
    NULL,
    OBJECT,
    SHORT,
    STRING,
    Type,
    array_of,
    list_of,
)

EARLY, LATE = datetime(2024, 1, 1), datetime(2024, 1, 2, tzinfo=UTC)
STRINGS = array_of(STRING)


def evaluate(signature: Signature, values: tuple[Any, ...]) -> Any:
    """What a signature gives; where it has an inline form, both must agree, in type too."""
    result = signature.call(*values)
    if signature.inline is not None:
        names = {f"v{index}": value for index, value in enumerate(values)}
        inlined = eval(signature.inline.format(*names), names)
        assert (type(inlined), inlined) == (type(result), result)
    assert result is not None or signature.may_be_null
    return result


def check(result: Any, expected: Any) -> None:
    assert type(result) is type(expected)
    assert result == expected or (result != result and expected != expected)


@pytest.mark.parametrize(
    ("receiver", "name", "arguments", "result"),
    [
        ("abc", "length", (), 3),
        ("", "isEmpty", (), True),
        (" ", "isEmpty", (), False),
        ("abc", "charAt", (0,), "a"),
        ("abc", "charAt", (-1,), None),
        ("abc", "substring", (1,), "bc"),
        ("abc", "substring", (3,), ""),
        ("abc", "substring", (4,), None),
        ("abc", "substring", (-1,), None),
        ("abc", "substring", (0, -1), None),
        ("abc", "substring", (2, 1), None),
        ("abc", "substring", (1, 3), "bc"),
        ("abc", "indexOf", ("x",), -1),
        ("abc", "indexOf", ("", 10), 3),
        ("abc", "indexOf", ("c", -5), 2),
        ("abca", "lastIndexOf", ("a",), 3),
        ("abca", "lastIndexOf", ("a", 2), 0),
        ("abc", "lastIndexOf", ("", 10), 3),
        ("abc", "lastIndexOf", ("a", -1), -1),
        ("abc", "contains", ("bc",), True),
        ("abc", "startsWith", ("ab",), True),
        ("abc", "startsWith", ("", 4), False),
        ("abc", "startsWith", ("", 3), True),
        ("abc", "startsWith", ("c", -1), False),
        ("abc", "endsWith", ("c",), True),
        ("abc", "equals", ("abc",), True),
        ("Straße", "equalsIgnoreCase", ("STRASSE",), False),
        ("ünï", "equalsIgnoreCase", ("ÜNÏ",), True),
        ("a", "compareTo", ("abc",), -2),
        ("b", "compareTo", ("a",), 1),
        ("ABC", "compareToIgnoreCase", ("abd",), -1),
        ("ab", "concat", ("c",), "abc"),
        ("ünïß", "toUpperCase", (), "ÜNÏSS"),
        ("ÜN", "toLowerCase", (), "ün"),
        ("\x00 a\xa0\n", "trim", (), "a\xa0"),
        ("aXbX", "replace", ("", "-"), "-a-X-b-X-"),
        ("a1b2", "replaceAll", ("[0-9]", "N"), "aNbN"),
        ("a1b2", "replaceFirst", ("[0-9]", "N"), "aNb2"),
        ("abc", "matches", ("a.*",), True),
        ("a,b,,", "split", (",",), ["a", "b"]),
        ("a,b,c", "split", (",", 2), ["a", "b,c"]),
        ("abc", "toString", (), "abc"),
        ("hello", "hashCode", (), 99162322),
        ("zzzzzzzzzz", "hashCode", (), -1580979136),
        ("😀", "hashCode", (), 1772899),
    ],
)
def test_strings(receiver: str, name: str, arguments: tuple[Any, ...], result: Any) -> None:
    entry = CATALOG.method(STRING, name)
    assert entry is not None
    signature = select(entry, [STRING if isinstance(argument, str) else INT for argument in arguments])
    assert signature is not None
    check(evaluate(signature, (receiver, *arguments)), result)


def test_a_string_equals_no_other_type() -> None:
    check(call("equals", STRING, [("1", STRING), (1, INT)]), False)


def call(name: str, receiver: Type, values: list[tuple[Any, Type]]) -> Any:
    """Calls a method; the first of `values` is the receiver."""
    entry = CATALOG.method(receiver, name)
    assert entry is not None
    signature = select(entry, [type_ for _, type_ in values[1:]])
    assert signature is not None
    return evaluate(signature, tuple(value for value, _ in values))


@pytest.mark.parametrize(
    ("receiver", "value", "name", "arguments", "result"),
    [
        (STRINGS, ["a", "b"], "size", [], 2),
        (LIST, [], "isEmpty", [], True),
        (STRINGS, ["a", "b"], "get", [(1, INT)], "b"),
        (STRINGS, ["a", "b"], "get", [(2, INT)], None),
        (STRINGS, ["a", "b"], "get", [(-1, INT)], None),
        (STRINGS, ["a", "b"], "contains", [("b", STRING)], True),
        (LIST, [1, 2.5, True, None], "contains", [(1.0, DOUBLE)], False),
        (LIST, [1.0, True], "contains", [(1, INT)], False),
        (LIST, [1, 2.5], "contains", [(2.5, DOUBLE)], True),
        (STRINGS, ["a", "b"], "indexOf", [("b", STRING)], 1),
        (STRINGS, ["a", "b"], "indexOf", [("c", STRING)], -1),
        (LIST, [True, 1], "indexOf", [(1, INT)], 1),
        (MAP, {"a": 1}, "get", [("a", STRING)], 1),
        (MAP, {"a": 1}, "get", [("b", STRING)], None),
        (MAP, {"a": None}, "containsKey", [("a", STRING)], True),
        (MAP, {"a": 1}, "containsValue", [(True, BOOLEAN)], False),
        (MAP, {"a": 1}, "containsValue", [(1, INT)], True),
        (MAP, {"a": 1}, "size", [], 1),
        (MAP, {"a": 1}, "isEmpty", [], False),
        (DOUBLE, 2.9, "intValue", [], 2),
        (DOUBLE, 1e10, "intValue", [], 2147483647),
        (LONG, 2**32 + 1, "intValue", [], 1),
        (DOUBLE, -2.9, "longValue", [], -2),
        (INT, 7, "doubleValue", [], 7.0),
        (DOUBLE, 0.1, "floatValue", [], 0.10000000149011612),
        (INT, 7, "toString", [], "7"),
        (DOUBLE, 1e7, "toString", [], "1.0E7"),
        (FLOAT, 0.10000000149011612, "toString", [], "0.1"),
        (INT, 7, "equals", [(7, INT)], True),
        (INT, 7, "equals", [(7.0, DOUBLE)], False),
        (INT, 3, "compareTo", [(9, LONG)], -1),
        (BOOLEAN, True, "toString", [], "true"),
        (BOOLEAN, False, "booleanValue", [], False),
        (BOOLEAN, True, "equals", [(1, INT)], False),
        (DATE, LATE, "getTime", [], 1704153600000),
        (DATE, EARLY, "toMillisec", [], 1704067200000),
        (DATE, EARLY, "before", [(LATE, DATE)], True),
        (DATE, EARLY, "after", [(LATE, DATE)], False),
    ],
)
def test_methods(receiver: Type, value: Any, name: str, arguments: list[tuple[Any, Type]], result: Any) -> None:
    check(call(name, receiver, [(value, receiver), *arguments]), result)


@pytest.mark.parametrize(
    ("owner", "name", "arguments", "type_", "result"),
    [
        ("Math", "abs", [(-3, INT)], INT, 3),
        ("Math", "abs", [(-3, SHORT)], INT, 3),
        ("Math", "abs", [(-3, LONG)], LONG, 3),
        ("Math", "abs", [(-2.5, DOUBLE)], DOUBLE, 2.5),
        ("java.lang.Math", "max", [(1, INT), (2, INT)], INT, 2),
        ("Math", "max", [(1, INT), (2, LONG)], LONG, 2),
        ("Math", "max", [(3, INT), (2.5, DOUBLE)], DOUBLE, 3.0),
        ("Math", "max", [(0.0, DOUBLE), (-0.0, DOUBLE)], DOUBLE, 0.0),
        ("Math", "max", [(math.nan, DOUBLE), (1.0, DOUBLE)], DOUBLE, math.nan),
        ("Math", "min", [(1, INT), (2.5, FLOAT)], FLOAT, 1.0),
        ("Math", "min", [(4, INT), (2, INT)], INT, 2),
        ("Math", "floor", [(-2.25, DOUBLE)], DOUBLE, -3.0),
        ("Math", "floor", [(7, INT)], DOUBLE, 7.0),
        ("Math", "ceil", [(2.1, DOUBLE)], DOUBLE, 3.0),
        ("Math", "ceil", [(math.inf, DOUBLE)], DOUBLE, math.inf),
        ("Math", "round", [(2.5, DOUBLE)], LONG, 3),
        ("Math", "round", [(2.5, FLOAT)], INT, 3),
        ("Math", "round", [(1700000000001, LONG)], LONG, 1700000000001),
        ("Math", "sqrt", [(16.0, DOUBLE)], DOUBLE, 4.0),
        ("Math", "sqrt", [(-1.0, DOUBLE)], DOUBLE, math.nan),
        ("Math", "pow", [(2, INT), (10, INT)], DOUBLE, 1024.0),
        ("Math", "log", [(0, INT)], DOUBLE, -math.inf),
        ("Math", "log", [(-1, INT)], DOUBLE, math.nan),
        ("Math", "exp", [(1000.0, DOUBLE)], DOUBLE, math.inf),
        ("Integer", "parseInt", [("12", STRING)], INT, 12),
        ("Integer", "parseInt", [("1x", STRING)], INT, None),
        ("Integer", "valueOf", [("5", STRING)], INT, 5),
        ("Integer", "valueOf", [(5, INT)], INT, 5),
        ("Integer", "toString", [(5, INT)], STRING, "5"),
        ("java.lang.Long", "parseLong", [("2147483648", STRING)], LONG, 2147483648),
        ("Long", "valueOf", [("12", STRING)], LONG, 12),
        ("Double", "parseDouble", [("1.25", STRING)], DOUBLE, 1.25),
        ("Double", "valueOf", [(2, INT)], DOUBLE, 2.0),
        ("Double", "toString", [(100.0, DOUBLE)], STRING, "100.0"),
        ("Boolean", "parseBoolean", [("TRUE", STRING)], BOOLEAN, True),
        ("Boolean", "valueOf", [(False, BOOLEAN)], BOOLEAN, False),
        ("Boolean", "toString", [(True, BOOLEAN)], STRING, "true"),
        ("String", "valueOf", [(7, INT)], STRING, "7"),
        ("String", "valueOf", [(1e7, DOUBLE)], STRING, "1.0E7"),
        ("String", "valueOf", [(0.10000000149011612, FLOAT)], STRING, "0.1"),
        ("String", "valueOf", [("k", OBJECT)], STRING, "k"),
        ("EPLUtils", "toJsonString", [({"b": 1, "a": 2}, MAP)], STRING, '{"a":2,"b":1}'),
        ("com.ebay.jetstream.epl.EPLUtils", "fromJsonString", [('{"a":1}', STRING)], MAP, {"a": 1}),
    ],
)
def test_statics(owner: str, name: str, arguments: list[tuple[Any, Type]], type_: Type, result: Any) -> None:
    entry = CATALOG.static(owner, name)
    assert entry is not None
    types = [type_ for _, type_ in arguments]
    signature = select(entry, types)
    assert signature is not None
    assert signature.result(types) == type_
    check(evaluate(signature, tuple(value for value, _ in arguments)), result)


def test_ceil_keeps_the_sign_of_zero() -> None:
    entry = CATALOG.static("Math", "ceil")
    assert entry is not None
    assert math.copysign(1.0, entry.signatures[0].call(-0.5)) == -1.0


def test_a_bad_pattern_is_a_rule_error() -> None:
    with pytest.raises(RuleError):
        call("matches", STRING, [("a", STRING), ("(", STRING)])


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.title)
def test_entries_are_documented(entry: Entry) -> None:
    assert entry.summary.endswith((".", "`."))
    assert entry.examples
    assert entry.signatures
    assert (entry.form is Form.FUNCTION) == (entry.owner is None)


@pytest.mark.parametrize("builtin", BUILTINS, ids=lambda builtin: builtin.name)
def test_builtins_are_documented(builtin: Any) -> None:
    assert builtin.summary and builtin.usage and builtin.examples


def test_names_are_unique_per_owner() -> None:
    titles = Counter((entry.form, entry.title) for entry in ENTRIES)
    assert [title for title, count in titles.items() if count > 1] == []


@pytest.mark.parametrize(
    ("receiver", "name", "owner"),
    [
        (INT, "intValue", "number"),
        (DECIMAL, "intValue", "number"),
        (INT, "toString", "number"),
        (FLOAT, "toString", FLOAT),
        (array_of(INT), "size", LIST),
        (list_of(None), "size", LIST),
        (CHAR, "toString", STRING),
        (MAP, "size", MAP),
        (DATE, "getTime", DATE),
    ],
)
def test_method_owners(receiver: Type, name: str, owner: Type | str) -> None:
    entry = CATALOG.method(receiver, name)
    assert entry is not None
    assert entry.owner == owner


def test_unknown_names() -> None:
    assert CATALOG.function("nope") is None
    assert CATALOG.method(STRING, "nope") is None
    assert CATALOG.method(OBJECT, "length") is None
    assert CATALOG.static("Math", "nope") is None
    assert not CATALOG.is_static_owner("Maths")
    assert CATALOG.is_static_owner("java.lang.Math")


def test_names_for_hints() -> None:
    assert CATALOG.function_names() == ["fromJson", "toJson"]
    assert CATALOG.method_names(MAP) == ["containsKey", "containsValue", "get", "isEmpty", "size"]
    assert CATALOG.method_names(FLOAT) == CATALOG.method_names(INT)
    assert CATALOG.static_names("java.lang.Integer") == ["parseInt", "toString", "valueOf"]


def test_get_knows_the_element_type_of_its_receiver() -> None:
    entry = CATALOG.method(STRINGS, "get")
    assert entry is not None
    assert entry.signatures[0].result([STRINGS, INT]) == STRING
    assert entry.signatures[0].result([LIST, INT]) == OBJECT


def entry_of(*params: Type | Pattern, variadic: bool = False) -> Entry:
    signature = Signature(tuple(Param("p", param) for param in params), INT, len, variadic=variadic)
    return Entry("f", Form.FUNCTION, (signature,), "A function.", (Example("f()", 0),))


@pytest.mark.parametrize(
    ("params", "arguments", "fits"),
    [
        ((LONG,), (INT,), True),
        ((DOUBLE,), (LONG,), True),
        ((INT,), (LONG,), False),
        ((INT,), (NULL,), True),
        ((STRING,), (CHAR,), True),
        ((CHAR,), (STRING,), False),
        ((STRING,), (OBJECT,), False),
        ((Pattern.VALUE,), (OBJECT,), True),
        ((Pattern.NUMBER,), (OBJECT,), False),
        ((Pattern.NUMBER,), (DECIMAL,), True),
        ((Pattern.INTEGRAL,), (DOUBLE,), False),
        ((Pattern.INTEGRAL,), (LONG,), True),
        ((DOUBLE,), (BIGINT,), False),
        ((LIST,), (array_of(INT),), True),
        ((STRING,), (), False),
        ((STRING,), (STRING, STRING), False),
    ],
)
def test_select(params: tuple[Type | Pattern, ...], arguments: tuple[Type, ...], fits: bool) -> None:
    assert (select(entry_of(*params), arguments) is not None) is fits


def test_select_variadic() -> None:
    entry = entry_of(STRING, LONG, variadic=True)
    assert select(entry, [STRING, INT, LONG, INT]) is not None
    assert select(entry, [STRING, INT, DOUBLE]) is None
    assert select(entry, [STRING]) is None


def test_extending_a_catalog() -> None:
    more = Catalog(ENTRIES).extended([entry_of(INT)])
    assert more.function("f") is not None
    assert CATALOG.function("f") is None
    with pytest.raises(ValueError, match="`f` is defined twice"):
        more.extended([entry_of(LONG)])
