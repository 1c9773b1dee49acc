"""The lanes of a session as SVG: bars on one axis of time, and a mark for each event that is known.

Places are in percent and sizes in pixels, so words and marks are as large on a telephone as on a wide screen. What is
too near to another on the one and not on the other is drawn twice, and the stylesheet shows what fits.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from runtime.service.lanes import Lane
from runtime.service.time_axis import Stretch, TimeAxis, groups
from runtime.service.wording import about_text, duration_text, moment_text, since_text

_MOST_LANES = 12
_TOP = 22
"""Where an axis has breaks: the line of words above all lanes."""
_LANE = 46
_BAR = 14
_BAR_TOP = 20
_LEAST_BAR = 0.4
_SCREENS = (("wide", 3.0, 12.0), ("narrow", 6.5, 30.0))
"""A class, and how far apart marks and ticks are at least, in percent: from 570 pixels on, and from 280."""


def lane_chart(lanes: Sequence[Lane], now_ms: int) -> Markup:
    """The session and those of its sub-sessions that began last, drawn."""
    main, *subs = lanes
    shown = [main, *subs[-(_MOST_LANES - 1) :]]
    end_ms = max(main.until_ms, *(lane.last_ms for lane in shown))
    # When sub-sessions are due makes no stop of its own: many of them would leave nothing long enough to be broken.
    stops = {main.began_ms, main.last_ms, end_ms}
    for lane in shown:
        stops |= {lane.began_ms, lane.last_ms, *lane.seen_ms}
    axis = TimeAxis(each for each in [*stops, now_ms] if main.began_ms <= each <= end_ms)

    top = _TOP if axis.breaks else 0
    bottom = top + len(shown) * _LANE
    tops = [top + place * _LANE for place in range(len(shown))]
    parts = [_bars(lane, axis, y, now_ms, is_sub=y > top) for lane, y in zip(shown, tops, strict=True)]
    parts += [_ticks(axis, bottom, screen, apart) for screen, _, apart in _SCREENS]
    if main.began_ms <= now_ms <= end_ms:
        parts += [_now(axis.at(now_ms), y) for y in tops]
    parts += [_words(lane, y, now_ms) for lane, y in zip(shown, tops, strict=True)]
    parts += [
        _marks(lane.seen_ms, axis, y + _BAR_TOP + _BAR // 2, screen, apart)
        for lane, y in zip(shown, tops, strict=True)
        for screen, apart, _ in _SCREENS
    ]
    parts += [_length(stretch) for stretch in axis.breaks]
    said = "; ".join(f"{lane.kind} {lane.key}: {_told(lane, now_ms)}" for lane in shown)
    left_out = len(lanes) - len(shown)
    if left_out:
        said += f"; {left_out} more sub-sessions"
    chart = Markup('<svg class="timeline" height="{}" role="img" aria-label="Timeline. {}">{}</svg>').format(
        bottom + 24, said, Markup("").join(parts)
    )
    more = Markup('<p class="hint">{} sub-sessions that began earlier are in the table.</p>').format(left_out)
    return chart + more if left_out else chart


def until(lane: Lane, now_ms: int) -> str:
    """How long a lane lives, or why it does not any more."""
    if lane.ended is not None:
        return f"ended: {lane.ended}"
    left_ms = lane.until_ms - now_ms
    return f"due in {duration_text(left_ms)}" if left_ms > 0 else "due"


def _told(lane: Lane, now_ms: int) -> str:
    told = [until(lane, now_ms)]
    if lane.events is not None:
        events = "1 event" if lane.events == 1 else f"{lane.events:,} events"
        told.insert(0, f"{events} in {duration_text(lane.last_ms - lane.began_ms)}")
    return ", ".join(told)


def _words(lane: Lane, top: int, now_ms: int) -> Markup:
    """Whose lane it is, and until when it lives."""
    return Markup('<text class="name" x="0" y="{}">{}</text><text class="until" x="100%" y="{}">{}</text>').format(
        top + 13, _short(f"{lane.kind} {lane.key}"), top + 13, until(lane, now_ms)
    )


def _bars(lane: Lane, axis: TimeAxis, top: int, now_ms: int, *, is_sub: bool) -> Markup:
    """From the beginning to when it is due, and above it to the latest event."""
    y = top + _BAR_TOP
    first = min(axis.at(lane.began_ms), 100 - _LEAST_BAR)  # one at the very end still has room
    last, due = axis.at(lane.last_ms), axis.at(lane.until_ms)
    kinds = f"lived{' sub' if is_sub else ''}{' over' if lane.ended is not None else ''}"
    bars = Markup(
        '<rect class="due" x="{}%" y="{}" width="{}%" height="{}" rx="3"/>'
        '<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="3"><title>{}</title></rect>'
    ).format(
        *(first, y, round(max(due - first, _LEAST_BAR), 2), _BAR),
        *(kinds, first, y, round(max(last - first, _LEAST_BAR), 2), _BAR, _told(lane, now_ms)),
    )
    tears = [_tear(each, y) for each in axis.breaks if first < each.left + each.width / 2 < max(last, due)]
    return bars + Markup("").join(tears)


def _now(place: float, top: int) -> Markup:
    """What time it is, across the bars of a lane; the words between lanes stay free of it."""
    line = Markup('<line class="now" x1="{}%" x2="{}%" y1="{}" y2="{}"/>')
    return line.format(place, place, top + _BAR_TOP - 4, top + _BAR_TOP + _BAR + 4)


def _marks(times_ms: Sequence[int], axis: TimeAxis, y: int, screen: str, apart: float) -> Markup:
    """Events; those that would cover each other as one mark with their number."""
    marks = []
    places = [axis.at(time_ms) for time_ms in times_ms]
    for numbers in groups(places, apart):
        times = sorted(times_ms[number] for number in numbers)
        middle = round(sum(places[number] for number in numbers) / len(numbers), 2)
        if len(times) == 1:
            mark = Markup('<circle class="event" cx="{}%" cy="{}" r="4"><title>{}</title></circle>')
            marks.append(mark.format(middle, y, moment_text(times[0])))
        else:
            mark = Markup(
                '<g><circle class="event" cx="{}%" cy="{}" r="8.5"/><text class="count" x="{}%" y="{}">{}</text>'
                "<title>{} events, {} to {}</title></g>"
            )
            said = (len(times), len(times), moment_text(times[0]), moment_text(times[-1]))
            marks.append(mark.format(middle, y, middle, y + 3.5, *said))
    return Markup('<g class="{}">{}</g>').format(screen, Markup("").join(marks))


def _ticks(axis: TimeAxis, y: int, screen: str, apart: float) -> Markup:
    """The axis itself, with the time since the beginning."""
    line = Markup('<line class="axis-line" x1="0" x2="100%" y1="{}" y2="{}"/>').format(y, y)
    ticks = []
    for tick in axis.ticks(apart):
        side = "start" if tick.place < 2 else "end" if tick.place > 98 else "middle"
        ticks.append(
            Markup(
                '<line class="axis-line" x1="{}%" x2="{}%" y1="{}" y2="{}"/>'
                '<text class="tick" x="{}%" y="{}" text-anchor="{}">{}</text>'
            ).format(tick.place, tick.place, y, y + 4, tick.place, y + 18, side, since_text(tick.since_ms))
        )
    tears = [_tear(stretch, y - _BAR // 2) for stretch in axis.breaks]
    return Markup('<g class="{}">{}{}</g>').format(screen, line, Markup("").join([*ticks, *tears]))


def _tear(stretch: Stretch, top: int) -> Markup:
    """What says that a bar, or the axis, is longer than it looks."""
    return Markup(
        '<svg class="tear" x="{}%" y="{}" width="1" height="1"><path class="torn" d="M-6 17 L-2 -3 H6 L2 17 Z"/>'
        '<path class="edge" d="M-6 17 L-2 -3 M2 17 L6 -3"/></svg>'
    ).format(round(stretch.left + stretch.width / 2, 2), top)


def _length(stretch: Stretch) -> Markup:
    """How long a stretch is that is drawn short."""
    middle = round(stretch.left + stretch.width / 2, 2)
    return Markup('<text class="stretch" x="{}%" y="12">{}</text>').format(middle, about_text(stretch.length_ms))


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 22 else f"{text[:21]}…"
