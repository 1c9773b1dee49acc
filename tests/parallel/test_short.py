"""The short way of sessions in a worker that begins in the middle, beside the long one.

The loops that are generated for it are held against `Passage._process_each` and a profile of a class of its own, which
take each event and each end step by step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from heapq import merge
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.doubt import Doubt
from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.output import LineOutput
from runtime.parallel.engines import LaterEngine, Successor
from runtime.parallel.handover import Handover
from runtime.parallel.place import PlacedOutput
from runtime.parallel.reasons import longest_pause_ms, why_in_one_piece
from runtime.profile import Profile
from runtime.rules import TenantRules

FIRST_MS = 1_000_000
GAP_MS = 5_000


class LongWay(Profile):
    """As every profile that is of a class of its own."""


class LongLater(LaterEngine):
    def _profile_class(self) -> type[Profile]:
        return LongWay

    def _process_all(self, *given: Any) -> None:
        self._process_each(*given)


class LongSuccessor(Successor):
    def _profile_class(self) -> type[Profile]:
        return LongWay


SHORT, LONG = (LaterEngine, Successor), (LongLater, LongSuccessor)

RULES = """
@UpdateMetadata select n as first from Click(session.eventCount = 1);
@UpdateCounter('seen') select 1 from Click;
@DecorateEvent select session.int('seen') as seen from Click(n > 1);
@DecorateEvent select 100 / (n - 3) as never from Click;
@DecorateEvent select session.eventCount as events from VisitEnd;
"""
ROUTES = """
@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);
@Session('Visit') select user as _pk_, at as _timestamp_ from View;
"""
DECORATED = f"{ROUTES} @DecorateEvent select n * 2 as twice, 'x' as user from Click(n > 0);"
PASSIVE = """
@Session('Visit') select user as _pk_, at as _timestamp_, 2000 as _duration_ from Click(user is not null);
@Session('Visit') @Passive select user as _pk_, at as _timestamp_ from View;
"""


def tenant(routes: str = ROUTES, *, hot: int = 1000, **more: Any) -> dict[str, Any]:
    """A tenant whose profile has `more`."""
    profile = {"name": "Visit", "type": 1, "gap": "5s", "end_marker": "VisitEnd", "rules_text": RULES, **more}
    return {
        "events": {"Click": {"user": "string", "at": "long", "n": "int"}, "View": {"user": "string", "at": "long"}},
        "limits": {"max_idle": "5s"},
        "controller_text": routes,
        "cache": {"hot": hot},
        "profiles": [profile],
    }


TENANTS = {
    "both markers": tenant(begin_marker="VisitBegin"),
    "too old": tenant(begin_marker="VisitBegin", max_active="8s"),
    "no markers": tenant(end_marker=None, rules_text="@UpdateCounter('seen') select 1 from Click;"),
    "few objects": tenant(begin_marker="VisitBegin", hot=4),
    "shadow": tenant(begin_marker="VisitBegin", shadow=True),
    "decorated": tenant(DECORATED, begin_marker="VisitBegin"),
    "passive": tenant(PASSIVE, begin_marker="VisitBegin"),
}
EVENT = st.fixed_dictionaries(
    {"user": st.sampled_from(["a", "a", "b", "c", "d"]), "_type": st.sampled_from(["Click", "Click", "View"])},
    optional={"n": st.integers(0, 4)},
)
# How long after the clock an event is, and what it is.
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 400, 1000, 2500, 4999, 5000, 5001, 6000, 6001, 9000, -300, -7000]), EVENT),
    max_size=40,
)


def lines_of(steps: Sequence[tuple[int, dict[str, Any]]], now_ms: int) -> list[bytes]:
    lines = []
    for pause_ms, event in steps:
        at_ms, now_ms = now_ms + pause_ms, max(now_ms, now_ms + pause_ms)
        lines.append(json.dumps({**event, "at": at_ms}).encode())
    return lines


def matches_of(rules: TenantRules) -> list[int]:
    return [matches for *_, matches in rules.matches()]


def outcome(
    kinds: tuple[type[LaterEngine], type[Successor]],
    rules: TenantRules,
    before: list[bytes],
    after: list[bytes],
    size: int,
    *,
    ordered: bool,
) -> dict[str, Any]:
    """All that shows of the engines of a worker; `before` is what the worker before it takes."""
    counted = matches_of(rules)
    first = Engine(rules, LineOutput(), clock=Clock.EVENT_TIME)
    first.process(before)
    refused: list[Refused] = []
    outputs = [(PlacedOutput if ordered else LineOutput)(wants_events=True) for _ in kinds]
    later = kinds[0](rules, outputs[0], clock=Clock.EVENT_TIME)
    later.begin(FIRST_MS, longest_pause_ms(rules))
    put_off = []
    for number in range(0, len(after), size):
        put_off += later.take(after[number : number + size], number + 1, refused.append)
    clock_ms = later.now_ms
    later.drain()
    successor = kinds[1](rules, outputs[1], clock=Clock.EVENT_TIME)
    successor.inherit(Handover.of([first], first.now_ms, first.last, 0))
    for start in range(0, len(put_off), size):
        successor.take_put_off(put_off[start : start + size], refused.append)
    successor.advance(clock_ms)
    successor.drain()
    left = [output.take() for output in outputs]
    places = [output.take_places() for output in outputs if isinstance(output, PlacedOutput)]
    return {
        # The two ways count the turns within a millisecond from different numbers on.
        "put off": [(number, line, now_ms, *found) for number, line, now_ms, _, *found in put_off],
        "left": left,
        "merged": [line for _, line in merge(*map(zip, places, left), key=itemgetter(0))],
        "refused": refused,
        "profiles": [asdict(engine.profiles[0].counters) for engine in (later, successor)],
        "tenants": [asdict(engine.counters) for engine in (later, successor)],
        "matches": [now - then for now, then in zip(matches_of(rules), counted, strict=True)],
    }


@pytest.mark.parametrize("ordered", [False, True], ids=["any order", "ordered"])
@pytest.mark.parametrize("name", TENANTS)
@settings(max_examples=15, deadline=None)
@given(before=STEPS, first=EVENT, after=STEPS, size=st.integers(1, 20))
def test_both_ways_come_to_the_same(
    rules_of: Callable[[dict[str, Any]], TenantRules],
    name: str,
    ordered: bool,
    before: list[Any],
    first: dict[str, Any],
    after: list[Any],
    size: int,
) -> None:
    rules = rules_of(TENANTS[name])
    assert why_in_one_piece(rules) is None
    earlier = [line for line in lines_of(before, FIRST_MS - 15_000) if json.loads(line)["at"] < FIRST_MS]
    given = (rules, earlier, lines_of([(0, first), *after], FIRST_MS), size)
    assert outcome(SHORT, *given, ordered=ordered) == outcome(LONG, *given, ordered=ordered)


def test_the_short_way_is_taken(rules_of: Callable[[dict[str, Any]], TenantRules]) -> None:
    """Else the test above compares the long way with itself."""
    rules = rules_of(TENANTS["too old"])
    for kinds, is_short in ((SHORT, True), (LONG, False)):
        for kind in kinds:
            (profile,) = kind(rules, PlacedOutput(wants_events=True), clock=Clock.EVENT_TIME).profiles
            assert (profile.begins_plainly, profile.ends_plainly) == (is_short, is_short)


def test_at_first_there_is_doubt_about_every_key() -> None:
    doubt = Doubt(FIRST_MS, GAP_MS)
    assert doubt.covers("a", False, FIRST_MS)
    assert doubt.covers("b", False, FIRST_MS + GAP_MS - 1)


def test_a_key_that_is_new_after_the_longest_pause_has_no_past() -> None:
    assert not Doubt(FIRST_MS, GAP_MS).covers("a", False, FIRST_MS + GAP_MS)


def test_doubt_goes_on_until_its_key_has_been_quiet() -> None:
    doubt = Doubt(FIRST_MS, GAP_MS)
    for pause_ms in range(0, 5 * GAP_MS, GAP_MS - 1):
        assert doubt.covers("a", False, FIRST_MS + pause_ms)
    assert not doubt.covers("a", False, FIRST_MS + pause_ms + GAP_MS)
    assert not doubt.heard_ms


def test_a_passive_event_does_not_prolong_the_doubt() -> None:
    doubt = Doubt(FIRST_MS, GAP_MS)
    assert doubt.covers("a", False, FIRST_MS)
    assert doubt.covers("a", True, FIRST_MS + GAP_MS - 1)
    assert not doubt.covers("a", False, FIRST_MS + GAP_MS)
