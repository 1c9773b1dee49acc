"""What a `SessionTable` keeps, whether its sessions are objects, entries in pages or both."""

from __future__ import annotations

import pytest

from epl import SessionLayout
from runtime.cache import Cache, Codec, SessionTable
from runtime.cache.wheel import TimeWheel
from runtime.config import CacheConfig
from runtime.session import MainSession, session_class

LAYOUT = SessionLayout({}, {})
CLASS = session_class(MainSession, LAYOUT, 0)
KEYS = ["a", "", "é\n\0", "\ud800 half a pair", "x" * 10_000]


@pytest.fixture(params=[0, 2, 1000], ids="hot={}".format)
def cache(request: pytest.FixtureRequest) -> Cache:
    made = Cache(CacheConfig(hot=request.param, block_size=64, page_size=4096, memory=1 << 20, hash_capacity=1))
    made.add_table(Codec((CLASS, LAYOUT)))
    made.add_wheel()
    return made


@pytest.fixture
def table(cache: Cache) -> SessionTable:
    return cache.tables[0]


def put(cache: Cache, key: str, count: int = 1) -> MainSession:
    """A session that has begun, as a profile puts it: on the wheel, then into the table."""
    session: MainSession = CLASS.begin(key, 1_000, 2_000, 10_000)
    session.count = count
    cache.wheels[0].schedule(session, session.expires_at_ms)
    cache.tables[0].put(session)
    return session


def found(table: SessionTable, key: str) -> MainSession | None:
    """As a profile looks for it."""
    return table.get(key) or table.find(key)


def end(table: SessionTable, key: str) -> None:
    """As a session ends."""
    session = found(table, key)
    assert session is not None
    TimeWheel.forget(session)
    table.remove(session)


def test_empty(table: SessionTable) -> None:
    assert found(table, "a") is None
    assert len(table) == table.hot == 0
    assert list(table) == []


@pytest.mark.parametrize("key", KEYS, ids=["a", "empty", "strange", "surrogate", "long"])
def test_put_and_find(cache: Cache, table: SessionTable, key: str) -> None:
    put(cache, key, count=5)
    for other in ("o1", "o2", "o3"):
        put(cache, other)
    cache.settle()
    session = found(table, key)
    assert session is not None
    assert (session.key, session.count, session.first_event_ms, session.created_ms) == (key, 5, 1_000, 2_000)
    assert (session.expires_at_ms, session.gap_ms, session.due_ms) == (12_000, 10_000, 12_000)
    assert found(table, "another") is None


def test_all_of_them_once(cache: Cache, table: SessionTable) -> None:
    for key in KEYS:
        put(cache, key)
    for key in KEYS[:2]:
        cache.settle()
        found(table, key)
    assert sorted(session.key for session in table) == sorted(KEYS)
    assert len(table) == len(KEYS)


def test_changes_stay(cache: Cache, table: SessionTable) -> None:
    """Until the next call for another key, what `find` gave may be changed in place, and nobody has to be told."""
    for key in "abcdef":
        put(cache, key)
    for turn in range(1, 4):
        for key in "abcdef":
            session = found(table, key)
            assert session is not None
            assert session.count == turn
            session.count += 1
            session.modified_ms += 1
    assert [session.count for session in table] == [4] * 6


def test_remove(cache: Cache, table: SessionTable) -> None:
    for key in "abcd":
        put(cache, key)
    cache.settle()
    end(table, "b")
    assert found(table, "b") is None
    assert sorted(session.key for session in table) == ["a", "c", "d"]
    assert len(table) == 3
    with pytest.raises(KeyError):
        table.remove(CLASS.begin("b", 1_000, 2_000, 10_000))
    assert len(table) == 3


def test_each_may_be_removed_while_it_is_at_hand(cache: Cache, table: SessionTable) -> None:
    for number in range(40):
        put(cache, str(number))
        if number % 3:
            cache.settle()
    for session in table:
        TimeWheel.forget(session)
        table.remove(session)
    assert len(table) == 0
    assert list(table) == []
    assert cache.pages.used_blocks == 0


