"""The figures of a sitting as a chart: python tests/bench/chart.py docs/bench.json

One bar a program, the longer the faster; colours and text that can be read on white and on black.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

TEXT, QUIET, OURS, OTHERS = "#7d8590", "#7d859066", "#2f81f7", "#8b949e99"
BAR_INCHES = 0.42


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Writes `path`.svg and `path`.png: speed beside hand-written Python, or wall time where that did not run."""
    rows = [row for row in figures["rows"] if "problem" not in row]
    if not rows:
        return
    is_relative = all(row["speed"] is not None for row in rows)
    values = [row["speed"] if is_relative else 1 / row["wall_seconds"] for row in rows]
    order = sorted(range(len(rows)), key=values.__getitem__)
    # The same figures make the same files; text stays text.
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11})
    figure, axes = plt.subplots(figsize=(8, 1.1 + BAR_INCHES * len(rows)), layout="constrained")
    colours = [OURS if rows[place]["ours"] else OTHERS for place in order]
    bars = axes.barh([rows[place]["name"] for place in order], [values[place] for place in order], 0.62, color=colours)
    axes.bar_label(bars, [_label(rows[place], is_relative) for place in order], padding=5, color=TEXT)
    axes.set_xlim(0, max(values) * 1.22)
    if is_relative:
        axes.axvline(1, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0, colors=TEXT)
    for place, tick in zip(order, axes.get_yticklabels(), strict=True):
        tick.set_fontweight("bold" if rows[place]["ours"] else "normal")
    measure = "Events per second, of hand-written Python" if is_relative else "Events per second"
    axes.set_title(f"{measure} – longer is faster", loc="left", color=TEXT, fontsize=12, fontweight="bold", pad=10)
    runs = f"{figures['events']:,} events, NDJSON in and out; medians of {figures['runs']} interleaved runs"
    figure.supxlabel(f"{runs}; {figures['machine']}", color=TEXT, fontsize=9, x=0.01, ha="left")
    figure.savefig(path.with_suffix(".svg"), transparent=True, metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), transparent=True, dpi=160)
    plt.close(figure)


def _label(row: Mapping[str, Any], is_relative: bool) -> str:
    wall = f"{row['wall_seconds']:.1f} s"
    return f"{row['speed']:.2f}  ·  {wall}" if is_relative else wall


if __name__ == "__main__":
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text(encoding="utf-8")), source.with_suffix(""))
