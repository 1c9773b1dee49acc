"""Whatever rules can keep in a session comes back from its bytes as it was."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epl.layout import SessionLayout, Slot
from epl.types import BOOLEAN, CHAR, DATE, DECIMAL, DOUBLE, INT, LONG, STRING, Kind, Type
from runtime.cache import Codec
from runtime.cache.strange import pack_any, unpack_any
from runtime.session import EnderSession, MainSession, SubSession, session_class

STRINGS = st.text(st.characters(exclude_categories=()), max_size=40)
"""Half surrogate pairs as well."""
INTS = st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-(1 << 64), 1 << 64), st.integers())
HUGE = st.builds(lambda sign, bits: sign << bits, st.sampled_from([-1, 1]), st.integers(60, 20_000))
DATES = st.datetimes(timezones=st.just(UTC))
SCALARS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BYTE: st.integers(-128, 127),
    Kind.SHORT: st.integers(-(1 << 15), (1 << 15) - 1),
    Kind.INT: INTS,  # integers do not wrap
    Kind.LONG: INTS,
    Kind.BIGINT: INTS | HUGE,
    Kind.FLOAT: st.floats(width=32),
    Kind.DOUBLE: st.floats(),
    Kind.DECIMAL: st.decimals() | st.decimals(allow_nan=False, allow_infinity=False, places=30),
    Kind.STRING: STRINGS,
    Kind.BOOLEAN: st.booleans(),
    Kind.CHAR: st.characters(exclude_categories=()),
    Kind.DATE: DATES,
}
ANY = st.recursive(
    st.none() | st.one_of(*SCALARS.values()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)
VALUES = {
    **SCALARS,
    Kind.MAP: st.dictionaries(STRINGS, ANY, max_size=4),
    Kind.LIST: st.lists(ANY, max_size=5),
    Kind.ARRAY: st.lists(ANY, max_size=5),
    Kind.OBJECT: ANY,
}


def slot(name: str, kind: Kind | None, element: Type | None = None) -> Slot:
    return Slot(name, f"st_{name}", kind, element, f"kind_{name}" if kind is None else None)


def layout_of(*slots: Slot) -> SessionLayout:
    return SessionLayout({each.name: each for each in slots}, {})


def same(value: Any, other: Any) -> bool:
    """Equal down to the type of each part; NaN is NaN, and -0.0 is not 0.0."""
    if type(value) is not type(other):
        return False
    match value:
        case dict():
            return list(value) == list(other) and all(same(value[name], other[name]) for name in value)
        case list():
            return len(value) == len(other) and all(map(same, value, other))
        case float() if math.isnan(value):
            return math.isnan(other)
        case float():
            return value == other and math.copysign(1, value) == math.copysign(1, other)
        case Decimal():
            return str(value) == str(other)
        case _:
            return bool(value == other)


def again(layout: SessionLayout, **attributes: Any) -> Any:
    """A session with these attributes, from its bytes."""
    kind = session_class(MainSession, layout, 0)
    session = kind.begin("key", 1, 2, 3)
    for name, value in attributes.items():
        setattr(session, name, value)
    codec = Codec((kind, layout))
    return codec.decode("key", codec.encode(session))


# ---- state


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.value)
def test_each_type_of_state(kind: Kind) -> None:
    layout = layout_of(slot("v", kind))

    @settings(max_examples=60)
    @given(VALUES[kind] | st.none())
    def check(value: Any) -> None:
        assert same(again(layout, st_v=value).st_v, value)

    check()


@pytest.mark.parametrize("element", [INT, LONG, DOUBLE, STRING, BOOLEAN, CHAR, DATE, DECIMAL], ids=str)
def test_lists_of_one_type(element: Type) -> None:
    layout = layout_of(slot("v", Kind.LIST, element))

    @settings(max_examples=40)
    @given(st.lists(SCALARS[element.kind] | st.none(), max_size=20))
    def check(values: list[Any]) -> None:
        assert same(again(layout, st_v=values).st_v, values)

    check()


@given(st.sampled_from(list(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind.value), VALUES[kind])), DATES)
def test_several_types_for_one_attribute(mixed: tuple[str, Any], beside: datetime) -> None:
    """The kind stands beside the value, and other attributes are as they were, in state and metadata."""
    metadata = Slot("m", "md_m", Kind.DATE, None, None)
    layout = SessionLayout({"v": slot("v", None), "n": slot("n", Kind.INT)}, {"m": metadata})
    kind, value = mixed
    found: Any = again(layout, st_v=value, kind_v=kind, st_n=7, md_m=beside)
    assert same(found.st_v, value)
    assert (found.kind_v, found.st_n, found.md_m) == (kind, 7, beside)


@pytest.mark.parametrize(
    "value",
    [
        *(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        *(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2262, 4, 12, tzinfo=UTC)),
        *(1 << 63, (1 << 63) - 1, -(1 << 63), -(1 << 63) - 1, (1 << 64) - 1, 1 << 64, 10**5_000),
        *(-0.0, math.inf, -math.inf, math.nan, 5e-324),
        *(Decimal("1E+6000"), Decimal("-0.00"), Decimal("NaN")),
        *("\ud83d", "\udfff\ud800", "\0", "\U0010ffff", "a" * 100_000),
        *({}, [], {"": None}, [[], {}], {"\ud800": Decimal(1)}),
    ],
    ids=lambda value: f"{value.bit_length()} bits" if isinstance(value, int) else ascii(value)[:30],
)
def test_at_the_ends(value: Any) -> None:
    assert same(again(layout_of(slot("v", Kind.OBJECT)), st_v=value).st_v, value)


@pytest.mark.parametrize("depth", [0, 1, 2, 50, 300, 480, 500, 900, 990, 1_000, 2_000])
@pytest.mark.parametrize("is_list", [False, True])
def test_nested(depth: int, is_list: bool) -> None:
    value: Any = Decimal("1.50")
    for level in range(depth):
        value = [value, level] if is_list else {"in": value, "level": level}
    made = again(layout_of(slot("v", Kind.OBJECT)), st_v=value).st_v
    for level in reversed(range(depth)):
        made, beside = made if is_list else made.values()
        assert beside == level
    assert str(made) == "1.50"


@given(ANY)
def test_pack_any(value: Any) -> None:
    assert same(unpack_any(pack_any(value)), value)


# ---- what every session has

TIMES = st.one_of(
    st.integers(1_600_000_000_000, 1_700_000_000_000),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([0, -1, -(1 << 63), (1 << 63) - 1]),
)
OWN = ("first_event_ms", "created_ms", "modified_ms", "gap_ms", "held_until_ms", "count", "bot_type", "bot_count")
NUMBERS = st.integers(0, (1 << 63) - 1)


def fields_of(session: Any, layout: SessionLayout, *more: str) -> dict[str, Any]:
    """Everything of a session that counts."""
    names = ("key", *OWN, "ordinal", *layout.attributes, *more)
    return {name: getattr(session, name) for name in names}


def fill(session: Any, data: st.DataObject) -> Any:
    for name in OWN[:4]:
        setattr(session, name, data.draw(TIMES))
    session.held_until_ms = data.draw(st.none() | TIMES)
    for name in OWN[5:]:
        setattr(session, name, data.draw(NUMBERS))
    if isinstance(session, MainSession):
        session.turn = data.draw(NUMBERS)
    return session


@given(st.data(), STRINGS, st.booleans())
def test_times_and_counts(data: st.DataObject, key: str, has_ordinal: bool) -> None:
    layout = layout_of(slot("v", Kind.STRING))
    kind = session_class(MainSession, layout, 3)
    session = fill(kind.begin(key, 0, 0, 0), data)
    session.st_v, session.due_ms = "state", data.draw(TIMES)
    if has_ordinal:
        session.ordinal = data.draw(st.integers(1, 9) | st.just("1700000000000.2"))
    codec = Codec((kind, layout))
    made = codec.decode(key, codec.encode(session), 42)
    more = ("turn", "due_ms", "sub_sessions", "session_id", "expires_at_ms")
    assert fields_of(made, layout, *more) == fields_of(session, layout, *more)
    assert (made.block, made.slot, made.number, made.spared_ms) == (42, None, 3, session.modified_ms)
    assert isinstance(made, kind)


@given(st.data())
def test_sub_sessions(data: st.DataObject) -> None:
    """In the order in which they opened, each of its kind, with state of its own."""
    layout = layout_of(slot("v", Kind.INT))
    cart = layout_of(slot("items", Kind.LIST, STRING), slot("sum", Kind.DECIMAL))
    page = SessionLayout({}, {})
    main = session_class(MainSession, layout, 0)
    kinds = [("Cart", session_class(SubSession, cart, 0), cart), ("Page", session_class(SubSession, page, 1), page)]
    session = fill(main.begin("parent", 0, 0, 0), data)
    session.st_v, session.due_ms, session.sub_sessions = 5, 9, []
    for number in data.draw(st.lists(st.integers(0, 1), max_size=4)):
        _, kind, sub_layout = kinds[number]
        sub = fill(kind.begin(data.draw(STRINGS), 0, 0, 0, "parent"), data)
        sub.ordinal = data.draw(st.sampled_from([0, 4]))
        if number == 0:
            sub.st_items, sub.st_sum = data.draw(st.lists(STRINGS, max_size=3)), Decimal("2.50")
        session.sub_sessions.append(sub)
    codec = Codec((main, layout), kinds)
    made = codec.decode("parent", codec.encode(session))
    found = made.sub_sessions or []
    assert [sub.number for sub in found] == [sub.number for sub in session.sub_sessions]
    for before, after in zip(session.sub_sessions, found, strict=True):
        sub_layout = kinds[before.number][2]
        assert isinstance(after, kinds[before.number][1])
        assert fields_of(after, sub_layout, "parent_key") == fields_of(before, sub_layout, "parent_key")
    assert made.st_v == 5


@given(st.data())
def test_sessions_of_the_ender(data: st.DataObject) -> None:
    """They have two clocks more, and stand in no second."""
    layout = layout_of(slot("v", Kind.STRING))
    kind = session_class(EnderSession, layout, 0)
    session = fill(kind.begin("7", 0, 0, 0), data)
    session.st_v, session.batch_ms, session.user_ms = "state", data.draw(TIMES), data.draw(TIMES)
    codec = Codec((kind, layout))
    made = codec.decode("7", codec.encode(session))
    assert fields_of(made, layout, "batch_ms", "user_ms", "turn") == fields_of(
        session, layout, "batch_ms", "user_ms", "turn"
    )


def test_a_plain_session_is_small() -> None:
    """Fifty bytes beside its state: a session in the cache is mostly what rules keep."""
    layout = layout_of(slot("v", Kind.INT), slot("s", Kind.STRING))
    kind = session_class(MainSession, layout, 0)
    session = kind.begin("key", 1_700_000_000_000, 1_700_000_000_100, 1_800_000)
    session.modified_ms += 60_000
    session.due_ms, session.count, session.st_v, session.st_s = session.expires_at_ms, 17, 5, "x" * 20
    assert len(Codec((kind, layout)).encode(session)) <= 21 + 1 + 52
