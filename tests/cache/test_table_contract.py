"""What every `SessionTable` keeps: a new one joins by standing in TABLES."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from epl import SessionLayout
from runtime.cache import MemoryTable, SessionTable
from runtime.session import MainSession, session_class

TABLES: list[Callable[[], SessionTable]] = [MemoryTable]
CLASS = session_class(MainSession, SessionLayout({}, {}), 0)


def session(key: str, count: int = 1) -> MainSession:
    made: MainSession = CLASS(key, 1_000, 2_000, 10_000)
    made.count = count
    return made


@pytest.fixture(params=TABLES, ids=[table.__name__ for table in TABLES])
def table(request: pytest.FixtureRequest) -> SessionTable:
    made: SessionTable = request.param()
    return made


def test_empty(table: SessionTable) -> None:
    assert table.get("a") is None
    assert len(table) == 0
    assert list(table) == []


@pytest.mark.parametrize("key", ["a", "", "é\n\0", "x" * 10_000])
def test_put_and_get(table: SessionTable, key: str) -> None:
    table.put(session(key, count=5))
    table.put(session("other"))
    found = table.get(key)
    assert found is not None
    assert (found.key, found.count, found.first_event_ms, found.created_ms) == (key, 5, 1_000, 2_000)
    assert (found.expires_at_ms, found.gap_ms) == (12_000, 10_000)


def test_put_again_replaces(table: SessionTable) -> None:
    table.put(session("a", count=1))
    table.put(session("a", count=2))
    found = table.get("a")
    assert found is not None
    assert found.count == 2
    assert len(table) == 1


def test_changes_stay_after_put(table: SessionTable) -> None:
    """Until the next call for another key, what `get` gave may be changed in place."""
    table.put(session("a"))
    found = table.get("a")
    assert found is not None
    found.count = 7
    if not table.keeps_objects:
        table.put(found)
    table.put(session("b"))
    again = table.get("a")
    assert again is not None
    assert again.count == 7
    assert (again is found) or not table.keeps_objects


def test_remove(table: SessionTable) -> None:
    for key in "abc":
        table.put(session(key))
    found = table.get("b")
    assert found is not None
    table.remove(found)
    assert table.get("b") is None
    assert sorted(each.key for each in table) == ["a", "c"]
    assert len(table) == 2
    with pytest.raises(KeyError):
        table.remove(session("b"))


def test_a_key_may_come_back(table: SessionTable) -> None:
    first = session("a")
    table.put(first)
    table.remove(first)
    table.put(session("a", count=3))
    assert [each.count for each in table] == [3]
