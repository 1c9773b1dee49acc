"""Charts as SVG, drawn where the numbers are: no script is needed to see them, and none to print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from runtime.protocol.answers import SessionDetails, SessionNumbers, Traced
from runtime.service.series import SAMPLES

_WIDTH = 300
_HEIGHT = 64
_PAD = 2
_ROW = 30
_LEFT = 150
_RIGHT = 990


def area_chart(values: Sequence[float], label: str) -> Markup:
    """The last five minutes as a line over a filled area, the newest at the right; `label` says what they are."""
    top = nice_top(max(values, default=0))
    shown = list(values)[-SAMPLES:]
    start = _WIDTH - len(shown) + 1
    points = [
        f"{start + place:g},{_HEIGHT - _PAD - value / top * (_HEIGHT - 2 * _PAD):.1f}"
        for place, value in enumerate(shown)
    ]
    line = area = Markup("")
    if len(points) > 1:
        path = " ".join(points)
        area = Markup('<polygon class="area" points="{},{} {} {},{}"/>').format(start, _HEIGHT, path, _WIDTH, _HEIGHT)
        line = Markup('<polyline class="line" points="{}"/>').format(path)
    now = shown[-1] if shown else 0
    said = f"{label} over the last five minutes: now {now:,g}, at most {max(shown, default=0):,g}"
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="grid" d="M0 {} H{} M0 {} H{} M0 {} H{}"/>{}{}</svg>'
    ).format(_WIDTH, _HEIGHT, said, _PAD, _WIDTH, _HEIGHT / 2, _WIDTH, _HEIGHT - _PAD, _WIDTH, area, line)


def nice_top(largest: float) -> float:
    """The upper end of an axis for values up to `largest`: 1, 2 or 5 and zeros."""
    top = 1.0
    while True:
        for step in (1, 2, 5):
            if largest <= top * step:
                return top * step
        top *= 10


def bar(share: float) -> Markup:
    """A share from 0 to 1 as a bar; beside a number, so screen readers pass over it."""
    width = round(max(0.0, min(share, 1.0)) * 100, 1)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="6"/><rect class="fill" width="{}" height="6"/></svg>'
    ).format(width)


@dataclass(slots=True)
class _Row:
    """A line of a timeline: one session, with the times of those of its events that are known."""

    name: str
    key: str
    began_ms: int
    last_ms: int
    due_ms: int
    said: str
    is_over: bool = False
    events_ms: list[int] = field(default_factory=list)


def timeline(session: SessionDetails, trace: Sequence[Traced], now_ms: int) -> Markup:
    """A session and its sub-sessions on an axis of time: what was, and until when each lives if nothing comes.

    `trace`, the newest first, adds the events that it tells of, and the sub-sessions that it saw end.
    """
    rows = _rows(session, trace)
    begin = session["created_ms"]
    end = max(row.due_ms for row in rows)
    span = max(end - begin, 1)

    def at(time_ms: int) -> float:
        share: float = (max(begin, min(time_ms, end)) - begin) / span
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    parts = []
    for place, row in enumerate(rows):
        y = place * _ROW + 8
        first, last, due = at(row.began_ms), at(row.last_ms), at(row.due_ms)
        parts.append(
            Markup(
                '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="due" x="{}" y="{}" width="{}" height="14" rx="3"/>'
                '<rect class="lived{}{}" x="{}" y="{}" width="{}" height="14" rx="3">'
                "<title>{} {}: {}</title></rect>"
            ).format(
                _LEFT - 10,
                y + 11,
                _short(f"{row.name} {row.key}".strip()),
                first,
                y,
                round(due - first, 1),
                " sub" if place else "",
                " over" if row.is_over else "",
                first,
                y,
                max(round(last - first, 1), 4),
                row.name,
                row.key,
                row.said,
            )
        )
        parts += [
            Markup('<circle class="event" cx="{}" cy="{}" r="3.5"/>').format(at(time_ms), y + 7)
            for time_ms in sorted(set(row.events_ms))
        ]
    height = len(rows) * _ROW + 6
    now = Markup("")
    if begin <= now_ms <= end:
        now = Markup('<line class="now" x1="{}" x2="{}" y1="0" y2="{}"/>').format(at(now_ms), at(now_ms), height)
    return Markup(
        '<svg class="timeline" viewBox="0 0 1000 {}" role="img" aria-label="Timeline: the session and {} '
        'sub-sessions; the table below has the numbers">{}{}</svg>'
    ).format(height, len(rows) - 1, Markup("").join(parts), now)


def _rows(session: SessionDetails, trace: Sequence[Traced]) -> list[_Row]:
    rows = {session["session_id"]: _row(session["profile"], "", session)}
    rows |= {sub["session_id"]: _row(sub["sub_session"], sub["key"], sub) for sub in session["sub_sessions"]}
    for traced in reversed(trace):
        now_ms = traced["now_ms"]
        for step in traced["steps"]:
            if step["kind"] not in ("began", "went on", "ended"):
                continue
            known = rows.get(step["session"])
            name = step["of"].partition("/")[2]
            if known is None and name and traced["now_ms"] >= session["created_ms"]:
                known = rows[step["session"]] = _Row(name, "", now_ms, now_ms, now_ms, "ended", is_over=True)
            if known is None:
                continue
            if known.is_over:
                known.last_ms = known.due_ms = now_ms
            if step["kind"] != "ended":
                known.events_ms.append(now_ms)
    return list(rows.values())


def _row(name: str, key: str, numbers: SessionNumbers) -> _Row:
    times = numbers["created_ms"], numbers["modified_ms"], numbers["expires_at_ms"]
    return _Row(name, key, *times, f"{numbers['events']} events")


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:19]}…"
