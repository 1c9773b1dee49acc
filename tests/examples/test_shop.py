"""The shop's visits and carts, told a second time in plain Python and compared with what the rules say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from runtime.replay import Replayed

VISIT_GAP_MS = 30 * 60_000
CART_GAP_MS = 10 * 60_000
CART_EVENTS = {"add_to_cart", "remove_from_cart", "checkout", "purchase"}

Line = dict[str, Any]


def money(price: float) -> Decimal:
    """The price as it is written, so that sums are exact."""
    return Decimal(str(price))


def visits_of(events: list[Line]) -> list[Line]:
    """The visits of one user, each with its events, carts and the reason of its end."""
    visits: list[Line] = []
    visit: Line | None = None
    for event in events:
        campaign = event["campaign"]
        if visit is not None:
            if event["ts"] - visit["events"][-1]["ts"] >= VISIT_GAP_MS:
                visit = None
            elif campaign is not None and campaign != visit["campaign"]:
                end_visit(visit, "split", event["ts"])
                visit = None
        if visit is None:
            visit = {"campaign": campaign, "reason": "gap", "events": [], "carts": []}
            visits.append(visit)
        visit["events"].append(event)
        if event["et"] in CART_EVENTS:
            add_to_carts(visit["carts"], event)
        if event["et"] == "logout":
            end_visit(visit, "explicit", event["ts"])
            visit = None
    return visits


def add_to_carts(carts: list[Line], event: Line) -> None:
    """Puts an event into the live cart of its id, or into a new one."""
    same = [cart for cart in carts if cart["id"] == event["cart_id"]]
    cart = same[-1] if same else None
    if cart is None or cart["reason"] == "explicit" or event["ts"] - cart["events"][-1]["ts"] >= CART_GAP_MS:
        cart = {"id": event["cart_id"], "reason": "gap", "events": []}
        carts.append(cart)
    cart["events"].append(event)
    if event["et"] == "purchase":
        cart["reason"] = "explicit"


def end_visit(visit: Line, reason: str, now_ms: int) -> None:
    """An event ends the visit, and with it the carts that are still live."""
    visit["reason"] = reason
    for cart in visit["carts"]:
        if cart["reason"] == "gap" and now_ms - cart["events"][-1]["ts"] < CART_GAP_MS:
            cart["reason"] = "parent"


def span_of(events: list[Line], key: str, reason: str) -> Line:
    """The fields that every end marker has."""
    start, end = events[0]["ts"], events[-1]["ts"]
    return {
        "_snid": f"{key}{start:016x}",
        "_snst": start,
        "_snet": end,
        "_sndn": end - start,
        "_snec": len(events),
        "_snrs": reason,
    }


def distinct_items(events: list[Line]) -> list[str]:
    """The five items that came last for the first time, as long as they are remembered."""
    items: list[str] = []
    for event in events:
        if event["et"] in ("view", "add_to_cart") and event.get("item") and event["item"] not in items:
            items = [*items, event["item"]][-5:]
    return items


def visit_end(visit: Line) -> Line:
    """What the visit's end marker should say."""
    events = visit["events"]
    first = events[0]
    kinds = Counter(event["et"] for event in events)
    bought = [money(event["price"]) for event in events if event["et"] == "purchase"]
    too_fast = any(
        number > 40 and event["ts"] - first["ts"] < number * 2000 for number, event in enumerate(events, start=1)
    )
    expected = {
        "_type": "VisitEnd",
        "landing": first["url"],
        "device": first["device"],
        "country": first["country"],
        **span_of(events, first["user_id"], visit["reason"]),
        "views": kinds["view"],
        "searches": kinds["search"],
        "purchases": len(bought),
        "revenue": float(sum(bought)),
        "last_url": events[-1]["url"],
        "bot": too_fast,
    }
    if first["campaign"] is not None:
        expected["campaign"] = first["campaign"]
    if items := distinct_items(events):
        expected["items"] = ",".join(items)
    return expected


def cart_end(cart: Line, visit: Line) -> Line:
    """What the cart's end marker should say."""
    events = cart["events"]
    kinds = Counter(event["et"] for event in events)
    value = Decimal(0)
    for event in events:
        match event["et"]:
            case "add_to_cart":
                value += money(event["price"]) * event["quantity"]
            case "remove_from_cart":
                value -= money(event["price"]) * event["quantity"]
            case _:
                value = money(event["price"])
    user = events[0]["user_id"]
    return {
        "_type": "CartEnd",
        "cart_id": cart["id"],
        "visit_id": span_of(visit["events"], user, "")["_snid"],
        **span_of(events, user + cart["id"], cart["reason"]),
        "adds": kinds["add_to_cart"],
        "removes": kinds["remove_from_cart"],
        "value": float(max(value, Decimal(0))),
        "bought": kinds["purchase"] > 0,
    }


@pytest.fixture(scope="module")
def visits(recorded: Callable[[str], list[Line]]) -> list[Line]:
    """All visits, by hand."""
    by_user = defaultdict(list)
    for event in recorded("shop"):
        by_user[event["user_id"]].append(event)
    return [visit for events in by_user.values() for visit in visits_of(events)]


@pytest.fixture(scope="module")
def lines(replayed: Callable[[str], tuple[list[Line], Replayed]]) -> list[Line]:
    """Everything that the engine sends."""
    return replayed("shop")[0]


