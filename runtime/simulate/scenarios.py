"""The scenarios there are, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from runtime.simulate.app import APP
from runtime.simulate.pulsar import PULSAR
from runtime.simulate.scenario import Event, Scenario
from runtime.simulate.shop import SHOP
from runtime.simulate.timeline import arrivals, in_order

SCENARIOS: tuple[Scenario, ...] = (SHOP, APP, PULSAR)
"""All scenarios, the usual one first."""


def simulate(scenario: str, *, events: int, users: int, seed: int, start_ms: int, hours: float) -> Iterator[Event]:
    """Exactly `events` made-up events of a scenario, sorted by time, the same for the same arguments.

    Visits of `users` people begin at `start_ms` (epoch ms) and over about `hours` hours; the last ones run on a little
    longer. An event begins with `_type`; a field without a value is mostly left out. Raises ValueError for a name that
    is not in `SCENARIOS`, and for numbers that make no sense.
    """
    found = next((candidate for candidate in SCENARIOS if candidate.name == scenario), None)
    if found is None:
        raise ValueError(f"there is no scenario {scenario!r}; there are {', '.join(s.name for s in SCENARIOS)}")
    if events < 0 or users < 1 or hours <= 0 or not isfinite(hours):
        raise ValueError("events must not be negative; users and hours must be positive")
    if not events:
        return iter(())
    visits = arrivals(found, events=events, users=users, seed=seed, start_ms=start_ms, hours=hours)
    return in_order(visits, found.time_field)
