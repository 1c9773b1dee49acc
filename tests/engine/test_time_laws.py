"""What holds for every stream of events, whatever the order, the batches, the clock and the sink (engine.md §6, §8)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.days import DayEnds
from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.output import to_json

Row = dict[str, Any]
FEW = settings(deadline=None)

SUB_SESSION = {
    "name": "Part",
    "gap": "4s",
    "begin_marker": "PartBegin",
    "end_marker": "PartEnd",
    "rules_text": "@DecorateEvent select session.eventCount as part_events from Click;"
    "@EndSession select 1 from Click(act = 'end part');",
}
PROFILE = {
    "name": "Visit",
    "type": 1,
    "gap": "10s",
    "max_active": "25s",
    "begin_marker": "VisitBegin",
    "end_marker": "VisitEnd",
    "rules_text": "@SubSession('Part') select part as _pk_ from Click;"
    "@DecorateEvent select session.eventCount as events from Click;"
    "@EndSession select 1 from Click(act = 'end'); @SplitSession select 1 from Click(act = 'split');",
    "sub_sessions": [SUB_SESSION],
}
FIELDS = {"user": "string", "at": "long", "part": "string", "act": "string"}


def tenant(profile: Row | None = None, *, timed: bool = False, **more: Any) -> Row:
    """One profile with sub-sessions; `timed`: by the events' own times."""
    at = ", at as _timestamp_" if timed else ""
    return {
        "events": {"Click": FIELDS},
        "controller_text": f"@Session('Visit') select user as _pk_{at} from Click(user is not null);"
        f"@Passive @Session('Visit') select user as _pk_{at} from Click(act = 'ping');",
        "profiles": [{**PROFILE, **(profile or {})}],
        **more,
    }


def lines_of(events: list[Row]) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


ACTS = st.sampled_from([None, None, None, "end", "split", "end part", "ping"])
CLICKS = st.fixed_dictionaries(
    {"user": st.sampled_from("aab"), "part": st.sampled_from([None, "x", "x", "y"]), "act": ACTS}
)
PAUSES = st.sampled_from([0, 1, 400, 999, 1000, 2500, 3999, 4000, 6000, 9999, 10000, 14000])
TIMED = st.lists(st.tuples(CLICKS, PAUSES), min_size=1, max_size=25)


def with_times(steps: list[tuple[Row, int]], start_ms: int = 20_000) -> list[Row]:
    """Events with a number and their times, in order."""
    events, now_ms = [], start_ms
    for number, (click, pause_ms) in enumerate(steps):
        now_ms += pause_ms
        events.append({**click, "at": now_ms, "n": number})
    return events


def in_batches(lines: list[bytes], random: Random) -> list[list[bytes]]:
    """The lines cut at random places; some batches are empty."""
    places = sorted(random.choices(range(len(lines) + 1), k=random.randint(0, 6)))
    return [lines[start:end] for start, end in pairwise([0, *places, len(lines)])]


# ---- order and batches


@FEW
@given(TIMED, st.randoms(use_true_random=False), st.sampled_from([1, 5_000, 30_000]))
def test_shuffled_within_the_lateness(
    engine_of: Callable[..., Any], steps: list[tuple[Row, int]], random: Random, lateness_ms: int
) -> None:
    """Events that arrive out of order by no more than the lateness give what the sorted stream gives."""
    time = {"domain": "event", "allowed_lateness": f"{lateness_ms}ms", "late": "drop"}
    config = tenant(timed=True, time=time)
    events = with_times(steps)
    # Events of one time keep their order: nothing says which of them was first.
    arrival = {at: at + random.randint(0, lateness_ms) for at in {event["at"] for event in events}}
    shuffled = sorted(events, key=lambda event: (arrival[event["at"]], event["n"]))
    outcomes = []
    for stream, batches in ((events, [lines_of(events)]), (shuffled, in_batches(lines_of(shuffled), random))):
        assert len(stream) == len(events)
        engine, output = engine_of(config, clock=Clock.EVENT_TIME)
        for batch in batches:
            engine.process(batch)
        engine.drain()
        outcomes.append((output.sent, engine.counters, engine.profiles[0].counters))
    assert outcomes[0] == outcomes[1]
    # Nor does it differ from a stream without any lateness, which is in order.
    engine, output = engine_of(tenant(timed=True, time={**time, "allowed_lateness": "0s"}), clock=Clock.EVENT_TIME)
    engine.process(lines_of(events))
    engine.drain()
    assert output.sent == outcomes[0][0]


