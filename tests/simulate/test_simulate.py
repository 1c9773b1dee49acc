"""Simulated streams: the same for a seed, in order, and like what they imitate."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from random import Random

import msgspec
import pytest

from runtime.simulate import SCENARIOS, Event, Scenario, simulate
from runtime.simulate.people import Population
from runtime.simulate.timeline import in_order

START = 1_767_600_000_000
HOUR = 3_600_000

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def stream(name: str, events: int = 20_000, users: int = 500, seed: int = 7, hours: float = 24) -> list[Event]:
    """A whole stream."""
    return list(simulate(name, events=events, users=users, seed=seed, start_ms=START, hours=hours))


@each_scenario
def test_the_seed_decides(scenario: Scenario) -> None:
    """Same seed, same bytes; another seed, others."""
    first, again, other = (msgspec.json.encode(stream(scenario.name, 3_000, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@each_scenario
@pytest.mark.parametrize(
    ("events", "users", "hours"), [(1, 1, 24), (500, 1, 1), (3_000, 5, 0.5), (20_000, 500, 24), (20_000, 50_000, 240)]
)
def test_exact_number_in_order_over_the_hours(scenario: Scenario, events: int, users: int, hours: float) -> None:
    """The span is about what was asked for; the last visits may run on."""
    got = stream(scenario.name, events, users, hours=hours)
    times = [event[scenario.time_field] for event in got]
    assert len(got) == events
    assert times == sorted(times)
    assert times[0] == START
    if events == 20_000:
        assert 0.8 * hours * HOUR < times[-1] - START < 1.2 * hours * HOUR + 8 * HOUR


@each_scenario
def test_type_first(scenario: Scenario) -> None:
    """Readers and people look there."""
    got = stream(scenario.name, 2_000)
    assert {next(iter(event)) for event in got} == {"_type"}
    assert {event["_type"] for event in got} == set(scenario.event_types)


@each_scenario
def test_mean_events(scenario: Scenario) -> None:
    """The pace relies on the stated mean."""
    rng = Random(3)
    population = Population(5_000, 3)
    sizes = [len(scenario.visit(rng, population.draw(rng, 0), 0)) for _ in range(20_000)]
    assert sum(sizes) / len(sizes) == pytest.approx(scenario.mean_events, rel=0.1)


@each_scenario
def test_visits_are_in_order_and_not_before_their_start(scenario: Scenario) -> None:
    """What the merge relies on."""
    rng = Random(4)
    population = Population(1_000, 4)
    for _ in range(500):
        times = [event[scenario.time_field] for event in scenario.visit(rng, population.draw(rng, 0), START)]
        assert times == sorted(times)
        assert times[0] == START


def test_shop_carts() -> None:
    """A cart begins with an add, has an id while it has something in it, and a purchase ends it."""
    carts: dict[str, list[Event]] = defaultdict(list)
    for event in stream("shop"):
        if "cart_id" in event:
            carts[event["cart_id"]].append(event)
        assert ("cart_id" in event) or event["et"] not in {"add_to_cart", "remove_from_cart", "checkout", "purchase"}
    bought = 0
    for events in carts.values():
        kinds = [event["et"] for event in events]
        assert kinds[0] == "add_to_cart"
        assert len({event["user_id"] for event in events}) == 1
        if "purchase" in kinds:
            bought += 1
            assert kinds.index("purchase") == len(kinds) - 1
            assert "checkout" in kinds
            assert events[-1]["price"] > 0
            assert events[-1]["quantity"] >= 1
    assert 0.1 < bought / len(carts) < 0.9


def test_shop_kinds_and_fields() -> None:
    """Every kind of event comes, views most; searches have a query, campaigns are rare."""
    got = stream("shop")
    kinds = Counter(event["et"] for event in got)
    assert set(kinds) == {
        "view",
        "search",
        "add_to_cart",
        "remove_from_cart",
        "checkout",
        "purchase",
        "login",
        "logout",
    }
    assert kinds.most_common(1)[0][0] == "view"
    assert all(("query" in event) == (event["et"] == "search") for event in got)
    assert 0.005 < sum(event["campaign"] is not None for event in got) / len(got) < 0.1


def test_shop_people_pause_and_come_back() -> None:
    """Gaps of half an hour happen, and so do several visits a day; few people make most of the events."""
    by_user: dict[str, list[int]] = defaultdict(list)
    for event in stream("shop"):
        if "bot" not in event["ua"]:
            by_user[event["user_id"]].append(event["ts"])
    gaps = [later - earlier for times in by_user.values() for earlier, later in pairwise(times)]
    assert sum(30 * 60_000 < gap < 2 * HOUR for gap in gaps) > 50
    assert sum(gap > 2 * HOUR for gap in gaps) > 200
    assert sum(gap < 60_000 for gap in gaps) > 0.6 * len(gaps)
    sizes = sorted(map(len, by_user.values()), reverse=True)
    assert sum(sizes[:50]) > 0.25 * sum(sizes)


def test_shop_bots_are_few_and_fast() -> None:
    """By their user agent; they only view, a thousand pages an hour."""
    bots: dict[str, list[Event]] = defaultdict(list)
    users = set()
    for event in stream("shop"):
        users.add(event["user_id"])
        if "bot" in event["ua"]:
            bots[event["user_id"]].append(event)
    assert 0 < len(bots) < 0.03 * len(users)
    for events in bots.values():
        assert {event["et"] for event in events} == {"view"}
        gaps = sorted(later["ts"] - earlier["ts"] for earlier, later in pairwise(events))
        assert gaps[len(gaps) // 2] < 1_000


def test_app_pings_and_crashes() -> None:
    """A ping every 30 s while open; some devices go on for more than half an hour; crashes are rare."""
    by_device: dict[str, list[Event]] = defaultdict(list)
    got = stream("app")
    for event in got:
        by_device[event["device_id"]].append(event)
    kinds = Counter(event["name"] for event in got)
    assert set(kinds) == {"open", "screen", "tap", "ping", "crash", "background"}
    assert 0 < kinds["crash"] < 0.05 * kinds["open"]
    assert all(1 <= event["battery"] <= 100 for event in got)
    longest = 0
    for events in by_device.values():
        run = 0
        for earlier, later in pairwise(events):
            run = run + 1 if later["name"] == "ping" and later["ts"] - earlier["ts"] <= 30_000 else 0
            longest = max(longest, run if later.get("screen") is None else 0)
    assert longest > 60


def test_pulsar_fields() -> None:
    """The fields that its rules read are always there; amounts come with what costs money."""
    fields = "si tn or ct ua ipv4 ipv6 rf et url _cty _con _cn _rgn _lon _lat _tlcn _dd_dc _dd_os _dd_osv _dd_bf _dd_d"
    needed = {*fields.split(), "_dd_bv", "t", "ts", "dd_df"}
    got = stream("pulsar", 3_000)
    for event in got:
        assert needed <= event.keys()
        assert ("amt" in event) == (event["et"] in {"bid", "purchase"})
        assert event["ts"] > event["ct"]
    assert 0.2 < sum("user" in event for event in got) / len(got) < 0.6


def test_in_order_holds_back_what_may_not_go_yet() -> None:
    """A long visit among thousands of short ones comes out in its places; equal times keep their order."""
    long = [{"ts": second * 1000, "who": "long"} for second in range(3_000)]
    short = [(second * 100, [{"ts": second * 100, "who": f"s{second}"}] * 2) for second in range(30_000)]
    got = list(in_order([(0, long), *short], "ts"))
    assert len(got) == 63_000
    assert [event["ts"] for event in got] == sorted(event["ts"] for event in got)
    assert [event["who"] for event in got[:3]] == ["long", "s0", "s0"]


def test_traits_do_not_depend_on_the_visit() -> None:
    """A person is the same device in the same city each time."""
    seen: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for event in stream("shop", 5_000):
        seen[event["user_id"]].add((event["city"], event["ua"]))
    assert {len(traits) for traits in seen.values()} == {1}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("nope", {}, "there are shop, app, pulsar"),
        ("shop", {"events": -1}, "must not be negative"),
        ("shop", {"users": 0}, "must be positive"),
        ("shop", {"hours": 0}, "must be positive"),
        ("shop", {"hours": float("inf")}, "must be positive"),
    ],
)
def test_bad_arguments(name: str, changes: dict[str, float], message: str) -> None:
    """Said at the call, not at the first event."""
    arguments = {"events": 10, "users": 10, "seed": 1, "start_ms": START, "hours": 1, **changes}
    with pytest.raises(ValueError, match=message):
        simulate(name, **arguments)  # type: ignore[arg-type]


def test_no_events() -> None:
    """An empty stream is a stream."""
    assert stream("shop", 0) == []
