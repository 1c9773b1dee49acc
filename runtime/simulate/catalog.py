"""The world that simulated people live in: places, devices, and what they buy.

Entries are repeated in proportion to how common they are, so that one index drawn evenly picks a likely one; that is
several times faster than a weighted draw.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A city; `latitude` and `longitude` in degrees."""

    continent: str
    country: str
    region: str
    city: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Device:
    """A device with its browser. `kind` is desktop, mobile, tablet or bot."""

    kind: str
    family: str
    os: str
    os_version: str
    browser: str
    browser_version: str
    user_agent: str


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

_PLACES: tuple[tuple[int, Place], ...] = (
    (5, Place("NA", "US", "NY", "New York", 40.71, -74.01)),
    (4, Place("NA", "US", "CA", "Los Angeles", 34.05, -118.24)),
    (3, Place("NA", "US", "TX", "Houston", 29.76, -95.37)),
    (2, Place("NA", "CA", "ON", "Toronto", 43.65, -79.38)),
    (4, Place("EU", "GB", "ENG", "London", 51.51, -0.13)),
    (3, Place("EU", "DE", "BE", "Berlin", 52.52, 13.41)),
    (2, Place("EU", "DE", "BY", "Munich", 48.14, 11.58)),
    (3, Place("EU", "FR", "IDF", "Paris", 48.86, 2.35)),
    (1, Place("EU", "PL", "MZ", "Warsaw", 52.23, 21.01)),
    (4, Place("AS", "IN", "MH", "Mumbai", 19.08, 72.88)),
    (2, Place("AS", "JP", "13", "Tokyo", 35.68, 139.69)),
    (2, Place("SA", "BR", "SP", "São Paulo", -23.55, -46.63)),
    (1, Place("OC", "AU", "NSW", "Sydney", -33.87, 151.21)),
    (1, Place("AF", "NG", "LA", "Lagos", 6.52, 3.38)),
)

_DEVICES: tuple[tuple[int, Device], ...] = (
    (
        6,
        Device(
            "desktop",
            "PC",
            "Windows",
            "11",
            "Chrome",
            "142.0",
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36",
        ),
    ),
    (
        2,
        Device(
            "desktop",
            "PC",
            "Windows",
            "10",
            "Edge",
            "141.0",
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
        ),
    ),
    (
        2,
        Device(
            "desktop",
            "Mac",
            "macOS",
            "15",
            "Safari",
            "18.4",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.4 Safari/605.1.15",
        ),
    ),
    (
        1,
        Device(
            "desktop",
            "PC",
            "Linux",
            "6.12",
            "Firefox",
            "145.0",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        ),
    ),
    (
        5,
        Device(
            "mobile",
            "Pixel",
            "Android",
            "15",
            "Chrome",
            "142.0",
            f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
        ),
    ),
    (
        5,
        Device(
            "mobile",
            "iPhone",
            "iOS",
            "18.4",
            "Safari",
            "18.4",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.4 Mobile/15E148 Safari/604.1",
        ),
    ),
    (
        1,
        Device(
            "tablet",
            "iPad",
            "iOS",
            "17.7",
            "Safari",
            "17.6",
            "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.6 Mobile/15E148 Safari/604.1",
        ),
    ),
)

PLACES: tuple[Place, ...] = tuple(place for weight, place in _PLACES for _ in range(weight))
DEVICES: tuple[Device, ...] = tuple(device for weight, device in _DEVICES for _ in range(weight))
BOT = Device(
    "bot", "Bot", "Linux", "6.1", "Bot", "2.1", "Mozilla/5.0 (compatible; examplebot/2.1; +https://bot.example/about)"
)

QUERIES: tuple[str, ...] = (
    "running shoes",
    "rain jacket",
    "espresso machine",
    "usb c cable",
    "desk lamp",
    "kids bike",
    "yoga mat",
    "noise cancelling headphones",
    "garden chair",
    "thriller paperback",
    "café crème",
    "50% off",
)
REFERRERS: tuple[str, ...] = (
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://news.example/deals",
    "https://social.example/feed",
    "",
    "",
)
CAMPAIGNS: tuple[str, ...] = ("spring_sale", "newsletter_02", "brand_search", "retargeting", "partner_blog")

ITEMS = 5_000
"""How many different items there are, numbered from 0."""


def price_of(item: int) -> float:
    """The price of an item, 1.99 to 300.99, always the same for the same item; three in four are cheap."""
    whole = item * 7_919 % (30 if item % 4 else 300)
    return (whole * 100 + 199) / 100