def of_type(lines: list[Line], name: str) -> list[Line]:
    """The lines of one type, sorted by session."""
    return by_id([line for line in lines if line["_type"] == name])


def by_id(markers: list[Line]) -> list[Line]:
    """Sorted by session; ids are unique here."""
    assert len({marker["_snid"] for marker in markers}) == len(markers)
    return sorted(markers, key=lambda marker: str(marker["_snid"]))


def test_visits(visits: list[Line], lines: list[Line]) -> None:
    """Every field of every visit's end marker."""
    assert of_type(lines, "VisitEnd") == by_id([visit_end(visit) for visit in visits])


def test_carts(visits: list[Line], lines: list[Line]) -> None:
    """Every field of every cart's end marker."""
    assert of_type(lines, "CartEnd") == by_id([cart_end(cart, visit) for visit in visits for cart in visit["carts"]])


def test_totals(recorded: Callable[[str], list[Line]], lines: list[Line]) -> None:
    """The numbers that the README tells, and the revenue straight from the events."""
    visit_ends, cart_ends = of_type(lines, "VisitEnd"), of_type(lines, "CartEnd")
    revenue = sum(money(event["price"]) for event in recorded("shop") if event["et"] == "purchase")
    assert revenue == Decimal("99731.11")
    assert sum(money(visit["revenue"]) for visit in visit_ends) == revenue
    assert sum(money(cart["value"]) for cart in cart_ends if cart["bought"]) == revenue
    assert sum(visit["views"] for visit in visit_ends) == 10_928
    assert sum(visit["purchases"] for visit in visit_ends) == sum(cart["bought"] for cart in cart_ends) == 758
    assert len(visit_ends) == 1753
    assert sum(visit["purchases"] > 0 for visit in visit_ends) == 535
    assert Counter(visit["_snrs"] for visit in visit_ends) == {"gap": 1366, "split": 194, "explicit": 193}
    assert len(cart_ends) == 1690
    parts = Counter(cart["cart_id"] for cart in cart_ends)
    bought = {cart["cart_id"] for cart in cart_ends if cart["bought"]}
    assert len(parts) == 1606
    assert sum(number > 1 for number in parts.values()) == 83
    assert sum(not cart["bought"] and cart["cart_id"] in bought for cart in cart_ends) == 59
    assert Counter(cart["_snrs"] for cart in cart_ends) == {"gap": 795, "explicit": 758, "parent": 137}


def test_bots_are_the_robots(lines: list[Line]) -> None:
    """The simulator says which devices are robots; the rule finds them by their pace alone."""
    marked = [visit for visit in of_type(lines, "VisitEnd") if visit["bot"]]
    assert {visit["_snid"] for visit in marked} == {
        visit["_snid"] for visit in of_type(lines, "VisitEnd") if visit["device"] == "bot"
    }
    assert len(marked) == 16


def test_begin_markers(lines: list[Line]) -> None:
    """Each session has one, right before its first event, and it says the same as the end marker."""
    for kind in ("Visit", "Cart"):
        begins, ends = of_type(lines, f"{kind}Begin"), of_type(lines, f"{kind}End")
        assert len(begins) == len(ends)
        for begin, end in zip(begins, ends, strict=True):
            assert {**begin, "_type": end["_type"]}.items() <= end.items()
    for marker, after in pairwise(lines):
        if marker["_type"] == "VisitBegin":
            assert after["_type"] in ("ShopEvent", "CartBegin")
            assert after.get("visit_id") == marker["_snid"]


def test_events(visits: list[Line], recorded: Callable[[str], list[Line]], lines: list[Line]) -> None:
    """Every event leaves in its place, with its visit; a purchase also with what led to it."""
    added: dict[int, Line] = {}
    for visit in visits:
        events = visit["events"]
        first = events[0]
        visit_id = span_of(events, first["user_id"], "")["_snid"]
        for number, event in enumerate(events, start=1):
            extra = {"visit_id": visit_id, "visit_event": number}
            if event["et"] == "purchase":
                before = events[: number - 1]
                extra["views_before"] = sum(earlier["et"] == "view" for earlier in before)
                extra["landing"] = first["url"]
                if items := distinct_items(before):
                    extra["last_items"] = ",".join(items)
            added[id(event)] = {**event, **extra}
    originals = [event for visit in visits for event in visit["events"]]
    originals.sort(key=lambda event: (event["ts"], event["user_id"]))
    sent = [line for line in lines if line["_type"] == "ShopEvent"]
    assert [event["ts"] for event in sent] == [event["ts"] for event in recorded("shop")]
    sent.sort(key=lambda event: (event["ts"], event["user_id"]))
    assert sent == [added[id(event)] for event in originals]


def test_counters(replayed: Callable[[str], tuple[list[Line], Replayed]], visits: list[Line]) -> None:
    """Purchases by campaign, and that nothing went wrong on the way."""
    engine = replayed("shop")[1].engine
    expected: Counter[str] = Counter()
    for visit in visits:
        bought = sum(event["et"] == "purchase" for event in visit["events"])
        expected[f"purchases by campaign-{visit['campaign'] or 'none'}"] += bought
    assert engine.counters.debug == expected
    assert not engine.counters.rule_errors
    assert engine.counters.outcomes == {"ok": 20_000}
    assert engine.live_sessions == 0
