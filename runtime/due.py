"""What ticks do to the sessions that stand in their seconds, generated for what their profile has.

It does what `Endings.on_tick` does with each of them, for a profile whose sessions have nothing in them that is due by
itself: whoever was extended goes to a new place, the others end. The end marker and the rules on it stand where they
are needed, and what is counted of ends is gathered. `docs/speed.md` says what that gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from epl.compiler import Compiled, inlined
from runtime.cache import SLOT_MS, SessionTable, TimeWheel
from runtime.markers import Marker
from runtime.text import loaded

EndDue = Callable[[TimeWheel, int], None]
"""Called with a wheel and the time up to which its ticks are due; it stops early when an end was not taken."""

_SOURCE = """\
def end_due(wheel, until_ms):
    slots, opened, take = wheel.slots, wheel.opened, wheel.take
    end_marker, reason, p = profile._output.end_marker, "gap", None
    hot, most_hot = table._hot, table.most_hot
{ticks}
"""
_TICKS = """\
while wheel.next_tick_ms <= until_ms:
    now, kept_second = wheel.next_tick_ms, wheel.kept_second
    left = iter(take(now))
    for s in left:
        held_ms = s.held_until_ms
        expires_ms = s.modified_ms + s.gap_ms if held_ms is None else held_ms
        if expires_ms >= now:
{capped}
            second = expires_ms // {slot_ms}
            if s.block or second == kept_second:
                wheel.schedule(s, expires_ms)
                continue
            s.due_ms = expires_ms
            s.slot = slot = slots.get(second) or opened(second)
            slot.sessions[s] = None
            continue
{marker}
        if s.block:
            table.remove(s)
        else:
            del hot[s.key]
        ended((s.modified_ms - s.created_ms, s.count, now - expires_ms))
    for s in left:
        profile.on_tick(s, now, wheel)
    if len(hot) > most_hot:
{send_gathered}
        table.settle()
    if not profile.is_plain:
        break
"""
_CAPPED = """\
if s.created_ms + {max_active_ms} < expires_ms:
    expires_ms = s.created_ms + {max_active_ms}
    if expires_ms < now:
{send_gathered}
        profile.on_tick(s, now, wheel)
        if profile.is_plain:
            continue
        break
"""
_SENT = """\
if not end_marker(fields, now):
    profile.end_refused(s, fields, now, wheel)
    break
"""
# Where nobody refuses an end: many markers become lines at a time, while the processor has the code for that at hand.
_GATHERING = """\
gathered = []
try:
{ticks}
finally:
    end_markers(gathered)
"""
_GATHERED = "gathered.append(fields)\n"
_SEND_GATHERED = """\
end_markers(gathered)
gathered.clear()
"""


@dataclass(frozen=True, slots=True)
class DuePlan:
    """What the profile of the sessions has. `ended` takes the duration, the events and the delay of each that ends.

    `end_markers` takes many end markers and refuses none, where there is such.
    """

    profile: Any
    compiled: Compiled
    sent: Marker | None
    max_active_ms: int
    table: SessionTable
    ended: Callable[[tuple[int, int, int]], None]
    end_markers: Callable[[list[dict[str, Any]]], None] | None


def end_due_of(plan: DuePlan) -> EndDue:
    """What a tick does for a profile."""
    names: dict[str, Any] = {"profile": plan.profile, "table": plan.table, "ended": plan.ended}
    marker = ""
    gathers = plan.sent is not None and plan.end_markers is not None
    if plan.sent is not None:
        names |= plan.sent.names
        sent = _GATHERED if gathers else _SENT
        marker = plan.sent.end_source + _rules(plan.sent, plan.compiled, names) + sent
    send_gathered = indent(_SEND_GATHERED.rstrip() if gathers else "", " " * 8)
    capped = ""
    if plan.max_active_ms > 0:
        capped = _CAPPED.format(max_active_ms=plan.max_active_ms, send_gathered=send_gathered)
    ticks = _TICKS.format(
        slot_ms=SLOT_MS,
        capped=indent(capped.rstrip(), " " * 12),
        marker=indent(marker.rstrip(), " " * 8),
        send_gathered=send_gathered,
    )
    if gathers:
        names["end_markers"] = plan.end_markers
        ticks = _GATHERING.format(ticks=indent(ticks.rstrip(), "    "))
    source = _SOURCE.format(ticks=indent(ticks.rstrip(), "    "))
    made: EndDue = loaded("due", source, names)["end_due"]
    return made


def _rules(sent: Marker, compiled: Compiled, names: dict[str, Any]) -> str:
    """The rules on the marker, which decorate its fields where they stand."""
    if sent.handler is None:
        return ""
    if sent.handler is not compiled.bodies[sent.type_name].function:
        return "profile.run_rules(profile.end_marker, fields, s, None, now)\n"
    body = inlined(compiled, sent.type_name, "r_", decorations="fields", counts_itself=True)
    names |= body.names
    names |= {"fx": names["profile"]._effects, "as_event": sent.as_event}
    event = "" if sent.reads_nothing else "e = as_event(fields)\n"
    return event + "".join(f"{line}\n" for line in body.lines)
