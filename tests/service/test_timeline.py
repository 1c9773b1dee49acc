"""The timeline of a session: legible whatever the proportions of its times, and true to what its trace says."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from runtime.protocol.answers import SessionDetails, SubSessionFacts, Traced
from runtime.service.lane_chart import lane_chart
from runtime.service.lanes import Lane, lanes_of
from runtime.service.time_axis import TimeAxis, groups

MINUTE = 60_000
BEGAN_MS = 1_767_600_000_000


def numbers(key: str, began_ms: int = BEGAN_MS, last_ms: int = BEGAN_MS, gap_ms: int = 30 * MINUTE) -> Any:
    """What all sessions and sub-sessions have."""
    return {
        "key": key,
        "session_id": f"{'ann' if key != 'ann' else ''}{key}{began_ms:016x}",
        "first_event_ms": began_ms,
        "created_ms": began_ms,
        "modified_ms": last_ms,
        "expires_at_ms": last_ms + gap_ms,
        "gap_ms": gap_ms,
        "duration_ms": last_ms - began_ms,
        "events": 3,
        "bot_type": 0,
        "bot_events": 0,
    }


def session(*carts: SubSessionFacts, last_ms: int = BEGAN_MS + 9000) -> SessionDetails:
    """A visit of ann."""
    visit = numbers("ann", last_ms=last_ms)
    return {
        "profile": "Visit",
        **visit,
        "max_active_ms": 0,
        "state": {},
        "metadata": {},
        "sub_sessions": list(carts),
    }


def traced(now_ms: int, *steps: tuple[str, str, str, str]) -> Traced:
    """An event with what happened: to which kind, by id, and why."""
    lives: Any = [{"kind": what, "of": of, "session": session_id, "why": why} for what, of, session_id, why in steps]
    return {"line": 1, "now_ms": now_ms, "event": "{}", "outcome": "ok", "keys": [], "steps": lives, "due": []}


def cart_id(key: str, began_ms: int) -> str:
    """The id of a cart of ann."""
    return f"ann{key}{began_ms:016x}"


def test_events_seconds_apart_are_apart_beside_a_wait_of_half_an_hour() -> None:
    times = [0, 2000, 3000, 7000, 9000]
    axis = TimeAxis([*times, 12_000, 30 * MINUTE + 9000])
    assert [stretch.length_ms for stretch in axis.breaks] == [30 * MINUTE - 3000]
    assert min(later - earlier for earlier, later in pairwise(map(axis.at, times))) > 5


def test_a_pause_is_broken_like_the_wait() -> None:
    axis = TimeAxis([0, 1000, 2000, 25 * MINUTE, 25 * MINUTE + 1000, 55 * MINUTE])
    assert [stretch.is_broken for stretch in axis.stretches] == [False, False, True, False, True]
    assert axis.at(1000) - axis.at(0) > 20


@pytest.mark.parametrize("times", [[0, 10, 30, 60, 100], [0, 20 * MINUTE, 40 * MINUTE], [5], [5, 5], [0, MINUTE]])
def test_what_fits_on_one_scale_is_in_proportion(times: list[int]) -> None:
    axis = TimeAxis(times)
    span = max(times) - min(times)
    assert axis.breaks == []
    assert [axis.at(time) for time in times] == [round(100 * (time - times[0]) / (span or 1), 2) for time in times]


def test_later_is_never_further_left_and_all_is_on_the_axis() -> None:
    axis = TimeAxis([0, 7, 1000, 5 * MINUTE, 5 * MINUTE + 30, 20 * MINUTE, 24 * 60 * MINUTE])
    places = [axis.at(time) for time in range(-MINUTE, 25 * 60 * MINUTE, 7919)]
    assert (places, places[0], places[-1]) == (sorted(places), 0.0, 100.0)


def test_ticks_are_round_times_and_keep_their_distance() -> None:
    axis = TimeAxis([0, 4000, 9300, 30 * MINUTE])
    assert [tick.since_ms for tick in axis.ticks(12)] == [0, 2000, 4000, 6000, 8000]
    assert [tick.since_ms for tick in axis.ticks(30)] == [0, 5000]
    assert len(TimeAxis([0, 10**15]).ticks(12)) < 10, "whatever events say"


def test_marks_that_would_cover_each_other_are_one() -> None:
    assert groups([10, 50, 51, 11, 52, 90], apart=3) == [[0, 3], [1, 2, 4], [5]]
    assert groups([], apart=3) == []


def test_lanes_are_what_is_live_and_what_was_seen_to_end() -> None:
    live: Any = {
        **numbers("c2", BEGAN_MS + 5000, BEGAN_MS + 9000, 10 * MINUTE),
        "sub_session": "Cart",
        "state": {},
        "metadata": {},
    }
    over, visit = cart_id("c1", BEGAN_MS + 1000), f"ann{BEGAN_MS:016x}"
    trace = [
        traced(BEGAN_MS + 9000, ("went on", "Visit", visit, ""), ("went on", "Visit/Cart", live["session_id"], "")),
        traced(
            BEGAN_MS + 4000,
            ("went on", "Visit", visit, ""),
            ("went on", "Visit/Cart", over, ""),
            ("ended", "Visit/Cart", over, "explicit"),
        ),
        traced(BEGAN_MS + 1000, ("went on", "Visit", visit, ""), ("began", "Visit/Cart", over, "")),
    ]
    main, first, second = lanes_of(session(live), trace)
    assert (main.kind, main.seen_ms) == ("Visit", [BEGAN_MS + 1000, BEGAN_MS + 4000, BEGAN_MS + 9000])
    assert first == Lane(
        *("Cart", "c1", BEGAN_MS + 1000, BEGAN_MS + 4000, BEGAN_MS + 4000, 2, "explicit"),
        seen_ms=[BEGAN_MS + 1000, BEGAN_MS + 4000],
    )
    assert (second.key, second.ended, second.seen_ms) == ("c2", None, [BEGAN_MS + 9000])


def test_how_many_events_a_sub_session_had_is_not_guessed() -> None:
    trace = [traced(BEGAN_MS + 4000, ("ended", "Visit/Cart", cart_id("c1", BEGAN_MS + 1000), "gap: it was quiet"))]
    _, cart = lanes_of(session(), trace)
    assert (cart.key, cart.events, cart.ended) == ("c1", None, "gap")


def test_what_ended_with_an_earlier_session_of_the_key_has_no_lane() -> None:
    earlier = cart_id("c1", BEGAN_MS - 5000)
    split = traced(
        BEGAN_MS,
        ("ended", "Visit/Cart", earlier, "parent"),
        ("ended", "Visit", f"ann{BEGAN_MS - 5000:016x}", "split"),
        ("began", "Visit", f"ann{BEGAN_MS:016x}", ""),
    )
    assert [lane.kind for lane in lanes_of(session(), [split])] == ["Visit"]


def test_the_chart_is_told_in_words() -> None:
    cart = Lane("Cart", "c1", BEGAN_MS + 1000, BEGAN_MS + 4000, BEGAN_MS + 4000, 2, "explicit")
    visit = Lane("Visit", "ann", BEGAN_MS, BEGAN_MS + 9000, BEGAN_MS + 9000 + 30 * MINUTE, 12)
    chart = lane_chart([visit, cart], BEGAN_MS + 10_000)
    told = "Visit ann: 12 events in 9.0 s, due in 29 min 59 s; Cart c1: 2 events in 3.0 s, ended: explicit"
    assert f'aria-label="Timeline. {told}"' in chart
    assert ">30 min</text>" in chart, "how long the stretch is that is drawn short"


def test_a_session_of_many_carts_shows_the_latest() -> None:
    visit = Lane("Visit", "ann", BEGAN_MS, BEGAN_MS + 90_000, BEGAN_MS + 30 * MINUTE, 90)
    carts = [
        Lane("Cart", f"c{n}", BEGAN_MS + n * 1000, BEGAN_MS + n * 1000, BEGAN_MS + 10 * MINUTE, 1) for n in range(90)
    ]
    chart = lane_chart([visit, *carts], BEGAN_MS)
    assert len(re.findall('class="name"', chart)) == 12
    assert "Cart c89" in chart and "79 sub-sessions that began earlier are in the table." in chart
