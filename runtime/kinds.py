"""What sessions and sub-sessions of one kind have in common: class, rules, markers, counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from epl.compiler import Compiled, Handler
from runtime.cache import Cache, TimeWheel
from runtime.config import TimeConfig
from runtime.counters import EngineCounters, SessionCounters, counters_state, go_on_from
from runtime.days import DayEnds
from runtime.effects import Effects
from runtime.markers import Marker
from runtime.output import Output
from runtime.rules import ProfileRules, SubSessionRules
from runtime.session import SessionBase, session_class

Overlay = Callable[[Any, dict[str, Any]], None]
"""Puts decorations into the fields of an event that rules read."""


@dataclass(slots=True)
class Surroundings:
    """What the profiles of a tenant share.

    `wheel` is that of the partition at work, for sessions that open. `handlers` looks up a rule set's handlers by
    class of event. `make_room` is called before a session opens. `user_slot`: where an event has the time of the user's
    clock, for the ender.
    """

    tenant: str
    cache: Cache
    effects: Effects
    wheel: TimeWheel
    output: Output
    overlay: Overlay
    counters: EngineCounters
    days: DayEnds
    time: TimeConfig
    user_slot: str | None
    max_idle_ms: int
    max_events: int
    max_state_bytes: int
    type_field: str
    handlers: Callable[[Compiled], dict[type[Any], Handler]]
    make_room: Callable[[int], None] | None


class Kind:
    """One kind of session. `path` tells it from all others of its tenant, in the ids of markers."""

    def __init__(
        self,
        rules: ProfileRules | SubSessionRules,
        base: type[SessionBase],
        number: int,
        path: str,
        around: Surroundings,
    ) -> None:
        config, layout = rules.config, rules.layout
        self.compiled = rules.compiled
        self.name = config.name
        self.gap_ms = config.gap_ms
        self.layout = layout
        self.session_class: type[Any] = session_class(base, layout, number)
        same = (around.type_field, path, config.keys, base, layout, rules.compiled)
        self.begin_marker = None if config.begin_marker is None else Marker(config.begin_marker, *same)
        self.end_marker = None if config.end_marker is None else Marker(config.end_marker, *same)
        self._opened: dict[tuple[str, int], int] = {}
        self._opened_ms = 0
        self.handlers = around.handlers(rules.compiled)
        self._counters = SessionCounters()

    @property
    def counters(self) -> SessionCounters:
        """What is counted of its sessions."""
        return self._counters

    def make(
        self, key: str, event_ms: int, now_ms: int, gap_ms: int, parent_key: str | None = None, within: object = None
    ) -> Any:
        """A session that opens; one with the key and the times of one before it gets an ordinal, for its markers.

        So does one within a session that shares its key with another: `within` is the ordinal of that session.
        """
        name = (key if parent_key is None else f"{parent_key}\0{key}", event_ms)
        opened = self._opened
        if now_ms != self._opened_ms:
            self._opened_ms = now_ms
            opened.clear()
        ordinal = opened.get(name, 0)
        opened[name] = ordinal + 1
        session = self.session_class.begin(key, event_ms, now_ms, gap_ms, parent_key)
        if ordinal or within is not None:
            session.ordinal = ordinal if within is None else f"{within}.{ordinal}"
        return session

    def note_ended(self, session: SessionBase) -> None:
        """One that began in the latest ms in which any has, so that another in that ms gets an ordinal.

        `make` knows of those that it has made, not of those that a loop over events has.
        """
        opened, created_ms = self._opened, session.created_ms
        if created_ms > self._opened_ms or not opened:
            opened.clear()
            self._opened_ms = created_ms
        if created_ms == self._opened_ms:
            opened.setdefault((session.key, session.first_event_ms), 1)

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps of it beside its sessions."""
        opened = [[key, event_ms, count] for (key, event_ms), count in self._opened.items()]
        return {"opened_ms": self._opened_ms, "opened": opened, "counters": counters_state(self.counters)}

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Takes what `state` gave."""
        self._opened_ms = state["opened_ms"]
        self._opened = {(key, event_ms): count for key, event_ms, count in state["opened"]}
        go_on_from(self.counters, state["counters"])

    def first_gap_ms(self, duration_ms: int | None, most_ms: int) -> int:
        """The gap of one that opens: what its row gives as `_duration_`, if above 0, else the configured one."""
        wanted_ms = duration_ms if duration_ms is not None and duration_ms > 0 else self.gap_ms
        return wanted_ms if wanted_ms < most_ms else most_ms
