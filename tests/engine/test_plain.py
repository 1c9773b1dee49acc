"""The short way of sessions beside the long one: what the loop and ticks do in line is what profiles do step by step.

A profile of a class of its own goes the long way, so two engines with the same rules take the same events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.output import LineOutput
from runtime.profile import Profile
from runtime.rules import TenantRules

RULES = """
@UpdateMetadata select n as first from Click(session.eventCount = 1);
@UpdateCounter('seen') select 1 from Click;
@AppendState(name='ns', colname='n', maxlength=3) select n from Click(n is not null);
@DecorateEvent select session.int('seen') as seen from Click(n > 1);
@DecorateEvent select 100 / (n - 3) as never from Click;
@DecorateEvent select session.filter({'ns'}) as lists, session.eventCount as events from VisitEnd;
@DecorateEvent select _snec as told from VisitEnd(_snec > 1);
@DecorateEvent select session.identifier as who from VisitBegin;
"""


class LongWay(Profile):
    """As every profile that is of a class of its own."""


class LongWayEngine(Engine):
    def _profile_class(self) -> type[Profile]:
        return LongWay


class TakesAll(LineOutput):
    """Refuses nothing, whatever it is told."""

    is_open = True


class TakesSome(TakesAll):
    """Refuses end markers while it is told to."""

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        return self.is_open and super().end_marker(fields, now_ms)


def tenant(**more: Any) -> dict[str, Any]:
    """A tenant whose profile has `more`."""
    return {
        "events": {"Click": {"user": "string", "at": "long", "n": "int"}, "View": {"user": "string", "at": "long"}},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);"
        "@Session('Visit') select user as _pk_, at as _timestamp_ from View;",
        "cache": {"hot": more.pop("hot", 1000)},
        "profiles": [{"name": "Visit", "type": 1, "gap": "5s", "end_marker": "VisitEnd", "rules_text": RULES, **more}],
    }


TENANTS = {
    "both markers": tenant(begin_marker="VisitBegin"),
    "too old": tenant(begin_marker="VisitBegin", max_active="8s"),
    "no markers": tenant(end_marker=None, rules_text="@UpdateCounter('seen') select 1 from Click;"),
    "hardly a gap": tenant(begin_marker="VisitBegin", gap="1ms"),
    "few objects": tenant(begin_marker="VisitBegin", hot=2),
    "shadow": tenant(begin_marker="VisitBegin", shadow=True),
}
CLICK = st.fixed_dictionaries(
    {"user": st.sampled_from(["a", "b", "c", "d"]), "_type": st.just("Click")}, optional={"n": st.integers(0, 4)}
)
VIEW = st.fixed_dictionaries({"user": st.sampled_from(["a", "b", "é"]), "_type": st.just("View")})
# How long after the clock an event is, what it is, and whether anybody takes ends from then on; or who ends by force.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 400, 999, 1000, 4999, 5000, 5001, 9000, -300, -2500]), CLICK | VIEW, st.booleans()
    )
    | st.sampled_from(["a", "b"]),
    max_size=40,
)

AGAIN_AT_ONCE = [(0, {"user": "a", "_type": "Click"}, True), "a", (0, {"user": "a", "_type": "Click"}, True)]
"""A session that begins in the ms in which one of its key has begun and ended: its markers have ids of their own."""


@pytest.fixture(scope="module")
def rules(compile_text: Callable[[dict[str, Any]], TenantRules]) -> dict[str, tuple[TenantRules, TenantRules]]:
    """Each tenant twice, since rules count their matches."""
    return {name: (compile_text(each), compile_text(each)) for name, each in TENANTS.items()}


def outcome(
    made: type[Engine], rules: TenantRules, steps: list[Any], size: int, clock: Clock, output: TakesAll | None = None
) -> dict[str, Any]:
    """All that shows of an engine that takes so many events at a time."""
    output = output or TakesSome()
    before = dict(enumerate(matches for *_, matches in rules.matches()))
    engine = made(rules, output, clock=clock)
    refused: list[Refused] = []
    left: list[list[bytes]] = []
    live: list[int] = []
    batch: list[bytes] = []
    now_ms = 1_000_000

    def give() -> None:
        driven = now_ms if clock is Clock.DRIVER else None
        engine.process(batch, driven, refuse=refused.append)
        batch.clear()
        left.append(output.take())
        live.append(engine.live_sessions)

    for step in steps:
        if isinstance(step, str):
            give()
            engine.end_session("Visit", step)
            continue
        pause_ms, event, is_open = step
        if is_open != output.is_open:
            give()
            output.is_open = is_open
        at_ms, now_ms = now_ms + pause_ms, max(now_ms, now_ms + pause_ms)
        batch.append(json.dumps({**event, "at": at_ms}).encode())
        if len(batch) == size:
            give()
    give()
    output.is_open = True
    engine.drain()
    left.append(output.take())
    (profile,) = engine.profiles
    return {
        "left": left,
        "refused": refused,
        "live": live,
        "profile": asdict(profile.counters),
        "tenant": asdict(engine.counters),
        "matches": [matches - before[number] for number, (*_, matches) in enumerate(rules.matches())],
        "objects": profile.table.hot,
        "next tick": engine._at_work.wheel.next_tick_ms,
    }


@pytest.mark.parametrize("clock", [Clock.DRIVER, Clock.EVENT_TIME], ids=["driven", "event time"])
@pytest.mark.parametrize("name", TENANTS)
@settings(max_examples=40, deadline=None)
@given(steps=STEPS, size=st.integers(1, 20))
@example(steps=AGAIN_AT_ONCE, size=1)
def test_both_ways_come_to_the_same(
    rules: dict[str, tuple[TenantRules, TenantRules]], name: str, clock: Clock, steps: list[Any], size: int
) -> None:
    short, long = rules[name]
    assert outcome(Engine, short, steps, size, clock) == outcome(LongWayEngine, long, steps, size, clock)


def markers_of(outcome: dict[str, Any]) -> dict[str, Any]:
    """The same without the events that left."""
    return {**outcome, "left": [[line for line in lines if b'"_type":"Visit' in line] for lines in outcome["left"]]}


@pytest.mark.parametrize("output", [TakesSome, TakesAll])
@pytest.mark.parametrize("name", TENANTS)
@settings(max_examples=40, deadline=None)
@given(steps=STEPS, size=st.integers(1, 20))
def test_markers_leave_alone_as_among_events(
    rules: dict[str, tuple[TenantRules, TenantRules]], name: str, output: type[TakesAll], steps: list[Any], size: int
) -> None:
    """Ticks wait where no event leaves, and end markers are gathered where nobody refuses one."""
    short, long = rules[name]
    alone = outcome(Engine, short, steps, size, Clock.EVENT_TIME, output(wants_events=False))
    assert alone == markers_of(outcome(LongWayEngine, long, steps, size, Clock.EVENT_TIME, output()))


def test_the_short_way_is_taken(rules: dict[str, tuple[TenantRules, TenantRules]]) -> None:
    """Else the test above compares the long way with itself."""
    short, long = rules["too old"]
    for made, each, is_short in ((Engine, short, True), (LongWayEngine, long, False)):
        (profile,) = made(each, LineOutput(), clock=Clock.EVENT_TIME).profiles
        assert (profile.begins_plainly, profile.ends_plainly) == (is_short, is_short)


def test_a_profile_has_few_attributes(rules: dict[str, tuple[TenantRules, TenantRules]]) -> None:
    """CPython finds those of an object with 30 or more in a dict each time: a hot event takes a twentieth longer."""
    engine = Engine(rules["both markers"][0], LineOutput())
    assert len(vars(engine.profiles[0])) < 30
