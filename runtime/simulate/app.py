"""The `app` scenario: a phone app that pings while it is open, and on some devices while it is not.

Made for the complaint that background pings and crash reports keep sessions alive for days.
"""

from __future__ import annotations

from random import Random

from runtime.simulate.catalog import PLACES
from runtime.simulate.people import Person
from runtime.simulate.scenario import Event, Scenario
from runtime.simulate.waits import Waits

_PING_MS = 30_000
_OPEN_FOR = Waits(median_ms=150_000, sigma=1.0)
_BACKGROUND_FOR = Waits(median_ms=20 * 60_000, sigma=1.1)
_BACKGROUND_LIMIT_MS = 8 * 3_600_000
_ACTING = Waits(median_ms=7_000, sigma=1.0)
_CRASH_SHARE = 0.015  # of the times it is opened
_SCREENS = ("home", "home", "feed", "feed", "search", "detail", "detail", "detail", "profile", "settings", "checkout")
_VERSIONS = ("4.2.0", "4.2.0", "4.2.0", "4.1.3", "4.1.3", "3.9.8")


class _Visit:
    """One visit while it is made: open, act, ping, and leave or crash."""

    __slots__ = ("_base", "_battery", "_rng", "_screen", "_started_ms", "_ts", "events")

    def __init__(self, rng: Random, person: Person, start_ms: int) -> None:
        ios = person.pick(0, 2)
        self._rng = rng
        self._base: Event = {
            "_type": "AppEvent",
            "device_id": f"d{person.traits & 0xFFFFFFFFFF:010x}",
            "ts": 0,
            "name": "",
            "app_version": _VERSIONS[person.pick(16, len(_VERSIONS))],
            "os": "iOS" if ios else "Android",
            "country": PLACES[person.pick(32, len(PLACES))].country,
            "battery": 0,
        }
        self._ts = self._started_ms = start_ms
        self._battery = 15 + int(rng.random() * 85)
        self._screen = "home"
        self.events: list[Event] = []

    def run(self, *, lingers: bool) -> None:
        """The whole visit; `lingers` when this device goes on pinging in the background."""
        random = self._rng.random
        crashed = self._foreground()
        while crashed and random() < 0.6:
            self._ts += 3_000 + int(random() * 20_000)
            crashed = self._foreground()
        if lingers and not crashed:
            self._background()

    def _foreground(self) -> bool:
        """Opens the app and uses it; True when it ended in a crash."""
        rng = self._rng
        self._screen = "home"
        self._emit("open")
        until = self._ts + _OPEN_FOR.draw(rng)
        ping_at = self._ts + _PING_MS
        act_at = self._ts + _ACTING.draw(rng)
        while min(ping_at, act_at) < until:
            if ping_at <= act_at:
                self._ts = ping_at
                self._emit("ping")
                ping_at += _PING_MS
                continue
            self._ts = act_at
            if rng.random() < 0.4:
                self._screen = _SCREENS[int(rng.random() * len(_SCREENS))]
                self._emit("screen")
            else:
                self._emit("tap")
            act_at += _ACTING.draw(rng)
        self._ts = until
        crashed = rng.random() < _CRASH_SHARE
        self._emit("crash" if crashed else "background")
        return crashed

    def _background(self) -> None:
        self._screen = ""
        until = self._ts + min(_BACKGROUND_FOR.draw(self._rng), _BACKGROUND_LIMIT_MS)
        while self._ts + _PING_MS < until:
            self._ts += _PING_MS
            self._emit("ping")

    def _emit(self, name: str) -> None:
        event = self._base.copy()
        event["ts"] = self._ts
        event["name"] = name
        event["battery"] = max(1, self._battery - (self._ts - self._started_ms) // 300_000)  # a percent in 5 minutes
        if self._screen:
            event["screen"] = self._screen
        self.events.append(event)


def _visit(rng: Random, person: Person, start_ms: int) -> list[Event]:
    visit = _Visit(rng, person, start_ms)
    visit.run(lingers=person.pick(48, 12) == 0)
    return visit.events


APP = Scenario(
    name="app",
    summary="a phone app: screens, taps, a ping every 30 s, background pings for hours on some devices, crashes",
    event_types=("AppEvent",),
    time_field="ts",
    mean_events=38.0,
    visit=_visit,
)