ODD_LINES = st.sampled_from([b"", b"{", b'{"_type":"Other"}', b'{"act":"no user"}', b'{"user":7}'])


@FEW
@given(
    st.lists(st.tuples(CLICKS, st.integers(10_000, 60_000)).map(lambda pair: {**pair[0], "at": pair[1]}), max_size=20),
    st.lists(ODD_LINES, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from(["0s", "5s"]),
    st.sampled_from(["extend", "new", "drop", "dead_letter"]),
    st.sampled_from([0, 2]),
)
def test_batches_never_matter(
    engine_of: Callable[..., Any],
    events: list[Row],
    odd: list[bytes],
    random: Random,
    lateness: str,
    late: str,
    max_events: int,
) -> None:
    """Whatever the lines are: cut into batches, the same leaves, at the same times, and the same is refused."""
    time = {"domain": "event", "allowed_lateness": lateness, "late": late}
    config = tenant(timed=True, time=time, limits={"max_events": max_events})
    lines = lines_of(events) + odd
    random.shuffle(lines)
    outcomes = []
    for batches in ([lines], [[line] for line in lines], in_batches(lines, random)):
        refused: list[Refused] = []
        engine, output = engine_of(config, clock=Clock.EVENT_TIME)
        first_line = 1
        for batch in batches:
            engine.process(batch, first_line=first_line, refuse=refused.append)
            first_line += len(batch)
        engine.drain()
        outcomes.append((output.sent, sorted(refused, key=lambda each: each.line), engine.counters))
        assert len(refused) + sum("_type" not in sent or sent["_type"] == "Other" for _, sent in output.sent) + sum(
            not line for line in lines
        ) + (engine.counters.late["drop"] if late == "drop" else 0) == len(lines)
    assert outcomes[0] == outcomes[1] == outcomes[2]


# ---- the clock


@settings(max_examples=30, deadline=None)
@given(TIMED)
def test_a_replay_gives_what_the_live_run_gave(engine_of: Callable[..., Any], steps: list[tuple[Row, int]]) -> None:
    """Live, the clock is told at every whole second, too; a file is read at once, and its events are the clock."""
    events = with_times(steps)
    live, output = engine_of(tenant(timed=True))
    for event in events:
        for second in range(live.now_ms // 1_000 + 1, event["at"] // 1_000 + 1):
            live.advance(second * 1_000)
        live.process(lines_of([event]), event["at"])
    live.drain()
    for options in ({"clock": Clock.EVENT_TIME}, {"clock": Clock.FIELD, "now_field": "at"}):
        replayed, again = engine_of(tenant(timed=True), **options)
        replayed.process(lines_of(events))
        replayed.drain()
        assert again.sent == output.sent
        assert replayed.profiles[0].counters == live.profiles[0].counters


@FEW
@given(st.lists(st.tuples(CLICKS, st.integers(-30_000, 15_000)), min_size=1, max_size=25))
def test_a_clock_that_steps_back(engine_of: Callable[..., Any], steps: list[tuple[Row, int]]) -> None:
    """It is as if the clock stood still: nothing ends by it, nothing lives longer, nothing is negative."""
    outcomes = []
    for stands_still in (False, True):
        engine, output = engine_of(tenant())
        now_ms = highest_ms = 50_000
        engine.advance(now_ms)
        for click, pause_ms in steps:
            now_ms += pause_ms
            highest_ms = max(highest_ms, now_ms)
            engine.process(lines_of([click]), highest_ms if stands_still else now_ms)
        engine.drain()
        outcomes.append(output.sent)
        assert [now for now, _ in output.sent] == sorted(now for now, _ in output.sent)
        assert all(fields["_sndn"] >= 0 for _, fields in output.sent if "_sndn" in fields)
    assert outcomes[0] == outcomes[1]


@FEW
@given(st.lists(st.tuples(CLICKS, st.integers(0, 3), st.integers(0, 90_000)), min_size=1, max_size=25))
def test_partitions_with_clocks_of_their_own(engine_of: Callable[..., Any], steps: list[tuple[Row, int, int]]) -> None:
    """Even when a key comes from several: no duration is negative, and every session ends once."""
    time = {"domain": "event", "allowed_lateness": "2s", "late": "new"}
    engine, output = engine_of(tenant(timed=True, time=time), clock=Clock.EVENT_TIME)
    for click, partition, at in steps:
        engine.process(lines_of([{**click, "at": at}]), partition=partition, wall_ms=100_000)
    engine.close_idle(200_000)
    engine.drain()
    assert all(fields["_sndn"] >= 0 for _, fields in output.sent if "_sndn" in fields)
    assert_all_ended(engine, output.sent)


# ---- what engine.py does otherwise today


def test_a_rate_by_event_time(engine_of: Callable[..., Any]) -> None:
    engine, _ = engine_of(tenant(timed=True, limits={"rate": 2}, time={"domain": "event"}), clock=Clock.EVENT_TIME)
    engine.process(lines_of([{"user": "a", "at": at} for at in (1_000, 1_100, 1_200, 5_000, 9_000)]))
    assert engine.counters.refused["throttled"] == 1


def test_before_1970(engine_of: Callable[..., Any]) -> None:
    time = {"domain": "event", "late": "drop"}
    engine, output = engine_of(tenant(timed=True, time=time), clock=Clock.EVENT_TIME)
    engine.process(lines_of([{"user": "a", "at": at} for at in (-90_000, -80_500, -50_000)]))
    engine.drain()
    assert engine.counters.late.total() == 0
    ends = [(now, row["_snet"]) for now, row in output.sent if row.get("_type") == "VisitEnd"]
    assert ends == [(-70_000, -80_500), (-39_000, -50_000)]


@pytest.mark.parametrize("way", ["later batch", "drain"])
def test_a_future_event_that_waits(engine_of: Callable[..., Any], way: str) -> None:
    """It is clamped by the wall clock of its arrival, whenever its turn comes."""
    time = {"domain": "event", "allowed_lateness": "10s", "future": "1h"}
    engine, output = engine_of(tenant(timed=True, time=time), clock=Clock.EVENT_TIME)
    engine.process(lines_of([{"user": "a", "at": 4_605_000}]), wall_ms=1_000_000)
    if way == "later batch":
        engine.process(lines_of([{"user": "b", "at": 1_020_000}]), wall_ms=1_020_000)
    engine.drain()
    assert output.sent[0][0] == 1_000_000
    assert engine.counters.future == 1


def test_a_time_from_an_inserted_row(engine_of: Callable[..., Any]) -> None:
    config = tenant(timed=True, time={"domain": "event", "allowed_lateness": "10s"})
    config["controller_text"] = (
        "insert into Row select user, at from Click; @Session('Visit') select user as _pk_, at as _timestamp_ from Row;"
    )
    engine, output = engine_of(config, clock=Clock.EVENT_TIME)
    engine.process(lines_of([{"user": "a", "at": at} for at in (10_000, 5_000, 30_000)]))
    engine.drain()
    assert [row["at"] for _, row in output.sent if "at" in row] == [5_000, 10_000, 30_000]


def test_a_late_event_of_a_shadow_profile(engine_of: Callable[..., Any]) -> None:
    config = tenant({"shadow": True}, timed=True, time={"domain": "event", "late": "drop"})
    engine, output = engine_of(config, clock=Clock.EVENT_TIME)
    engine.process(lines_of([{"user": "a", "at": 90_000}, {"user": "b", "at": 1_000}]))
    assert len(output.sent) == 2


def test_room_while_one_end_is_refused(compile_text: Callable[..., Any]) -> None:
    """Another session is evicted, then; the limit holds."""
    sink = Choosy(Random(1))
    sink.refused_key = "a"
    engine = Engine(compile_text(tenant(limits={"sessions": 2})), sink)
    for number, user in enumerate("abcd"):
        engine.process(lines_of([{"user": user}]), 1_000 + number)
        assert engine.live_sessions <= 2


# ---- a sink that refuses


class Choosy:
    """Refuses end markers at random until it is told to take all, and keeps every attempt."""

    wants_events = True

    def __init__(self, random: Random) -> None:
        self.sent: list[tuple[int, Row]] = []
        self.tried: list[Row] = []
        self.takes_all = False
        self.refused_key: str | None = None
        self._random = random

    def event(self, raw: bytes, decorations: Row | None, now_ms: int) -> None:
        self.sent.append((now_ms, {"event": raw}))

    def marker(self, fields: Row, now_ms: int) -> None:
        self.sent.append((now_ms, json.loads(to_json(fields))))

    def end_marker(self, fields: Row, now_ms: int) -> bool:
        self.tried.append(json.loads(to_json(fields)))
        if self.refused_key is not None:
            refuses = fields["_snid"].startswith(self.refused_key)
        else:
            refuses = self._random.random() < 0.6
        if refuses and not self.takes_all:
            return False
        self.marker(fields, now_ms)
        return True


def assert_all_ended(engine: Engine, sent: list[tuple[int, Row]]) -> None:
    """Each session that began has ended once, with the same session id, and the counters say so."""
    for kind in ("Visit", "Part"):
        ids = [
            Counter((row["_snid"], row["_snst"]) for _, row in sent if row.get("_type") == f"{kind}{marker}")
            for marker in ("Begin", "End")
        ]
        assert ids[0] == ids[1]
    (profile,) = engine.profiles
    assert engine.live_sessions == 0
    for name, counters in (("VisitEnd", profile.counters), ("PartEnd", profile.sub_sessions[0].counters)):
        ends = [row for _, row in sent if row.get("_type") == name]
        assert counters.created == counters.ended.total() == len(ends)
        assert counters.ended == Counter(row["_snrs"] for row in ends)
        assert counters.events == sum(row["_snec"] for row in ends)
    assert not profile._waiting
    assert not profile._alone


@FEW
@given(
    TIMED,
    st.randoms(use_true_random=False),
    st.sampled_from([{}, {"limits": {"max_events": 3}}, {"limits": {"sessions": 1}}]),
    st.booleans(),
)
def test_every_end_is_delivered_once(
    compile_text: Callable[..., Any],
    steps: list[tuple[Row, int]],
    random: Random,
    limits: Row,
    midnight: bool,
) -> None:
    sink = Choosy(random)
    engine = Engine(compile_text(tenant({"midnight": midnight}, **limits)), sink)
    for event in with_times(steps, 86_400_000 - 30_000):
        # No two events at one time: the markers of two sessions that begin at one have one id.
        engine.process(lines_of([event]), event["at"] + event["n"])
        (profile,) = engine.profiles
        assert profile.counters.active == engine.live_sessions
        live_subs = sum(len(session.sub_sessions or ()) for session in profile.table)
        assert profile.sub_sessions[0].counters.active == live_subs
    sink.takes_all = True
    engine.drain()
    assert_all_ended(engine, sink.sent)
    assert engine.counters.ends_refused == len(sink.tried) - sum("_snec" in row for _, row in sink.sent)
    assert [now for now, _ in sink.sent] == sorted(now for now, _ in sink.sent)
    # A marker is sent again as it was, unless an event came in between, which may have split the session.
    tried: dict[tuple[str, int, str], Row] = {}
    for row in sink.tried:
        assert tried.setdefault((row["_snmk"], row["_snec"], row["_snrs"]), row) == row


def test_no_tick_is_in_the_past(compile_text: Callable[..., Any]) -> None:
    """A sub-session whose end is refused for an hour costs an event no tick for each second of it."""
    sink = Choosy(Random(1))
    engine = Engine(compile_text(tenant({"max_active": "0s"})), sink)
    sink.refused_key = "a"
    engine.process(lines_of([{"user": "a", "part": "x"}]), 1_000)
    for second in range(2, 3_600):
        engine.process(lines_of([{"user": "a"}]), second * 1_000)
    assert len(sink.tried) < 70
    assert engine._at_work.wheel.next_tick_ms > engine.now_ms


def test_two_sessions_of_one_millisecond(engine_of: Callable[..., Any]) -> None:
    engine, output = engine_of(tenant({"sub_sessions": [], "rules_text": "@EndSession select 1 from Click;"}))
    engine.process(lines_of([{"user": "a"}, {"user": "a"}]), 1_000)
    ids = [row["_snmk"] for _, row in output.sent if "_snmk" in row]
    assert len(set(ids)) == 4


# ---- limits


@FEW
@given(st.lists(st.tuples(st.sampled_from("abcdef"), PAUSES), max_size=30), st.integers(1, 3), st.booleans())
def test_no_more_sessions_than_the_limit(
    engine_of: Callable[..., Any], steps: list[tuple[str, int]], most: int, timed: bool
) -> None:
    config = tenant(timed=timed, limits={"sessions": most}, time={"domain": "event", "late": "new"})
    engine, output = engine_of(config, clock=Clock.EVENT_TIME if timed else Clock.DRIVER)
    now_ms = 30_000
    for user, pause_ms in steps:
        now_ms += pause_ms
        engine.process(lines_of([{"user": user, "at": now_ms}]), None if timed else now_ms)
        assert engine.live_sessions <= most
        assert user in {session.key for session in engine.profiles[0].table}
    engine.drain()
    assert_all_ended(engine, output.sent)


def test_the_one_due_first_is_evicted(engine_of: Callable[..., Any]) -> None:
    """After many events it is still the one whose latest event is the oldest."""
    engine, output = engine_of(tenant({"max_active": "0s"}, limits={"sessions": 5}))
    random = Random(7)
    latest: dict[str, int] = {}
    for number in range(400):
        now_ms, user = 1_000 + number * 137, random.choice("abcdefgh")
        latest = {key: at for key, at in latest.items() if (at + 10_000) // 1000 * 1000 + 1000 > now_ms}
        if user not in latest and len(latest) == 5:
            victim = min(latest, key=lambda key: latest[key])
            del latest[victim]
        else:
            victim = None
        before = len(output.sent)
        engine.process(lines_of([{"user": user}]), now_ms)
        evicted = [row["_snid"][0] for _, row in output.sent[before:] if row.get("_snrs") == "evicted"]
        assert evicted == ([] if victim is None else [victim])
        latest[user] = now_ms


def test_evicted_for_another_profile(engine_of: Callable[..., Any]) -> None:
    """A session that an event ends and for which it has no room either ends once."""
    first = {"name": "A", "type": 1, "end_marker": "AEnd", "rules_text": "@EndSession select 1 from Click;"}
    config = {
        "events": {"Click": FIELDS},
        "limits": {"sessions": 1},
        "controller_text": "@Session('A') select user as _pk_ from Click;@Session('B') select user as _pk_ from Click;",
        "profiles": [first, {"name": "B", "type": 2, "end_marker": "BEnd", "rules_text": ""}],
    }
    engine, output = engine_of(config)
    engine.process([b'{"user":"a"}', b'{"user":"b"}'], 1_000)
    engine.drain()
    assert Counter(row.get("_type") for _, row in output.sent) == {None: 2, "AEnd": 2, "BEnd": 2}


@pytest.mark.parametrize("value", [10**40, 10**4000, "\ud800", "x" * 100])
def test_a_state_of_any_size_is_measured(engine_of: Callable[..., Any], value: object) -> None:
    rules = "@UpdateState select g * g as big, fromJson(s) as m from Click;"
    config = tenant({"rules_text": rules, "sub_sessions": []}, limits={"state": "40"})
    config["events"] = {"Click": {"user": "string", "g": "bigint", "s": "string", "act": "string"}}
    engine, output = engine_of(config)
    event = {"user": "a", "g": value} if isinstance(value, int) else {"user": "a", "s": json.dumps({"m": value})}
    line = json.dumps(event).encode() if not isinstance(value, int) else b'{"user":"a","g":%d}' % value
    engine.process([line, b'{"user":"b"}'], 1_000)
    assert [row["_snid"][0] for _, row in output.sent if row.get("_snrs") == "evicted"] == (
        [] if value == "\ud800" else ["a"]
    )


# ---- days

ZONES = [
    "UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns",
    "Pacific/Kwajalein", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Cairo", "Atlantic/Azores", "America/Havana",
]  # fmt: skip
# Days on which clocks change, and a day of none.
DAYS = {
    "Europe/Berlin": [(2026, 3, 29), (2026, 10, 25)],
    "America/Sao_Paulo": [(2018, 11, 4), (2018, 2, 18)],
    "Pacific/Apia": [(2011, 12, 29), (2011, 12, 31)],
    "America/St_Johns": [(2006, 10, 29), (2006, 4, 2)],
    "Pacific/Kwajalein": [(1993, 8, 21)],
    "Asia/Beirut": [(2021, 3, 28), (2021, 10, 31)],
    "America/Havana": [(2023, 3, 12), (2023, 11, 5)],
    "Atlantic/Azores": [(2026, 10, 25)],
}
AROUND = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(st.just(zone), st.sampled_from([*DAYS.get(zone, []), (2024, 2, 28)]))
)


def day_of(time_ms: int, zone: str) -> Any:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def ms_of(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc]


@FEW
@given(AROUND, st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3_000_000)), min_size=1, max_size=40))
def test_no_session_spans_two_days(
    engine_of: Callable[..., Any],
    place: tuple[str, tuple[int, int, int]],
    steps: list[tuple[str, int]],
) -> None:
    zone, day = place
    profile = {"midnight": True, "gap": "25m", "max_active": "0s"}
    engine, output = engine_of(tenant(profile, time={"zone": zone}))
    now_ms = ms_of(*day) - 16 * 3_600_000
    opened: dict[str, int] = {}
    for user, pause_ms in steps:
        now_ms += pause_ms
        engine.process(lines_of([{"user": user}]), now_ms)
        opened[user] = now_ms
    engine.drain()
    for now, row in output.sent:
        if row.get("_type") == "VisitEnd":
            assert day_of(row["_snst"], zone) == day_of(row["_snet"], zone)
            if row["_snrs"] == "split":
                assert day_of(now, zone) != day_of(row["_snst"], zone)
                assert day_of(now - 1, zone) == day_of(row["_snst"], zone)


