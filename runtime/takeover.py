"""An engine that goes on where another one is, in the same process and under other rules: nothing is lost by a reload.

What a snapshot would keep goes over by itself, without a file: clocks, counters, ends that wait to be taken, events
that wait for their turn, and the sessions (`runtime.cache.handover`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.cache import NOWHERE_MS
from runtime.cache.handover import hand_over
from runtime.engine import Engine
from runtime.reorder import Taken
from runtime.snapshot import refusal

_FEW = 100
"""So few objects take a millisecond to be made anew."""
_AT_A_TIME = 1_000
"""Objects of a step: twice as many as a slice of events can make."""


class CannotTakeOver(Exception):
    """The sessions mean nothing to the other rules; the message says why."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What came over: live sessions, and those of profiles that there are no longer.

    What the new rules have no place for within a session is dropped when it is touched next; `runtime.plan` tells.
    `waiting` are events that waited for their turn in the other engine and need not wait any longer: they are the first
    of the new one, for its `take_waiting`.
    """

    sessions: int
    dropped_sessions: int
    waiting: list[tuple[int, list[Taken]]] = field(default_factory=list)


def cool(engine: Engine) -> bool:
    """Makes a take-over of this engine quick: a step of some milliseconds, to be made between events.

    False when there is nothing more to do, and the take-over should be made before the next event.
    """
    left = False
    for table in engine.cache.tables:
        if table.hot > _FEW:
            left = (table.cool(_AT_A_TIME) and table.hot > _FEW) or left
    return left


def take_over(new: Engine, old: Engine, *, copied: bool = False) -> TakenOver:
    """Brings an engine that has seen no event to the state of another. Raises CannotTakeOver.

    The other one is as it was until the new one sees an event; with `copied` it may go on beside it for good.
    """
    config = old.rules.config
    why = refusal(config.tenant, config.time.policy, new.rules.config)
    if why is not None:
        raise CannotTakeOver(why)
    waiting = new.clocks_go_on_as(old)
    names = [profile.name for profile in new.profiles]
    tables = [names.index(profile.name) if profile.name in names else None for profile in old.profiles]
    dropped = hand_over(old.cache, new.cache, tables, copied=copied)
    new.go_on_from(old.state())
    for profile in new.profiles:
        for session in list(profile.table.objects()):
            if session.due_ms == NOWHERE_MS:
                # A tick was at work on it when the other engine broke off.
                wheel = new.cache.wheels[0]
                wheel.schedule(session, max(profile.due_ms(session), new.now_ms))
    return TakenOver(new.live_sessions, dropped, waiting)
