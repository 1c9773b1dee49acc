"""Charts as SVG, drawn where the numbers are: no script is needed to see them, and none to print them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from runtime.service.series import SAMPLES

_WIDTH = 300
_HEIGHT = 64
_PAD = 2


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