@pytest.mark.parametrize("zone", ZONES)
def test_ends_of_days_against_the_calendar(zone: str) -> None:
    """The end of a day is the first minute that has another date."""
    days = DayEnds(zone)
    for day in [*DAYS.get(zone, []), (2024, 2, 28)]:
        minutes = [ms_of(*day) - 30 * 3_600_000 + minute * 60_000 for minute in range(60 * 80)]
        dates = [day_of(minute, zone) for minute in minutes]
        end_ms = None
        for minute, date, later in reversed(list(zip(minutes, dates, dates[1:], strict=False))):
            if date != later:
                end_ms = minute + 60_000
            if end_ms is not None:
                assert days.end_ms(minute) == end_ms
                assert days.end_ms(minute + 59_999) == end_ms


@given(st.sampled_from(ZONES), st.integers(-(2**70), 2**70) | st.sampled_from([-62135596800000, 253402300799999]))
def test_days_of_any_time(zone: str, time_ms: int) -> None:
    assert time_ms < DayEnds(zone).end_ms(time_ms) <= time_ms + timedelta(days=2, hours=1) // timedelta(milliseconds=1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize("edge", [-62_135_596_800_000, -62_135_510_400_000, 253_402_214_400_000, 253_402_300_799_999])
@pytest.mark.parametrize("hours", range(-30, 31, 5))
def test_days_at_the_ends_of_the_calendar(zone: str, edge: int, hours: int) -> None:
    time_ms = edge + hours * 3_600_000
    assert time_ms < DayEnds(zone).end_ms(time_ms) <= time_ms + 2 * 86_400_000
