"""The loop over events of a tenant with one profile, generated: its rules stand where they are run.

It does what `Passage._process_each` and `Profile.process` do, for most tenants, without what such a tenant has no use
for: no call of a handler, no look for the type of an event where there is but one, no questions of clocks and routes
that the tenant's rules have answered. `docs/speed.md` says what that gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from textwrap import indent
from typing import Any

from msgspec import Struct

from epl.compiler import Compiled
from epl.layout import SessionLayout, slot_name
from runtime.cache import SLOT_MS
from runtime.config import Late
from runtime.doubt import Doubt
from runtime.event import BAD_LINE
from runtime.intake import FROM_DATA, Escaped
from runtime.loop_stage import Handlers, Stage
from runtime.loop_text import (
    ADDED,
    AT_ARRIVAL,
    BEGIN,
    BY_EVENT_TIME,
    CALLED_1,
    CERTAIN,
    COMMON,
    COUNT_LATE,
    DOUBT,
    LINES,
    OVERDUE,
    OVERLAID,
    OWN_TIME,
    PUT_OFF,
    RENEWED,
    ROUTE,
    SEND,
    SEND_ADDED,
    SEND_ADDED_OR_KEEP,
    SEND_OR_KEEP,
    SOURCE,
    TICK,
)
from runtime.markers import Marker
from runtime.output import LineOutput
from runtime.reorder import Refuse
from runtime.session import begun
from runtime.text import loaded
from runtime.timeline import Clock, Partition

Loop = Callable[[Any, Partition, Iterator[tuple[Any, ...]], Refuse], None]
"""Called with the engine, the partition at work, numbered lines or what was put off, and who takes refused ones."""

_PLAIN_ROUTE = re.compile(r"^( *)key, event_ms, duration_ms, is_passive = (.*), None, False$", re.MULTILINE)
_ANY_ROUTE = "key, event_ms, duration_ms, is_passive ="
_ALWAYS = re.compile(r"^(b_m\d+) \+= 1\n", re.MULTILINE)


class Opening(Struct, frozen=True):
    """How a session of the profile begins: its class, its gap, when it is due first, and its begin marker."""

    session_class: type[Any]
    layout: SessionLayout
    gap_ms: int
    due_in_ms: int
    sent: Marker | None


class LoopPlan(Struct, frozen=True):
    """What a loop is made for: the rule sets of a tenant with the handlers in use, the classes of its events by type.

    `inserts`: its controller makes rows; `is_simple`: the profile's rules change no more than the slots of a session
    and the decorations of an event; `now_slot`, `time_slot`: where events have their arrival and their own time.
    `doubt` is about keys whose events are put off. `takes_put_off`: the loop is over such events, which stage 1 has
    seen; `counts_late`: it counts those that are outside of their session.
    """

    controller: tuple[Compiled, Handlers]
    profile: tuple[Compiled, Handlers]
    classes: Mapping[str, type[Any]]
    clock: Clock
    now_slot: str | None
    time_slot: str | None
    wants_events: bool
    inserts: bool
    is_simple: bool
    is_shadow: bool
    opening: Opening
    doubt: Doubt | None
    takes_put_off: bool = False
    counts_late: bool = False

    @property
    def ticks_wait(self) -> bool:
        """True where ticks may come after events that have no part in what is due."""
        return self.is_simple and not (self.wants_events or self.takes_put_off or self.clock is Clock.DRIVER)


def loop_of(plan: LoopPlan) -> Loop:
    """The loop of a tenant."""
    first, second = Stage("a_", *plan.controller, "decorations"), Stage("b_", *plan.profile, "added")
    stages = (first, second)
    stage_1, has_plain_routes = _stage_1(plan, first)
    sends = _Sends(plan, first)
    common = begin = ""
    if plan.is_simple:
        stage_2, send = _stage_2(plan, second), sends.in_line(second)
        common = COMMON.format(
            passive="" if has_plain_routes else " and not is_passive",
            stage_2=_block(stage_2, 4),
            send=_block(send, 4),
        )
        begin = _begin(plan, stage_2, send) if has_plain_routes else ""
    catch_up = TICK if plan.ticks_wait else ""
    source = SOURCE.format(
        given=PUT_OFF if plan.takes_put_off else LINES,
        before=_indented(line for stage in stages for line in stage.before),
        route=_block(_put_off(plan, first) if plan.takes_put_off else _route(plan, stage_1, sends), 12),
        overdue=_block(OVERDUE if plan.ticks_wait else "", 12),
        common=_block(common, 12),
        begin=_block(begin, 12),
        doubt=_block("" if plan.doubt is None else DOUBT, 12),
        catch_up=_block(catch_up, 12),
        catch_up_last=_block(catch_up, 8),
        send=_block(sends.any, 12),
        after=_indented((line for stage in stages for line in stage.after), 8),
    )
    namespace: dict[str, Any] = {
        "BAD_LINE": BAD_LINE,
        "Escaped": Escaped,
        "FROM_DATA": FROM_DATA,
        "LineOutput": LineOutput,
        "Session": plan.opening.session_class,
        **{_class_name(name): class_ for name, class_ in plan.classes.items()},
        **first.names,
        **second.names,
        **(plan.opening.sent.names if plan.opening.sent is not None else {}),
    }
    if plan.doubt is not None:
        namespace |= {"certain_ms": plan.doubt.certain_ms, "heard_ms": plan.doubt.heard_ms, "covers": plan.doubt.covers}
    made: Loop = loaded("loop", source, namespace)["loop"]
    return made


def _route(plan: LoopPlan, stage_1: str, sends: _Sends) -> str:
    """The code that finds what an event belongs to, and when it is."""
    tick = _block("" if plan.ticks_wait else TICK, 4)
    return ROUTE.format(
        arrival=AT_ARRIVAL.format(slot=plan.now_slot, tick=tick) if plan.now_slot is not None else "",
        stage_1=stage_1,
        send=_block(sends.bypassed, 4),
        own_time=_block("event_ms = now\n" if plan.time_slot is None else OWN_TIME.format(slot=plan.time_slot), 4),
        clock=BY_EVENT_TIME.format(tick=tick) if plan.clock is Clock.EVENT_TIME else "turn += 1\n",
    )


def _put_off(plan: LoopPlan, stage: Stage) -> str:
    """The code for an event of which that was found before."""
    overlaid = OVERLAID.format(spare=stage.spare) if stage.decorates else ""
    return TICK + overlaid + (COUNT_LATE.format(late=Late.EXTEND.value) if plan.counts_late else "")


def _stage_1(plan: LoopPlan, stage: Stage) -> tuple[str, bool]:
    """The controller's code, and True when its routes are plain: none is passive, none gives a gap."""
    codes = {
        name: stage.called(name, class_, CALLED_1)
        if plan.inserts or not stage.inlines(name, class_)
        else stage.body(name, class_)
        for name, class_ in plan.classes.items()
    }
    code = _by_class(codes)
    plain = _PLAIN_ROUTE.sub(r"\1key, event_ms = \2", code)
    has_plain_routes = _ANY_ROUTE not in plain
    # Of one event before, what this one adds to is not there any more.
    head = "decorations = None\n" if stage.decorates else ""
    return head + (plain if has_plain_routes else code) + (
        OVERLAID.format(spare=stage.spare) if stage.decorates else ""
    ), has_plain_routes


