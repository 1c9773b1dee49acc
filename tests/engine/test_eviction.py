"""Memory that is full, or too small (engine.md §8 in the design): who goes, and that nobody is lost."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from runtime.cache.pages import Pages
from runtime.engine import Engine

BLOCK = 64
SMALL, LARGE = 1, 2_000
"""Bytes of state: one block for a session of the first kind, beyond all of the memory for one of the second."""
RULES = "@UpdateState select text from Click; @SubSession('Part') select part as _pk_ from Click;"
Row = dict[str, Any]
EngineOf = Callable[..., tuple[Engine, Any]]


def heads(pages: Pages) -> list[int]:
    """The first blocks of all entries."""
    return [block for page in range(pages.reserved_pages) for block in pages.heads(page)]


def config(blocks: int, hot: int = 0, **more: Row) -> Row:
    """A tenant whose sessions have so many blocks in all, one of which is never handed out."""
    return {
        "events": {"Click": {"user": "string", "text": "string", "part": "string", "gap": "int"}},
        "cache": {
            "hot": hot,
            "block_size": BLOCK,
            "page_size": BLOCK * blocks,
            "memory": BLOCK * blocks,
            "hash_capacity": 1,
        },
        "controller_text": "@Session('Visit') select user as _pk_, gap as _duration_ from Click;",
        "profiles": [
            {
                "name": "Visit",
                "type": 1,
                "gap": "10s",
                "begin_marker": "VisitBegin",
                "end_marker": "VisitEnd",
                "rules_text": RULES,
                "sub_sessions": [{"name": "Part", "gap": "1s", "end_marker": "PartEnd", "rules_text": ""}],
            }
        ],
        **more,
    }


def click(engine: Engine, now_ms: int, user: str, size: int = SMALL, **fields: Any) -> None:
    engine.process([json.dumps({"user": user, "text": "t" * size, **fields}).encode()], now_ms)


def ends(output: Any, kind: str = "VisitEnd") -> list[tuple[int, str, str]]:
    """End markers that were taken: when, whose, why."""
    return [
        (now_ms, fields["_snid"][:-16], fields["_snrs"])
        for now_ms, fields in output.sent
        if fields.get("_type") == kind
    ]


class Refuses:
    """An output that takes no end of these users."""

    wants_events = False

    def __init__(self, *users: str) -> None:
        self.users = set(users)
        self.asked: Counter[str] = Counter()
        self.sent: list[tuple[int, Row]] = []

    def event(self, raw: bytes, decorations: Row | None, now_ms: int) -> None:
        raise AssertionError("no event is wanted")

    def marker(self, fields: Row, now_ms: int) -> None:
        self.sent.append((now_ms, fields))

    def end_marker(self, fields: Row, now_ms: int) -> bool:
        user = fields["_snid"][:-16]
        self.asked[user] += 1
        if user in self.users:
            return False
        self.marker(fields, now_ms)
        return True


# ---- who goes


@pytest.mark.parametrize("hot", [0, 2])
def test_the_session_due_first_is_evicted(engine_of: EngineOf, hot: int) -> None:
    """Not the one that began first, nor the one whose event was longest ago; two blocks a session, room for five."""
    engine, output = engine_of(config(blocks=11, hot=hot))
    for number, user in enumerate("abcde"):
        click(engine, 1_000 + number, user, 60, gap=2_000 if user == "d" else 9_000)
    click(engine, 1_500, "a", 60)
    engine.cache.settle()
    for number, user in enumerate("fghijk"):
        click(engine, 1_600 + number, user, 60)
    gone = [user for _, user, reason in ends(output) if reason == "evicted"]
    engine.drain()
    assert gone
    assert gone == ["d", "b", "c", "e", "a", "f", "g"][: len(gone)]
    assert sorted(user for _, user, _ in ends(output)) == sorted("abcdefghijk")
    assert engine.live_sessions == 0


def test_never_the_one_that_is_being_put(engine_of: EngineOf) -> None:
    """Though it is due first by far, those that are due later go for it."""
    engine, output = engine_of(config(blocks=11))
    for user in "abcde":
        click(engine, 1_000, user, 60, gap=9_000)
    for size in range(60, 360, 30):
        click(engine, 1_100, "growing", size, gap=1_000)
        engine.cache.settle()
    gone = [user for _, user, reason in ends(output) if reason == "evicted"]
    assert set(gone) & set("abcde")
    assert "growing" not in gone
    assert engine.profiles[0].table.find("growing") is not None


def test_its_sub_sessions_end_before_it(engine_of: EngineOf) -> None:
    engine, output = engine_of(config(blocks=11))
    click(engine, 1_000, "first", 1, part="x", gap=8_000)
    for number in range(10):
        click(engine, 1_100, f"u{number}", 60)
    markers = [fields for _, fields in output.sent if fields.get("_type", "").endswith("End")]
    assert [(fields["_type"], fields["_snrs"]) for fields in markers[:2]] == [
        ("PartEnd", "parent"),
        ("VisitEnd", "evicted"),
    ]
    assert markers[1]["_snid"].startswith("first")


def test_of_all_profiles_and_partitions(engine_of: EngineOf) -> None:
    """Their pages are the same, so the first of all that are due makes room."""
    tenant = config(blocks=21, time={"domain": "event"})
    (visit,) = tenant["profiles"]
    plain = {"sub_sessions": [], "rules_text": "@UpdateState select text from Click;"}
    day = {**visit, **plain, "name": "Day", "type": 2, "gap": "20s", "begin_marker": None, "end_marker": "DayEnd"}
    tenant["profiles"] = [{**visit, **plain}, day]
    tenant["controller_text"] += "@Session('Day') select user as _pk_ from Click;"
    engine, output = engine_of(tenant)
    for number in range(20):
        event = {"user": f"u{number}", "text": "t" * 60}
        engine.process([json.dumps(event).encode()], 1_000 + number, partition=number % 3)
    assert {user for _, user, reason in ends(output) if reason == "evicted"} == {
        f"u{number}" for number in range(20)
    } - {user.key for user in engine.profiles[0].table}
    assert engine.live_sessions == sum(len(profile.table) for profile in engine.profiles)
    engine.drain()
    for kind in ("VisitEnd", "DayEnd"):
        assert sorted(user for _, user, _ in ends(output, kind)) == sorted(f"u{number}" for number in range(20))
    assert engine.cache.pages.used_blocks == 0


# ---- one that cannot fit


def test_one_larger_than_the_memory_is_evicted_and_no_other(engine_of: EngineOf) -> None:
    engine, output = engine_of(config(blocks=16))
    for user in "abc":
        click(engine, 1_000, user)
    click(engine, 1_100, "large", LARGE)
    for user in "abcabc":
        click(engine, 1_200, user)
    engine.cache.settle()
    assert [(user, reason) for _, user, reason in ends(output)] == [("large", "evicted")]
    engine.drain()
    assert {reason for _, user, reason in ends(output) if user != "large"} == {"gap"}
    assert engine.live_sessions == 0
    assert engine.cache.pages.used_blocks == 0


def test_one_that_grows_beyond_the_memory(engine_of: EngineOf) -> None:
    """Its entry goes with it, and the key may come back."""
    engine, output = engine_of(config(blocks=16))
    for size in (SMALL, 100, 300, LARGE):
        click(engine, 1_000, "grows", size)
    engine.cache.settle()
    assert ends(output) == [(1_000, "grows", "evicted")]
    assert engine.cache.pages.used_blocks == 0
    click(engine, 1_100, "grows")
    assert engine.live_sessions == 1
    engine.drain()
    assert [reason for _, _, reason in ends(output)] == ["evicted", "gap"]


# ---- nobody takes the end


@pytest.mark.parametrize("hot", [0, 4])
def test_a_sink_that_refuses_all_ends_loses_nothing(compile_text: Callable[[Row], Any], hot: int) -> None:
    """The sessions stay objects, more of them than there may be, until their ends are taken."""
    users = [f"u{number}" for number in range(30)]
    output = Refuses(*users)
    engine = Engine(compile_text(config(blocks=11, hot=hot)), output)
    for turn in range(3):
        for number, user in enumerate(users):
            click(engine, 1_000 + 100 * turn + number, user, 60)
    engine.cache.settle()
    (profile,) = engine.profiles
    assert engine.live_sessions == len(profile.table) == 30
    assert engine.counters.ends_refused > 0
    assert engine.cache.failed_puts > 0
    for user in users:
        session = profile.table.find(user)
        assert session is not None
        assert session.count == 3
    output.users.clear()
    engine.drain()
    assert engine.live_sessions == 0
    assert sorted(user for _, user, _ in ends(output)) == sorted(users)
    assert engine.cache.pages.used_blocks == 0


def test_one_whose_end_is_refused_is_passed_over(compile_text: Callable[[Row], Any]) -> None:
    output = Refuses("a")
    engine = Engine(compile_text(config(blocks=11)), output)
    for number, user in enumerate("abcdefghij"):
        click(engine, 1_000 + number, user, 60)
    assert [user for _, user, _ in ends(output)][:2] == ["b", "c"]
    assert engine.profiles[0].table.find("a") is not None
    output.users.clear()
    engine.drain()
    assert sorted(user for _, user, _ in ends(output)) == sorted("abcdefghij")


def test_one_that_is_too_large_and_whose_end_is_refused(compile_text: Callable[[Row], Any]) -> None:
    """It stays an object, and goes on with its next event."""
    output = Refuses("large")
    engine = Engine(compile_text(config(blocks=11)), output)
    click(engine, 1_000, "large", LARGE)
    for user in "abcabc":
        click(engine, 1_100, user)
    assert engine.live_sessions == 4
    click(engine, 1_200, "large", SMALL)
    session = engine.profiles[0].table.find("large")
    assert session is not None
    assert session.count == 2
    output.users.clear()
    engine.drain()
    assert Counter(user for _, user, _ in ends(output)) == Counter(["large", "a", "b", "c"])


def test_nobody_is_asked_at_each_event(compile_text: Callable[[Row], Any]) -> None:
    """All sessions, once a second: there may be millions of them, and events go on."""
    users = [f"u{number}" for number in range(40)]
    output = Refuses(*users)
    engine = Engine(compile_text(config(blocks=11)), output)
    for turn in range(20):
        for user in users:
            click(engine, 1_000 + turn * 10, user, 60)
    assert output.asked.total() <= len(users)
    click(engine, 2_500, "u0", 60)
    click(engine, 2_500, "u1", 60)
    assert len(users) < output.asked.total() <= 5 * len(users)


# ---- all of it at once


@pytest.mark.parametrize("hot", [0, 5, 15])
@pytest.mark.parametrize("seed", range(4))
def test_in_a_crowd_each_session_ends_once(compile_text: Callable[[Row], Any], hot: int, seed: int) -> None:
    """Of all sizes, some refused for a while, with time going on: what began has ended once, and nothing is left."""
    source = random.Random(seed)
    output = Refuses()
    engine = Engine(compile_text(config(blocks=64, hot=hot)), output)
    now_ms = 1_000
    for _ in range(600):
        now_ms += source.choice([0, 1, 50, 700])
        if source.random() < 0.1:
            output.users = {f"u{source.randrange(60)}" for _ in range(source.choice([0, 5, 40]))}
        size = source.choice([1, 1, 50, 100, 200, 800])
        more = {"part": "x"} if source.random() < 0.2 else {}
        click(engine, now_ms, f"u{source.randrange(60)}", size, gap=source.choice([2_000, 8_000]), **more)
        (profile,) = engine.profiles
        assert engine.live_sessions == len(profile.table)
    output.users.clear()
    engine.drain()
    begun = [fields["_snid"] for _, fields in output.sent if fields["_type"] == "VisitBegin"]
    ended = [fields["_snid"] for _, fields in output.sent if fields["_type"] == "VisitEnd"]
    assert Counter(begun) == Counter(ended)
    assert profile.counters.ended["evicted"] > 0
    assert (engine.live_sessions, len(profile.table), engine.cache.pages.used_blocks) == (0, 0, 0)


# ---- a long churn


def test_a_long_churn_leaves_nothing_behind(engine_of: EngineOf) -> None:
    """Fifty thousand sessions, a few thousand at a time, five hundred as objects."""
    tenant = config(blocks=1024, hot=500, limits={"max_idle": "30s"})
    tenant["cache"]["memory"] = "16MiB"
    engine, _ = engine_of(tenant | {"profiles": [tenant["profiles"][0] | {"begin_marker": None, "end_marker": None}]})
    (profile,) = engine.profiles
    table, pages = profile.table, engine.cache.pages
    source = random.Random(7)
    most_used = 0
    for batch in range(500):
        lines = []
        for number in range(100):
            lines.append(b'{"user":"u%d","text":"%s"}' % (batch * 100 + number, b"t" * source.randrange(150)))
            if number % 4 == 0 and batch > 20:
                again = (batch - source.randrange(20)) * 100 + source.randrange(100)
                lines.append(b'{"user":"u%d","text":"%s"}' % (again, b"t" * source.randrange(400)))
        engine.process(lines, 1_000 + batch * 300)
        if batch % 10 == 0:
            engine.cache.settle()
            assert len(table) == engine.live_sessions
            assert table.hot <= 500
            assert len(heads(pages)) == len(table._index or ()) <= len(table)
            most_used = max(most_used, pages.used_bytes)
    assert profile.counters.created >= 50_000
    assert profile.counters.ended["evicted"] == 0
    assert pages.reserved_bytes <= most_used * 1.5 + pages.page_size, "blocks are used again"
    engine.drain()
    assert (len(table), table.hot, len(table._index or ()), engine.live_sessions) == (0, 0, 0, 0)
    assert (pages.used_bytes, heads(pages)) == (0, [])
    assert not engine.cache.wheels[0].slots
