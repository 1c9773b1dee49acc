"""A session and its sub-sessions side by side: when each began, when its latest event came, and until when it lives.

The session itself says that of what is live. Which events came, and which sub-sessions are over, only its trace knows,
and that begins when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runtime.protocol.answers import SessionDetails, SessionNumbers, Traced

_TIME_DIGITS = 16
"""An id ends with the time of the first event, in hexadecimal."""


@dataclass(slots=True)
class Lane:
    """One of them. `until_ms` is when it is due if nothing comes, or when it ended; `seen_ms` are its known events."""

    kind: str
    key: str
    began_ms: int
    last_ms: int
    until_ms: int
    events: int | None
    """None where the beginning is not known."""
    ended: str | None = None
    """Why it ended; None while it is live."""
    seen_ms: list[int] = field(default_factory=list)


def lanes_of(session: SessionDetails, trace: Sequence[Traced]) -> list[Lane]:
    """The session first, then its sub-sessions in the order of their beginning. The trace has the newest first."""
    lanes = {session["session_id"]: _lane(session["profile"], session)}
    lanes |= {sub["session_id"]: _lane(sub["sub_session"], sub) for sub in session["sub_sessions"]}
    over: dict[str, Lane] = {}
    for session_id, kind, now_ms, happened, why in _told(trace):
        if session_id == session["session_id"] and happened == "began":
            over.clear()  # what ended before that was of an earlier session of this key
        lane = lanes.get(session_id)
        if lane is None and kind and now_ms >= session["created_ms"]:
            key = session_id.removeprefix(session["key"])[:-_TIME_DIGITS]
            events = 0 if happened == "began" else None
            lane = over.setdefault(session_id, Lane(kind, key, now_ms, now_ms, now_ms, events))
        if lane is None:
            continue
        if happened == "ended":
            if session_id in over:
                lane.until_ms, lane.ended = now_ms, why.partition(":")[0]
            continue
        lane.seen_ms.append(now_ms)
        if session_id in over:
            lane.last_ms = lane.until_ms = now_ms
            lane.events = None if lane.events is None else lane.events + 1
    main, *subs = lanes.values()
    subs += [lane for lane in over.values() if lane.ended is not None]
    return [main, *sorted(subs, key=lambda lane: lane.began_ms)]


def _told(trace: Sequence[Traced]) -> Iterator[tuple[str, str, int, str, str]]:
    """Id, name of the sub-session or nothing, time, what happened and why, the oldest first."""
    for traced in reversed(trace):
        for step in traced["steps"]:
            if step["kind"] == "began" or step["kind"] == "went on" or step["kind"] == "ended":
                yield step["session"], step["of"].partition("/")[2], traced["now_ms"], step["kind"], step["why"]


def _lane(kind: str, numbers: SessionNumbers) -> Lane:
    times = numbers["created_ms"], numbers["modified_ms"], numbers["expires_at_ms"]
    return Lane(kind, numbers["key"], *times, numbers["events"])
