"""Which worker an event goes to: the one that owns the session key which stage 1 gives it.

The front has the controller alone, and decodes what that reads; the worker decodes the line again for all rules. Where
what becomes of an event depends on others than those of its key, or its key on when it is asked for, a tenant is
not split: one worker owns all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from epl.compiler.analysis import expressions_of
from epl.layout import slot_name
from epl.source import Span
from epl.structs import replace
from epl.typed import Apply, Effect, Expr, Insert, Now, Program, RouteToProfile
from epl.typed_walk import subexpressions
from runtime.config import TimeDomain, TimePolicy
from runtime.counters import EngineCounters
from runtime.effects import AskingEffects
from runtime.engine import decoded_fields
from runtime.event import BAD_LINE, EventDecoder
from runtime.fleet.clocks import ELSEWHEN
from runtime.fleet.ring import Ring
from runtime.intake import FROM_DATA
from runtime.rules import TenantRules
from runtime.watchdog import Watchdog

_MOST_KNOWN = 50_000
"""Owners that are remembered, of the keys that came last: half the time of a hash."""
_NOWHERE = Span(0, 0)


def why_whole(rules: TenantRules) -> str | None:
    """Why one worker owns all keys of a tenant; None where each owns its own."""
    time = rules.config.time
    if time.policy is not TimePolicy.GAP:
        return f"`time.policy: {time.policy.value}` judges each session by the events of all"
    if time.domain is TimeDomain.EVENT and rules.config.limits.rate:
        return "its events make its clock, and by that `limits.rate` counts all of them"
    controller = rules.controller.program
    parts = list(_expressions(controller))
    if any(isinstance(part, Now) for part in parts):
        return "the controller reads the clock, which another process reads a moment later"
    if any(isinstance(part, Apply) and not part.pure for part in parts):
        return "the controller calls a function that may give something else the next time"
    if len(rules.profiles) > 1 and not _has_one_profile_each(controller):
        return "an event may belong to sessions of several profiles"
    return None


def _keys_of(rules: TenantRules) -> tuple[object, ...]:
    """All that an event's profile and key come from; equal where no event can have others."""
    statements = [replace(each, name="", span=_NOWHERE) for each in rules.controller.program.statements()]
    profiles = [profile.config.name for profile in rules.profiles]
    return statements, dict(rules.controller.fields), rules.config.type_field, profiles


def _clock_of(rules: TenantRules) -> tuple[object, ...]:
    """All that the clock of a tenant comes from, beside its controller."""
    time = rules.config.time
    if time.domain is TimeDomain.PROCESSING:
        return (time.domain,)
    return time.domain, time.source, time.allowed_lateness_ms, time.future_ms


def _has_one_profile_each(controller: Program) -> bool:
    """True when an event of each type can get into the sessions of one profile at most."""
    profiles: dict[str, set[str]] = {}
    for rule in controller.rules:
        effects = list[Effect](rule.effects)
        if any(isinstance(effect, Insert) for effect in effects):
            return False
        profiles.setdefault(rule.event_type, set()).update(
            effect.profile for effect in effects if isinstance(effect, RouteToProfile)
        )
    return all(len(each) <= 1 for each in profiles.values())


def _expressions(program: Program) -> Iterator[Expr]:
    tops: Iterable[Expr] = (top for statement in program.statements() for top in expressions_of(statement))
    return (part for top in tops for part in subexpressions(top))


class Routes:
    """The owners of one tenant's events among the workers of a ring, by one version of its rules."""

    def __init__(self, rules: TenantRules, ring: Ring) -> None:
        config = rules.config
        self.rules = rules
        self.why_whole = why_whole(rules)
        self._ring = ring
        self.whole = ring.owner(config.tenant) if self.why_whole is not None else None
        self._profiles = [profile.config.name for profile in rules.profiles]
        controller = rules.controller
        read = {name: dict(controller.fields.get(name, {})) for name in rules.event_types}
        self._has_clock = config.time.domain is TimeDomain.EVENT
        if self._has_clock:
            # What an engine refuses does not move its clock, so all that it decodes has to be decoded here.
            names = (config.time.source, config.time.user_time)
            read = decoded_fields(rules, [name for name in names if name is not None])
        self._time_slot = None if config.time.source is None else slot_name(config.time.source)
        decoder = EventDecoder(read, config.type_field)
        self._decode = decoder.decode
        self._handlers = {
            decoder.classes[name]: handler for name, handler in controller.handlers.items() if name in decoder.classes
        }
        self._asking = AskingEffects(EngineCounters(), config.limits.max_idle_ms, len(rules.profiles))
        self._known: dict[tuple[int, str], int] = {}

    @property
    def has_clock(self) -> bool:
        """True where workers have to be told how far the events of others have come."""
        return self._has_clock and self.whole is None

    def owner(self, profile: str, key: str) -> int:
        """The worker that owns a session."""
        return self.whole if self.whole is not None else self._ring.owner(self.rules.config.tenant, profile, key)

    def why_not_beside(self, rules: TenantRules) -> str | None:
        """Why other rules would not find all events of a session in one worker while events go by these.

        None where they would.
        """
        if self.whole is not None:
            return None
        if (why := why_whole(rules)) is not None:
            return f"one worker would own all its keys: {why}"
        if _keys_of(rules) != _keys_of(self.rules):
            return "its controller is another than the one that runs, by which events go to workers"
        if _clock_of(rules) != _clock_of(self.rules):
            return "its clock is another than that of the rules that run, of which workers are told"
        return None

    def owners(self, lines: Sequence[bytes]) -> Sequence[int] | int:
        """The worker that each line goes to; or the one that all of them go to.

        A line without a session, or that is no event, goes by what it says: any worker can pass it on or refuse it.
        """
        if self.whole is not None:
            return self.whole
        with Watchdog(self.rules.config.limits.rule_time_ms):
            return list(self._each(lines, None))

    def owners_and_times(self, lines: Sequence[bytes]) -> tuple[Sequence[int], Sequence[int | None]]:
        """The worker that each line goes to, and its time, as `Clocks.judge` takes them; where `has_clock`."""
        times: list[int | None] = []
        with Watchdog(self.rules.config.limits.rule_time_ms):
            return list(self._each(lines, times)), times

    def _each(self, lines: Sequence[bytes], times: list[int | None] | None) -> Iterator[int]:
        """All in one place: a call an event would cost a quarter of it. `times` takes those of the lines."""
        decode, handlers, asking, known = self._decode, self._handlers, self._asking, self._known
        routes = asking.routes
        for line in lines:
            try:
                event = decode(line)
            except BAD_LINE:
                if times is not None:
                    times.append(ELSEWHEN)
                yield self._ring.owner(line)
                continue
            handler = handlers.get(event.__class__)
            if handler is not None:
                try:
                    handler(event, None, None, 0, asking)
                    if asking.rows:
                        asking.further_passes(None, None, 0, None)
                except FROM_DATA:
                    asking.forget()
            for place, route in enumerate(routes):
                if route is not None:
                    routes[place] = None
                    if times is not None:
                        times.append(self._own_time_ms(event) if route[1] is None else route[1])
                    owner = known.get((place, route[0]))
                    yield self._remembered(place, route[0]) if owner is None else owner
                    break
            else:
                if times is not None:
                    times.append(ELSEWHEN)
                yield self._ring.owner(line)

    def _own_time_ms(self, event: Any) -> int | None:
        return None if self._time_slot is None else getattr(event, self._time_slot)

    def _remembered(self, place: int, key: str) -> int:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        owner = self._known[place, key] = self.owner(self._profiles[place], key)
        return owner
