"""What becomes of state when its rules change, attribute by attribute."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from epl.layout import SessionLayout, Slot
from epl.types import DOUBLE, INT, LONG, STRING, Kind, Type, array_of, list_of
from runtime.cache import Codec
from runtime.cache.shapes import Attribute, Change, Shape, change
from runtime.session import MainSession, SubSession, session_class

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MIXED = None
"""The type of an attribute for which rules write several."""


def type_of(name: str) -> Type | None:
    """`int`, `list of int`, `mixed`."""
    if name == "mixed":
        return MIXED
    kind, _, element = name.partition(" of ")
    return Type(Kind(kind), Type(Kind(element)) if element else None)


def layout(**types: str) -> SessionLayout:
    """State of these types."""
    return SessionLayout({name: slot(name, type_of(type_)) for name, type_ in types.items()}, {})


def slot(name: str, type_: Type | None, prefix: str = "st") -> Slot:
    if type_ is None:
        return Slot(name, f"{prefix}_{name}", None, None, f"kind_{name}")
    return Slot(name, f"{prefix}_{name}", type_.kind, type_.element, None)


def migrated(before: SessionLayout, values: dict[str, Any], after: SessionLayout) -> tuple[Any, int]:
    """A session of newer rules from the bytes that older ones wrote, and how many values they have no place for."""
    old, new = (session_class(MainSession, each, 0) for each in (before, after))
    session = old.begin("key", 1_000, 2_000, 3_000)
    for name, value in values.items():
        setattr(session, name, value)
    codec = Codec((old, before))
    newer = Codec((new, after)).after(codec.shapes)
    made = newer.decode("key", codec.encode(session))
    assert (made.key, made.first_event_ms, made.created_ms, made.gap_ms) == ("key", 1_000, 2_000, 3_000)
    return made, newer.dropped


class _Outcome(Enum):
    """A value that is dropped."""

    LOST = "lost"


DROPPED = _Outcome.LOST
HALF = Decimal("0.5")


@pytest.mark.parametrize(
    ("old", "value", "new", "result"),
    [
        # the same
        ("int", 5, "int", 5),
        ("list of int", [1, None], "list of int", [1, None]),
        # whole numbers, by their range
        ("byte", 5, "int", 5),
        ("int", 5, "long", 5),
        ("long", 5, "int", 5),
        ("long", 1 << 31, "int", DROPPED),
        ("int", -129, "byte", DROPPED),
        ("int", -128, "byte", -128),
        ("short", 1 << 15, "short", 1 << 15),
        ("bigint", 1 << 63, "long", DROPPED),
        ("bigint", 1 << 100, "decimal", Decimal(1 << 100)),
        ("int", 5, "bigint", 5),
        # to fractions and back
        ("int", 5, "double", 5.0),
        ("long", (1 << 53) + 1, "double", DROPPED),
        ("long", 1 << 60, "double", float(1 << 60)),
        ("int", (1 << 24) + 1, "float", DROPPED),
        ("bigint", 10**400, "double", DROPPED),
        ("double", 5.0, "int", 5),
        ("double", 5.5, "int", DROPPED),
        ("double", math.inf, "long", DROPPED),
        ("double", math.nan, "long", DROPPED),
        ("float", 0.5, "double", 0.5),
        ("double", 0.1, "float", DROPPED),
        ("double", math.inf, "float", math.inf),
        ("double", 0.1, "decimal", Decimal("0.1")),
        ("float", math.inf, "decimal", DROPPED),
        ("double", math.nan, "decimal", DROPPED),
        ("double", -math.inf, "decimal", DROPPED),
        ("decimal", HALF, "double", 0.5),
        ("decimal", Decimal("0.1"), "double", DROPPED),
        ("decimal", Decimal("7.00"), "int", 7),
        ("decimal", Decimal("7.50"), "int", DROPPED),
        # texts
        ("char", "x", "string", "x"),
        ("string", "x", "char", "x"),
        ("string", "xy", "char", DROPPED),
        ("string", "", "char", DROPPED),
        ("string", "5", "int", DROPPED),
        ("int", 5, "string", DROPPED),
        # others
        ("boolean", True, "int", DROPPED),
        ("int", 1, "boolean", DROPPED),
        ("date", NOON, "date", NOON),
        ("date", NOON, "long", DROPPED),
        ("date", NOON, "string", DROPPED),
        ("map", {"a": 1}, "list", DROPPED),
        ("map", {"a": 1}, "object", {"a": 1}),
        ("object", {"a": 1}, "map", {"a": 1}),
        ("object", "text", "string", "text"),
        ("object", "text", "map", DROPPED),
        ("object", True, "boolean", True),
        # lists, whole or not at all
        ("list", [1, "a"], "array", [1, "a"]),
        ("list of int", [1, 2], "list", [1, 2]),
        ("list of int", [1, None, 2], "list of double", [1.0, None, 2.0]),
        ("list of string", ["a", None], "array of string", ["a", None]),
        ("list of long", [1, 1 << 40], "list of int", DROPPED),
        ("list", [1, "a"], "list of int", DROPPED),
        ("list", [], "list of int", []),
        ("int", 5, "list of int", DROPPED),
        # one type, or several
        ("int", 5, "mixed", 5),
        ("mixed", 5, "int", 5),
        ("mixed", "text", "string", "text"),
        ("mixed", "text", "int", DROPPED),
        # what was null is null, and nothing is lost
        ("string", None, "int", None),
        ("mixed", None, "int", None),
    ],
    ids=str,
)
def test_a_change_of_type(old: str, value: Any, new: str, result: Any) -> None:
    held = {"st_v": value}
    if old == "mixed":
        held["kind_v"] = None if value is None else {int: "int", str: "string"}[type(value)]
    made, dropped = migrated(layout(v=old, beside="int"), {**held, "st_beside": 9}, layout(v=new, beside="int"))
    wanted = None if result is DROPPED else result
    assert made.st_v == wanted
    assert type(made.st_v) is type(wanted)
    assert dropped == (result is DROPPED)
    assert made.st_beside == 9
    if new == "mixed":
        assert made.kind_v == old


def test_the_kind_of_one_among_several_stays() -> None:
    made, dropped = migrated(
        layout(v="mixed", w="mixed"), {"st_v": "a", "kind_v": "string"}, layout(w="mixed", v="mixed")
    )
    assert (made.st_v, made.kind_v, made.st_w, made.kind_w) == ("a", "string", None, None)
    assert dropped == 0


def test_added_removed_and_in_another_order() -> None:
    before, after = layout(a="int", b="string", c="list", d="int"), layout(d="int", new="mixed", a="int")
    made, dropped = migrated(before, {"st_a": 1, "st_b": "gone", "st_d": 4}, after)
    assert (made.st_a, made.st_d, made.st_new, made.kind_new) == (1, 4, None, None)
    assert dropped == 1, "the one that held something"


def test_state_and_metadata_of_one_name_are_two() -> None:
    before = SessionLayout({"v": slot("v", INT)}, {"v": slot("v", STRING, "md")})
    after = SessionLayout({}, {"v": slot("v", STRING, "md"), "w": slot("w", INT, "md")})
    made, dropped = migrated(before, {"st_v": 1, "md_v": "kept"}, after)
    assert (made.md_v, made.md_w, dropped) == ("kept", None, 1)


def test_kinds_of_sub_sessions_go_by_their_name() -> None:
    """One is gone, one has another place, one is new; those that stay keep their order."""
    main = layout(v="int")
    parts = {"Cart": layout(items="int"), "Page": layout(seen="int", gone="string"), "Gone": layout(x="int")}
    newer_parts = {"New": layout(y="int"), "Page": layout(new="string", seen="long"), "Cart": layout(items="string")}

    def codec_of(subs: dict[str, SessionLayout]) -> tuple[Any, Codec, list[type[Any]]]:
        kind = session_class(MainSession, main, 0)
        classes = [session_class(SubSession, each, number) for number, each in enumerate(subs.values())]
        named = [(name, class_, subs[name]) for name, class_ in zip(subs, classes, strict=True)]
        return kind, Codec((kind, main), named), classes

    kind, codec, (cart, page, gone) = codec_of(parts)
    session = kind.begin("key", 1_000, 2_000, 3_000)
    session.sub_sessions = [each.begin("sub", 1_500, 2_500, 500, "key") for each in (page, cart, gone, page)]
    first, items, _, last = session.sub_sessions
    first.st_seen, first.st_gone, last.st_seen, items.st_items = 1, "lost", 2, 3
    newer = codec_of(newer_parts)[1].after(codec.shapes)
    made = newer.decode("key", codec.encode(session))
    first, items, last = made.sub_sessions
    assert [each.number for each in made.sub_sessions] == [1, 2, 1]
    assert (first.st_seen, first.st_new, last.st_seen, items.st_items) == (1, None, 2, None)
    assert (first.parent_key, first.key, first.created_ms, first.expires_at_ms) == ("key", "sub", 2_500, 3_000)
    assert newer.dropped == 3, "a sub-session, and two values"


def test_versions() -> None:
    """Rules that change nothing write as those before them; others read what all before them have written."""
    first, second, third = layout(v="int"), layout(v="string"), layout(v="int", w="int")
    kinds = [session_class(MainSession, each, 0) for each in (first, second, third)]
    one, two, three = (Codec((kind, each)) for kind, each in zip(kinds, (first, second, third), strict=True))
    two = two.after(one.shapes)
    three = three.after(two.shapes)
    again = Codec((kinds[0], first)).after(three.shapes)
    assert [each.version for each in (one, two, three, again)] == [0, 1, 2, 0]
    session = kinds[0].begin("key", 1, 2, 3)
    session.st_v = 5
    assert three.decode("key", one.encode(session)).st_v == 5
    assert again.decode("key", one.encode(session)).st_v == 5
    assert again.dropped == 0


# ---- what `change` says beforehand


def attribute(name: str) -> Attribute:
    type_ = type_of(name)
    if type_ is None:
        return Attribute("v", "state", None)
    return Attribute("v", "state", type_.kind.value, None if type_.element is None else type_.element.kind.value)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("int", "int", Change.KEPT),
        ("int", "long", Change.CONVERTED),
        ("int", "double", Change.CONVERTED),
        ("long", "double", Change.WHERE_IT_FITS),
        ("double", "int", Change.WHERE_IT_FITS),
        ("string", "char", Change.WHERE_IT_FITS),
        ("char", "string", Change.KEPT),
        ("int", "string", Change.DROPPED),
        ("int", "mixed", Change.KEPT),
        ("mixed", "int", Change.WHERE_IT_FITS),
        ("list of int", "list", Change.KEPT),
        ("list", "list of int", Change.WHERE_IT_FITS),
        ("list of int", "int", Change.DROPPED),
    ],
)
def test_what_is_said_beforehand(before: str, after: str, expected: Change) -> None:
    assert change(attribute(before), attribute(after)) is expected


def test_added_and_dropped_are_said_beforehand() -> None:
    assert change(None, attribute("int")) is Change.ADDED
    assert change(attribute("int"), None) is Change.DROPPED


def test_a_shape_says_what_a_layout_has() -> None:
    state = {"v": slot("v", list_of(LONG)), "w": slot("w", array_of(DOUBLE)), "x": slot("x", None)}
    shape = Shape.of(SessionLayout(state, {"m": slot("m", STRING, "md")}), [("Cart", layout(items="int"))])
    assert [str(each) for each in shape.attributes] == ["list of long", "array of double", "of several types", "string"]
    assert [each.namespace for each in shape.attributes] == ["state", "state", "state", "metadata"]
    assert shape.subs == (("Cart", (Attribute("items", "state", "int"),)),)
