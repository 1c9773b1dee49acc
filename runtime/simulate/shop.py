"""The `shop` scenario: people in a web shop, with carts, campaigns and bots.

Made for the questions that shops ask: visits that pause for half an hour, a cart that lives a few minutes inside a
visit and is bought or abandoned, a click on a campaign in the middle, a login in the middle, robots that view fast.
"""

from __future__ import annotations

from random import Random

from runtime.simulate.catalog import BOT, CAMPAIGNS, DEVICES, ITEMS, PLACES, QUERIES, REFERRERS, price_of
from runtime.simulate.people import Person
from runtime.simulate.scenario import Event, Scenario
from runtime.simulate.waits import Waits

_SITE = "https://shop.example"
_BROWSING = Waits(median_ms=20_000, sigma=1.4)
_IN_CART = Waits(median_ms=14_000, sigma=0.9)
_CRAWLING = Waits(median_ms=600, sigma=0.4)
_MEAN_STEPS = 9
_PAUSE_SHARE = 0.012  # of the waits: somebody is at the door
_PAUSE_MS = (10 * 60_000, 90 * 60_000)


class _Visit:
    """One visit while it is made."""

    __slots__ = ("_base", "_cart", "_cart_id", "_logged_in", "_referrer", "_rng", "_ts", "events")

    def __init__(self, rng: Random, person: Person, start_ms: int) -> None:
        place = PLACES[person.pick(0, len(PLACES))]
        device = BOT if person.is_bot else DEVICES[person.pick(16, len(DEVICES))]
        self._rng = rng
        self._base: Event = {
            "_type": "ShopEvent",
            "user_id": f"u{person.number:06d}",
            "ts": 0,
            "et": "",
            "url": "",
            "referrer": "",
            "campaign": None,
            "device": device.kind,
            "browser": device.browser,
            "os": device.os,
            "country": place.country,
            "city": place.city,
            "ua": device.user_agent,
        }
        self._ts = start_ms
        self._referrer = REFERRERS[int(rng.random() * len(REFERRERS))]
        self._cart: dict[int, int] = {}  # item → quantity
        self._cart_id = ""
        self._logged_in = False
        self.events: list[Event] = []

    def crawl(self) -> None:
        """Views, one after the other, as fast as a robot does."""
        for _ in range(60 + int(self._rng.random() * 140)):
            self._view(self._item())
            self._ts += _CRAWLING.draw(self._rng)

    def browse(self) -> None:
        """Looks around, and perhaps buys."""
        random = self._rng.random
        if random() < 0.12:
            self._campaign()
        elif random() < 0.5:
            self._emit("view", f"{_SITE}/")
        else:
            self._view(self._item())
        for _ in range(int(self._rng.expovariate(1 / _MEAN_STEPS))):
            self._wait()
            draw = random()
            if self._cart and draw < 0.55:
                self._cart_step()
            elif draw < 0.02:
                self._campaign()
            elif draw < 0.66:
                self._view(self._item())
            elif draw < 0.80:
                self._search()
            elif draw < 0.97:
                self._add()
            elif not self._logged_in:
                self._login()
        if self._logged_in and random() < 0.3:
            self._wait()
            self._emit("logout", f"{_SITE}/logout")

    def _cart_step(self) -> None:
        draw = self._rng.random()
        if draw < 0.40:
            self._add()
        elif draw < 0.58:
            self._remove()
        else:
            self._checkout()

    def _add(self) -> None:
        item = self._item()
        quantity = 1 if self._rng.random() < 0.8 else 2
        if not self._cart:
            self._cart_id = f"c{self._rng.getrandbits(48):012x}"
        self._cart[item] = self._cart.get(item, 0) + quantity
        self._about(self._emit("add_to_cart", f"{_SITE}/cart"), item, quantity)

    def _remove(self) -> None:
        item = next(iter(self._cart))
        quantity = self._cart[item]
        self._about(self._emit("remove_from_cart", f"{_SITE}/cart"), item, quantity)
        del self._cart[item]

    def _checkout(self) -> None:
        if not self._logged_in and self._rng.random() < 0.6:
            self._login()
            self._wait()
        self._total(self._emit("checkout", f"{_SITE}/checkout"))
        if self._rng.random() < 0.6:
            self._wait()
            self._total(self._emit("purchase", f"{_SITE}/checkout/done"))
            self._cart.clear()

    def _login(self) -> None:
        self._emit("login", f"{_SITE}/login")
        self._logged_in = True

    def _search(self) -> None:
        query = QUERIES[int(self._rng.random() * len(QUERIES))]
        self._emit("search", f"{_SITE}/search?q={query.replace('%', '%25').replace(' ', '+')}")["query"] = query

    def _campaign(self) -> None:
        campaign = CAMPAIGNS[int(self._rng.random() * len(CAMPAIGNS))]
        self._referrer = "https://ads.example/click"
        self._emit("view", f"{_SITE}/landing?utm_campaign={campaign}")["campaign"] = campaign

    def _view(self, item: int) -> None:
        event = self._emit("view", f"{_SITE}/p/{item}")
        event["item"] = f"sku-{item:05d}"
        event["price"] = price_of(item)

    def _item(self) -> int:
        return int(ITEMS * self._rng.random() ** 3)  # some sell much better than others

    def _about(self, event: Event, item: int, quantity: int) -> None:
        event["item"] = f"sku-{item:05d}"
        event["price"] = price_of(item)
        event["quantity"] = quantity

    def _total(self, event: Event) -> None:
        event["price"] = round(sum(price_of(item) * quantity for item, quantity in self._cart.items()), 2)
        event["quantity"] = sum(self._cart.values())

    def _wait(self) -> None:
        rng = self._rng
        if rng.random() < _PAUSE_SHARE:
            self._ts += rng.randint(*_PAUSE_MS)
        else:
            self._ts += (_IN_CART if self._cart else _BROWSING).draw(rng)

    def _emit(self, et: str, url: str) -> Event:
        event = self._base.copy()
        event["ts"] = self._ts
        event["et"] = et
        event["url"] = url
        event["referrer"] = self._referrer
        if self._cart:
            event["cart_id"] = self._cart_id
        self._referrer = url
        self.events.append(event)
        return event


def _visit(rng: Random, person: Person, start_ms: int) -> list[Event]:
    visit = _Visit(rng, person, start_ms)
    if person.is_bot:
        visit.crawl()
    else:
        visit.browse()
    return visit.events


SHOP = Scenario(
    name="shop",
    summary="a web shop: views, searches, carts that are bought or abandoned, campaigns, logins, bots",
    event_types=("ShopEvent",),
    time_field="ts",
    mean_events=11.6,
    visit=_visit,
)