def test_a_key_may_come_back(cache: Cache, table: SessionTable) -> None:
    for count in (1, 2, 3):
        put(cache, "a", count)
        cache.settle()
        if count < 3:
            end(table, "a")
    assert [session.count for session in table] == [3]


def test_as_many_objects_as_there_may_be(cache: Cache, table: SessionTable) -> None:
    most = table.most_hot
    for number in range(3 * most if most < 1000 else 1_500):
        put(cache, str(number))
        cache.settle()
        assert table.hot <= most
    assert len(table) == len(list(table))
    cache.settle()
    assert table.hot <= most


def test_those_touched_lately_stay_objects() -> None:
    """However many others are looked at meanwhile."""
    cache = Cache(CacheConfig(hot=64, block_size=64, page_size=4096, memory=1 << 20, hash_capacity=1))
    table = cache.add_table(Codec((CLASS, LAYOUT)))
    cache.add_wheel()
    others = [str(number) for number in range(1_000)]
    for key in others:
        put(cache, key)
    cache.settle()
    favourite = put(cache, "favourite")
    for key in others:
        table.find(key)
        favourite.modified_ms += 1
        cache.settle()
        assert table.get("favourite") is favourite


def full_of(hot: int, modified_ms: int) -> tuple[Cache, SessionTable]:
    """Twice as many sessions as there may be objects: `old` ones in pages, and those of `modified_ms` as objects."""
    cache = Cache(CacheConfig(hot=hot, block_size=64, page_size=4096, memory=8 << 20, hash_capacity=1))
    table = cache.add_table(Codec((CLASS, LAYOUT)))
    cache.add_wheel()
    for number in range(hot):
        put(cache, f"old {number}")
    for number in range(hot):
        session = put(cache, f"new {number}")
        session.modified_ms = session.spared_ms = modified_ms
        cache.settle()
    return cache, table


def touched(table: SessionTable, key: str, now_ms: int) -> None:
    """As an event touches a session."""
    session = found(table, key)
    assert session is not None
    session.modified_ms = now_ms


def test_what_one_event_wants_goes_back_at_once() -> None:
    """Else it would take the place of another one that is wanted sooner."""
    _, table = full_of(hot=640, modified_ms=50_000)
    for number in range(640):
        touched(table, f"old {number}", 60_000)
    assert sum(table.get(f"new {number}") is not None for number in range(640)) > 500


def test_what_is_wanted_again_and_again_becomes_an_object() -> None:
    """Even where its clock is behind that of others, which no event touches any more."""
    _, table = full_of(hot=640, modified_ms=1 << 50)
    for now_ms in range(60_000, 60_400):
        for number in range(100):
            touched(table, f"old {number}", now_ms)
    assert sum(table.get(f"old {number}") is not None for number in range(100)) == 100


def test_keys_of_one_hash(monkeypatch: pytest.MonkeyPatch, cache: Cache, table: SessionTable) -> None:
    """They are told apart by the key in their entry."""
    monkeypatch.setattr("runtime.cache.table.hash", len, raising=False)
    for count, key in enumerate(["aa", "bb", "cc", "dd", "e"]):
        put(cache, key, count)
    cache.settle()
    for count, key in enumerate(["aa", "bb", "cc", "dd", "e"]):
        session = found(table, key)
        assert session is not None
        assert session.count == count
        cache.settle()
    assert found(table, "ff") is None
    end(table, "aa")
    end(table, "cc")
    cache.settle()
    assert sorted(session.key for session in table) == ["bb", "dd", "e"]
    assert found(table, "aa") is None
    assert found(table, "bb") is not None


def test_a_session_that_stands_nowhere_is_not_written(cache: Cache, table: SessionTable) -> None:
    """It is at hand: it has been taken off the wheel to be judged."""
    session = put(cache, "a")
    TimeWheel.forget(session)
    cache.settle()
    assert session.block == 0
    assert table.hot == 1
