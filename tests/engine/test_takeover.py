"""An engine that goes on where another is: what leaves and what is counted is as if there had been one all along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.rules import TenantRules
from runtime.takeover import CannotTakeOver, TakenOver, cool, take_over

from .test_snapshot import Compiled, Row, Sent, config, counted, events, feed


def check_goes_on(
    before: Row,
    after: Row,
    given: list[tuple[int, Row]],
    compile_text: Compiled,
    *,
    cuts: tuple[int, ...],
    clock: Clock = Clock.DRIVER,
    partitions: int = 1,
    refused: tuple[str, int] = ("", 0),
) -> Engine:
    """Engines that take turns at the events, one taking over from the other, do what one alone does."""
    alone = Sent(*refused)
    one = Engine(compile_text(before), alone, clock=clock)
    feed(one, given, clock, partitions)
    one.drain()
    sent = Sent(*refused)
    engine = Engine(compile_text(before), sent, clock=clock)
    at = 0
    for number, cut in enumerate(cuts):
        feed(engine, given[at:cut], clock, partitions)
        at = cut
        while number % 2 and any(table.cool(7) for table in engine.cache.tables):
            """It goes on with few objects, or with many."""
        live = engine.live_sessions
        older, engine = engine, Engine(compile_text(before if number % 2 else after), sent, clock=clock)
        taken = take_over(engine, older)
        assert (taken.sessions, taken.dropped_sessions) == (live, 0)
        engine.take_waiting(taken.waiting)
    feed(engine, given[at:], clock, partitions)
    engine.drain()
    assert sent.sent == alone.sent
    assert counted(engine) == counted(one)
    assert engine.live_sessions == 0
    assert engine.cache.pages.used_blocks == 0
    return engine


@pytest.mark.parametrize("hot", [0, 3, 1000])
def test_goes_on(compile_text: Compiled, hot: int) -> None:
    tenant = config({"hot": hot})
    check_goes_on(tenant, tenant, events(300), compile_text, cuts=(0, 1, 2, 100, 101, 200, 299))


@pytest.mark.parametrize("cache", [{"block_size": 128}, {"page_size": "64KiB"}, {"hot": 1000}, {"memory": "64KiB"}])
def test_with_another_cache(compile_text: Compiled, cache: Row) -> None:
    before, after = config({"hot": 5}), config({"hot": 5, **cache})
    check_goes_on(before, after, events(200), compile_text, cuts=(60, 120, 160))


def test_several_partitions(compile_text: Compiled) -> None:
    tenant = config({"hot": 5}, time={"domain": "event"})
    given = events(250, apart_ms=3_000)
    check_goes_on(tenant, tenant, given, compile_text, cuts=(70, 130), clock=Clock.EVENT_TIME, partitions=3)


def test_events_need_not_wait_any_longer(compile_text: Compiled) -> None:
    before = config(time={"domain": "event", "allowed_lateness": "2s"})
    after = config(time={"domain": "event"})
    check_goes_on(before, after, events(80, pause_ms=900), compile_text, cuts=(40,), clock=Clock.EVENT_TIME)


@pytest.mark.parametrize("late", ["extend", "new"])
def test_events_that_wait_for_their_turn(compile_text: Compiled, late: str) -> None:
    tenant = config({"hot": 2}, time={"domain": "event", "allowed_lateness": "2s", "late": late})
    given = events(120, pause_ms=900, apart_ms=15_000)
    check_goes_on(tenant, tenant, given, compile_text, cuts=(40, 41, 60, 90), clock=Clock.EVENT_TIME)


def test_ends_that_were_refused(compile_text: Compiled) -> None:
    tenant = config({"hot": 5})
    check_goes_on(tenant, tenant, events(200, pause_ms=500), compile_text, cuts=(80, 110, 140), refused=("u", 25))


def test_the_policy_of_the_ender(compile_text: Compiled) -> None:
    tenant = config({"hot": 3}, time={"policy": "ender", "partitions": 4, "user_time": "at"})
    tenant["profiles"][0] |= {"sub_sessions": [], "rules_text": "@UpdateCounter('n') select 1 from Click;"}
    check_goes_on(tenant, tenant, events(60, pause_ms=700), compile_text, cuts=(20, 40))


def test_a_line_that_waited_is_refused_to_who_sent_it(compile_text: Compiled) -> None:
    tenant = config(time={"domain": "event", "allowed_lateness": "5s"})
    tenant["events"]["Other"] = {"user": "string"}
    refused: list[Refused] = []
    first = Engine(compile_text(tenant), Sent(), clock=Clock.EVENT_TIME)
    lines = [json.dumps({"_type": "Click", "user": "a", "at": at, "number": "x"}).encode() for at in (9_000, 8_000)]
    first.process([b'{"_type":"Click","user":"a","at":9000}'], refuse=refused.append)
    first.process(lines, refuse=refused.append)
    second = Engine(compile_text(tenant), Sent(), clock=Clock.EVENT_TIME)
    take_over(second, first)
    second.drain()
    assert [each.line for each in refused] == [1, 2]


def other_rules(**profile: Any) -> Row:
    """The tenant with something else about its profile."""
    tenant = config()
    tenant["profiles"][0] |= profile
    return tenant


def test_rules_that_keep_other_things(compile_text: Compiled) -> None:
    """A row is read by the new rules when it is touched next, whether it was an object or in pages."""
    rules = "@UpdateCounter('n') select 1 from Click; @UpdateState select number as latest from Click;"
    first = Engine(compile_text(config()), Sent())
    feed(first, events(100))
    sent = Sent()
    second = Engine(compile_text(other_rules(rules_text=rules)), sent)
    taken = take_over(second, first)
    assert taken == TakenOver(first.live_sessions, 0)
    counts = {each.key: each.st_n for each in first.profiles[0].table}
    assert {each.key: each.st_n for each in second.profiles[0].table} == counts
    assert {each.st_latest for each in second.profiles[0].table} == {None}


def test_sessions_of_a_profile_that_is_gone(compile_text: Compiled) -> None:
    first = Engine(compile_text(config()), Sent())
    feed(first, events(50))
    tenant = other_rules(name="Day", type=2)
    tenant["controller_text"] = "@Session('Day') select user as _pk_ from Click;"
    second = Engine(compile_text(tenant), Sent())
    assert take_over(second, first) == TakenOver(0, first.live_sessions)


def test_what_means_nothing_to_the_rules_is_refused(compile_text: Compiled) -> None:
    first = Engine(compile_text(config()), Sent())
    second = Engine(compile_text(config(time={"policy": "ender"})), Sent())
    with pytest.raises(CannotTakeOver, match="policy"):
        take_over(second, first)


@pytest.mark.parametrize("hot", [0, 4, 1000])
def test_both_go_on_where_it_was_copied(compile_text: Compiled, hot: int) -> None:
    tenant = config({"hot": hot})
    given = events(200)
    first = Engine(compile_text(tenant), out := Sent())
    feed(first, given[:100])
    second = Engine(compile_text(tenant), beside := Sent())
    take_over(second, first, copied=True)
    before = len(out.sent)
    for engine in (first, second):
        feed(engine, given[100:])
        engine.drain()
        assert engine.cache.pages.used_blocks == 0
    assert out.sent[before:] == beside.sent


def test_cooling_evicts_nobody(compile_text: Compiled) -> None:
    rules: TenantRules = compile_text(config({"hot": 1000, "memory": "8KiB"}))
    engine = Engine(rules, Sent())
    feed(engine, events(200, pause_ms=10))
    live, (table,) = engine.live_sessions, engine.cache.tables
    while table.cool(10):
        """As far as it goes."""
    assert engine.live_sessions == live
    assert table.hot
    assert engine.cache.pages.used_blocks
    assert not cool(engine), "few objects are no matter"
