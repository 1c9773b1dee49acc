"""What the clock of an engine may be: stage 1's event time, or a field of the events."""

from __future__ import annotations

from typing import Any

from epl.typed import RouteToProfile
from epl.types import LONG
from runtime.engine import Clock
from runtime.rules import TenantRules


class NoClock(Exception):
    """Nothing says what time an event is of; the message says what would."""


def clock_options(rules: TenantRules, *, now_field: str | None, time_field: str | None) -> dict[str, Any]:
    """The options of an engine whose clock its events drive. Raises NoClock."""
    time_field = time_field or rules.config.time.source
    for name in (now_field, time_field):
        if name is not None:
            require_long(rules, name)
    if now_field is None and time_field is None and not gives_event_time(rules):
        raise NoClock(
            "the controller selects no `_timestamp_` of type long, so nothing tells the time of an event; "
            "select one, or name a field: --time-field FIELD or --now-field FIELD"
        )
    clock = Clock.EVENT_TIME if now_field is None else Clock.FIELD
    return {"clock": clock, "now_field": now_field, "time_field": time_field}


def gives_event_time(rules: TenantRules) -> bool:
    """True when stage 1 may give an event its `_timestamp_`."""
    effects = (effect for rule in rules.controller.program.rules for effect in rule.effects)
    return any(isinstance(effect, RouteToProfile) and effect.timestamp_ms is not None for effect in effects)


def require_long(rules: TenantRules, name: str) -> None:
    """A clock's field must be a long wherever it is declared. Raises NoClock."""
    for event_type in rules.event_types.values():
        found = event_type.fields.get(name, LONG)
        if found != LONG:
            raise NoClock(f"`{event_type.name}.{name}` is {found}; a clock is a long of milliseconds since 1970")
