"""Charts as SVG, drawn where the numbers are: no script is needed to see them, and none to print them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from runtime.protocol.answers import SessionDetails, SessionNumbers
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


def timeline(session: SessionDetails, now_ms: int) -> Markup:
    """A session and its sub-sessions on an axis of time: what was, and until when each lives if nothing comes."""
    rows: list[tuple[str, SessionNumbers]] = [(session["profile"], session)]
    rows += [(sub["sub_session"], sub) for sub in session["sub_sessions"]]
    begin = session["created_ms"]
    end = max(row["expires_at_ms"] for _, row in rows)
    span = max(end - begin, 1)

    def at(time_ms: int) -> float:
        share: float = (max(begin, min(time_ms, end)) - begin) / span
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    parts = []
    for place, (name, row) in enumerate(rows):
        y = place * _ROW + 8
        first, last, due = at(row["created_ms"]), at(row["modified_ms"]), at(row["expires_at_ms"])
        key = "" if place == 0 else f" {row['key']}"
        parts.append(
            Markup(
                '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="due" x="{}" y="{}" width="{}" height="14" rx="3"/>'
                '<rect class="lived{}" x="{}" y="{}" width="{}" height="14" rx="3">'
                "<title>{}{}: {} events</title></rect>"
            ).format(
                _LEFT - 10,
                y + 11,
                _short(name + key),
                first,
                y,
                round(due - first, 1),
                " sub" if place else "",
                first,
                y,
                max(round(last - first, 1), 4),
                name,
                key,
                row["events"],
            )
        )
    height = len(rows) * _ROW + 6
    now = Markup("")
    if begin <= now_ms <= end:
        now = Markup('<line class="now" x1="{}" x2="{}" y1="0" y2="{}"/>').format(at(now_ms), at(now_ms), height)
    return Markup(
        '<svg class="timeline" viewBox="0 0 1000 {}" role="img" aria-label="Timeline: the session and {} live '
        'sub-sessions; the table below has the numbers">{}{}</svg>'
    ).format(height, len(rows) - 1, Markup("").join(parts), now)


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:19]}…"
