"""The `pulsar` scenario: a clickstream with the field names of eBay Pulsar's demo, for its rules and for benchmarks.

Events are as wide as real ones (about 600 bytes), so that the cost of decoding is honest.
"""

from __future__ import annotations

from random import Random

from runtime.simulate.catalog import BOT, DEVICES, ITEMS, PLACES, REFERRERS, price_of
from runtime.simulate.people import Person
from runtime.simulate.scenario import Event, Scenario
from runtime.simulate.waits import Waits

_WAITS = Waits(median_ms=13_400, sigma=1.3)
_CRAWLING = Waits(median_ms=700, sigma=0.4)
_MEAN_EVENTS = 8
_SITE = "https://shop.example"
_KINDS = ("view", "view", "view", "view", "click", "click", "search", "addToCart", "bid", "purchase")
_WITH_ITEM = frozenset({"view", "addToCart", "bid", "purchase"})
_WITH_AMOUNT = frozenset({"bid", "purchase"})
_TITLES = {"view": "Item", "click": "Home", "search": "Results", "addToCart": "Cart", "bid": "Bid", "purchase": "Done"}


def _base(person: Person) -> Event:
    """What all events of a person share; dynamic fields hold their place."""
    place = PLACES[person.pick(0, len(PLACES))]
    device = BOT if person.is_bot else DEVICES[person.pick(16, len(DEVICES))]
    number = person.number
    octets = (number >> 16 & 255, number >> 8 & 255, number & 255)
    event: Event = {
        "_type": "PulsarEvent",
        "si": f"{number:08x}-{person.traits & 0xFFFF:04x}-4b6e-9c1d-{person.traits >> 16:012x}",
        "tn": f"site{number % 3}",
        "or": "web" if device.kind == "desktop" else "mweb",
        "ct": 0,
        "ts": 0,
        "et": "",
        "url": "",
        "rf": "",
        "t": "",
        "ua": device.user_agent,
        "ipv4": f"10.{octets[0]}.{octets[1]}.{octets[2]}",
        "ipv6": f"2001:db8::{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}",
        "_cty": place.city,
        "_con": place.continent,
        "_cn": place.country,
        "_rgn": place.region,
        "_lon": place.longitude,
        "_lat": place.latitude,
        "_tlcn": place.country.lower(),
        "_dd_dc": device.kind,
        "_dd_os": device.os,
        "_dd_osv": device.os_version,
        "_dd_bf": device.browser,
        "_dd_bv": device.browser_version,
        "_dd_d": device.kind.capitalize(),
        "dd_df": device.family,
    }
    if person.pick(32, 5) < 2:
        event["user"] = f"user{number}"
    return event


def _visit(rng: Random, person: Person, start_ms: int) -> list[Event]:
    base = _base(person)
    bot = person.is_bot
    waits = _CRAWLING if bot else _WAITS
    random = rng.random
    ct = start_ms
    referrer = REFERRERS[int(random() * len(REFERRERS))]
    events: list[Event] = []
    for _ in range(60 + int(random() * 140) if bot else 1 + int(rng.expovariate(1 / (_MEAN_EVENTS - 0.5)))):
        et = "view" if bot else _KINDS[int(random() * len(_KINDS))]
        item = int(ITEMS * random() ** 2)
        url = f"{_SITE}/p/{item}" if et in _WITH_ITEM else f"{_SITE}/{et}"
        event = base.copy()
        event["ct"] = ct
        event["ts"] = ct + 20 + int(400 * random() ** 4)  # when the collector got it
        event["et"] = et
        event["url"] = url
        event["rf"] = referrer
        event["t"] = _TITLES[et]
        if et in _WITH_ITEM:
            event["itm"] = str(item)
        if et in _WITH_AMOUNT:
            event["amt"] = price_of(item)
        events.append(event)
        referrer = url
        ct += waits.draw(rng)
    return events


PULSAR = Scenario(
    name="pulsar",
    summary="a clickstream with the field names of eBay Pulsar's demo, wide events, for its rules and for benchmarks",
    event_types=("PulsarEvent",),
    time_field="ct",
    mean_events=9.5,
    visit=_visit,
)