class _Sends:
    """The code that sends an event on, where events leave."""

    def __init__(self, plan: LoopPlan, first: Stage) -> None:
        self._wants_events, self._is_shadow, self._is_first = plan.wants_events, plan.is_shadow, not first.decorates
        self.bypassed = SEND if plan.wants_events else ""
        """One of no session."""
        self.any = ""
        """One that `process` took."""
        if plan.wants_events:
            self.any = SEND if plan.is_shadow else SEND_ADDED if self._is_first else ADDED + SEND

    def in_line(self, stage: Stage) -> str:
        """One whose rules stand in the loop."""
        adds = stage.decorates and not self._is_shadow
        if self._wants_events and self._is_first and adds:
            return SEND_ADDED_OR_KEEP.format(spare=stage.spare)
        renewed = RENEWED.format(result="added", spare=stage.spare) if stage.decorates else ""
        return renewed + ((ADDED if adds else "") + SEND_OR_KEEP if self._wants_events else "")


def _stage_2(plan: LoopPlan, stage: Stage) -> str:
    """The profile's rules."""
    codes = {
        name: stage.body(name, class_)
        if stage.inlines(name, class_)
        else stage.called(name, class_, "added = {handler}(e, s, None, now, fx)\n")
        for name, class_ in plan.classes.items()
    }
    code = _by_class(codes)
    if len(codes) == 1:
        # What matches always has matched as often as there were events.
        for counter in _ALWAYS.findall(code):
            stage.always.append(stage.counters.pop(counter))
        code = _ALWAYS.sub("", code)
    head = "added = None\n" if stage.decorates and len(codes) > 1 else ""
    return head + code


def _begin(plan: LoopPlan, stage_2: str, send: str) -> str:
    """The code of a session that begins with the event."""
    opening = plan.opening
    marker = ""
    if (sent := opening.sent) is not None:
        rules = "" if sent.handler is None else "profile.run_rules(profile.begin_marker, fields, s, None, now)\n"
        marker = f"{sent.begin_source}{rules}begin_marker(fields, now)\n"
    return BEGIN.format(
        certain="" if plan.doubt is None else CERTAIN,
        # Its marker comes after those of sessions that are due.
        tick=_block(TICK if marker and plan.ticks_wait else "", 4),
        session=_block(begun(opening.layout, opening.gap_ms), 4),
        stage_2=_block(stage_2, 4),
        marker=_block(marker, 4),
        due_in_ms=opening.due_in_ms,
        slot_ms=SLOT_MS,
        send=_block(send, 4),
    )


def _by_class(codes: Mapping[str, str]) -> str:
    """The code for the class of the event at hand; where there is one class only, no look is needed."""
    if len(codes) == 1:
        return next(iter(codes.values()))
    tests = [f"kind is {_class_name(name)}:\n{indent(code, '    ')}" for name, code in codes.items() if code]
    return "kind = e.__class__\nif " + "elif ".join(tests) if tests else ""


def _class_name(event_type: str) -> str:
    return f"Event_{slot_name(event_type)}"


def _block(code: str, columns: int) -> str:
    """Statements, indented."""
    return indent(code.rstrip("\n"), " " * columns)


def _indented(lines: Iterable[str], columns: int = 4) -> str:
    return indent("\n".join(lines), " " * columns)
