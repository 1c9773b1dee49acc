"""What a scenario is: a way to make the events of one visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from runtime.simulate.people import Person

Event = dict[str, Any]
"""One event, ready for JSON; its first key is `_type`."""

Visit = Callable[[Random, Person, int], list[Event]]
"""Makes one visit of a person from a start in epoch ms: at least one event, in order of time, none before the start."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of traffic. `time_field` holds epoch ms; `mean_events` is how many events a visit has, on average."""

    name: str
    summary: str
    event_types: tuple[str, ...]
    time_field: str
    mean_events: float
    visit: Visit
