"""Sessions that go to other parts: what leaves, and what is counted, is as if one engine had had all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from runtime.config import load_tenant
from runtime.engine import Clock, Engine
from runtime.fleet.division import CannotDivide, Owner, divide
from runtime.rules import TenantRules, compile_tenant
from tests.engine.test_snapshot import Sent, config, counted, events, feed

Row = dict[str, Any]
Compiled = Callable[[Row], TenantRules]


@pytest.fixture
def compiled(tmp_path: Path) -> Compiled:
    """Compiles the rules of a tenant anew each time, since they count."""

    def compile_anew(tenant: Row) -> TenantRules:
        (tmp_path / "sessionizer.yaml").write_text(json.dumps({"tenant": "shop", **tenant}))
        return compile_tenant(load_tenant(tmp_path))

    return compile_anew


def owner_of(parts: int) -> Owner:
    """Who of so many owns a session."""
    return lambda profile, key: crc32(key.encode()) % parts


def in_order(sent: Sent) -> list[str]:
    """What has left, in an order that parts cannot have an influence on."""
    return sorted(json.dumps(each) for each in sent.sent)


def check_goes_on(
    tenant: Row, compiled: Compiled, given: list[tuple[int, Row]], parts: tuple[int, ...], refused: tuple[str, int]
) -> None:
    """So many parts one after the other, each of which has its share of the events, do what one engine does."""
    alone, sent = Sent(*refused), Sent(*refused)
    one = Engine(compiled(tenant), alone)
    feed(one, given)
    one.drain()
    engines = [Engine(compiled(tenant), sent)]
    rest = iter(given)
    for number in parts:
        live = sum(engine.live_sessions for engine in engines)
        new = [Engine(compiled(tenant), sent) for _ in range(number)]
        assert divide(engines, new, owner_of(len(engines)), owner_of(number), engines) == live
        engines = new
        for now_ms, event in islice(rest, len(given) // len(parts)):
            feed(engines[owner_of(number)("Visit", event["user"])], [(now_ms, event)])
    (last,) = engines
    last.drain()
    assert in_order(sent) == in_order(alone)
    assert counted(last) == counted(one)
    assert last.live_sessions == 0
    assert last.cache.pages.used_blocks == 0


@pytest.mark.parametrize("hot", [0, 3, 1000])
@pytest.mark.parametrize("refused", [("", 0), ("u7", 5)], ids=["all ends are taken", "some wait"])
def test_from_one_number_to_another(compiled: Compiled, hot: int, refused: tuple[str, int]) -> None:
    check_goes_on(config({"hot": hot}), compiled, events(300), (3, 2, 5, 1), refused)


def test_sessions_of_one_key_and_one_moment_have_markers_of_their_own(compiled: Compiled) -> None:
    again = (10_000, {"user": "u7", "at": 10_000, "act": "end"})
    check_goes_on(config(), compiled, [again] * 6, (2, 3, 1), ("", 0))


def test_sessions_that_were_cut_are_known_as_long_ones(compiled: Compiled) -> None:
    tenant = config()
    tenant["profiles"][0] |= {"gap": "10s", "max_active": "15s"}
    check_goes_on(tenant, compiled, events(402, pause_ms=100), (2, 3, 1), ("", 0))


def test_each_profile_has_its_own(compiled: Compiled) -> None:
    tenant = config({"hot": 5})
    tenant["controller_text"] = """
        @Session('Visit') select user as _pk_ from Click(number < 2);
        @Session('Other') select user as _pk_ from Click(number > 1);
    """
    other = {"name": "Other", "type": 2, "gap": "7s", "end_marker": "OtherEnd"}
    other["rules_text"] = "@UpdateCounter('n') select 1 from Click;"
    tenant["profiles"].append(other)
    check_goes_on(tenant, compiled, events(300), (3, 2, 1), ("", 0))


@pytest.mark.parametrize("late", ["extend", "new"])
def test_what_one_part_has_moves_as_it_is(compiled: Compiled, late: str) -> None:
    tenant = config({"hot": 2}, time={"domain": "event", "allowed_lateness": "2s", "late": late})
    given = events(120, pause_ms=900, apart_ms=15_000)
    alone, sent = Sent(), Sent()
    one, first, second = (Engine(compiled(tenant), each, clock=Clock.EVENT_TIME) for each in (alone, sent, sent))
    others = [Engine(compiled(tenant), sent, clock=Clock.EVENT_TIME) for _ in range(2)]
    feed(one, given, Clock.EVENT_TIME, partitions=3)
    feed(first, given[:70], Clock.EVENT_TIME, partitions=3)
    divide([*others, first], [second], lambda profile, key: 2, lambda profile, key: 0, [first])
    feed(second, given[70:], Clock.EVENT_TIME, partitions=3)
    one.drain()
    second.drain()
    assert sent.sent == alone.sent
    assert counted(second) == counted(one)


@pytest.mark.parametrize("late", ["extend", "new", "dead_letter"])
def test_what_waits_goes_to_the_owner_of_its_key(compiled: Compiled, late: str) -> None:
    tenant = config({"hot": 2}, time={"domain": "event", "allowed_lateness": "5s", "late": late})
    given = events(120, pause_ms=400, apart_ms=12_000)
    alone, sent = Sent(), Sent()
    one = Engine(compiled(tenant), alone, clock=Clock.EVENT_TIME)
    feed(one, given, Clock.EVENT_TIME, partitions=2)
    engines = [Engine(compiled(tenant), sent, clock=Clock.EVENT_TIME)]
    rest = iter(given)
    for number in (1, 2, 3, 1):
        new = [Engine(compiled(tenant), sent, clock=Clock.EVENT_TIME) for _ in range(number)]
        divide(engines, new, owner_of(len(engines)), owner_of(number), engines)
        engines = new
        for now_ms, event in islice(rest, len(given) // 4):
            owner = engines[owner_of(number)("Visit", event["user"])]
            feed(owner, [(now_ms, event)], Clock.EVENT_TIME, partitions=2)
            for each in engines:
                for partition, come in owner.come_to().items():
                    each.hear(partition, *come)
    one.drain()
    for each in engines:
        each.drain()
    assert in_order(sent) == in_order(alone)


def test_sessions_of_the_ender_move_with_their_clocks(compiled: Compiled) -> None:
    tenant = config({"hot": 3}, time={"policy": "ender", "partitions": 4, "user_time": "at"})
    tenant["profiles"][0] |= {"sub_sessions": [], "rules_text": "@UpdateCounter('n') select 1 from Click;"}
    given = events(60, pause_ms=700)
    alone, sent = Sent(), Sent()
    one, other, first, second = (Engine(compiled(tenant), each) for each in (alone, sent, sent, sent))
    feed(one, given)
    feed(first, given[:30])
    divide([other, first], [second], lambda profile, key: 1, lambda profile, key: 0, [first])
    feed(second, given[30:])
    one.drain()
    second.drain()
    assert sent.sent == alone.sent
    assert counted(second) == counted(one)


def test_the_clock_goes_on_from_the_latest(compiled: Compiled) -> None:
    old = [Engine(compiled(config()), Sent()) for _ in range(3)]
    old[1].process([b'{"user": "ann"}'], 20_000)
    old[2].process([b'{"user": "bob"}'], 30_000)
    new = [Engine(compiled(config()), Sent()) for _ in range(2)]
    homes = {"ann": 1, "bob": 2}
    assert divide(old, new, lambda profile, key: homes[key], lambda profile, key: 0, old) == 2
    assert [engine.now_ms for engine in new] == [30_000, 30_000]
    assert [engine.live_sessions for engine in new] == [2, 0]


def test_a_session_that_is_not_where_its_events_come_stays(compiled: Compiled) -> None:
    old = [Engine(compiled(config()), Sent()) for _ in range(2)]
    feed(old[0], events(1))
    with pytest.raises(CannotDivide, match="profile `Visit`"):
        divide(old, [Engine(compiled(config()), Sent())], lambda profile, key: 1, lambda profile, key: 0, old)


def test_nobody_is_evicted_where_there_is_less_room(compiled: Compiled) -> None:
    sent = Sent()
    old = Engine(compiled(config()), sent)
    old.process([json.dumps({"user": f"u{number}", "text": "t" * 150}).encode() for number in range(3000)], 10_000)
    left = len(sent.sent)
    small = Engine(compiled(config({"memory": "64KiB"})), sent)
    assert divide([old], [small], lambda profile, key: 0, lambda profile, key: 0, [old]) == 3000
    assert len(sent.sent) == left
    small.drain()
    ended = [fields["_snid"] for _, fields in sent.sent if fields.get("_type") == "VisitEnd"]
    assert len(set(ended)) == len(ended) == 3000
