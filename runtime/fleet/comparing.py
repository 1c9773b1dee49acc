"""What the shadows of all workers have compared, made one answer: each has had the events of its own sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import cast

from runtime.fleet.asking import Parts
from runtime.protocol import reload_answers
from runtime.service.comparison import MOST_KEPT


def merged_shadow(parts: Parts) -> reload_answers.Shadow | None:
    """The shadows of those that have one; a part is None where a worker has none. None where nobody has any."""
    every: list[reload_answers.Shadow] = [each for each in parts.all if each is not None]
    if not every:
        return None
    problems = [
        f"worker {number} began again without it" if each is None else f"worker {number}: {each['problem']}"
        for number, each in parts.by_worker.items()
        if each is None or each["problem"]
    ]
    found: reload_answers.Shadow = {
        "version": every[0]["version"],
        "running_version": every[0]["running_version"],
        "since_ms": min(each["since_ms"] for each in every),
        "sessions_at_start": sum(each["sessions_at_start"] for each in every),
        "dropped_sessions": sum(each["dropped_sessions"] for each in every),
        "live_sessions": sum(each["live_sessions"] for each in every),
        "events": sum(each["events"] for each in every),
        "problem": "; ".join(problems) or None,
        "rule_errors": sum(each["rule_errors"] for each in every),
        "comparison": _comparison([each["comparison"] for each in every]),
    }
    return cast("reload_answers.Shadow", parts.whole(found))


def _comparison(every: Sequence[reload_answers.Comparison]) -> reload_answers.Comparison:
    running, shadow = Counter[str](), Counter[str]()
    for lines in (lines for each in every for lines in each["lines"]):
        running[lines["type"]] += lines["running"]
        shadow[lines["type"]] += lines["shadow"]
    ends = [each["ends"] for each in every]
    return {
        "lines": [
            {"type": name, "running": running[name], "shadow": shadow[name]} for name in sorted({*running, *shadow})
        ],
        "events": _tally([each["events"] for each in every]),
        "ends": {
            **_tally(ends),
            "only_running": sum(each["only_running"] for each in ends),
            "only_shadow": sum(each["only_shadow"] for each in ends),
            "alone": _latest([each["alone"] for each in ends]),
        },
    }


def _tally(every: Sequence[reload_answers.Tally]) -> reload_answers.Tally:
    return {
        "same": sum(each["same"] for each in every),
        "different": sum(each["different"] for each in every),
        "differences": _latest([each["differences"] for each in every]),
    }


def _latest(lists: Sequence[list[reload_answers.Difference]]) -> list[reload_answers.Difference]:
    """The newest of several lists, each of which has the newest first."""
    return list(islice(merge(*lists, key=lambda each: each["at_ms"], reverse=True), MOST_KEPT))
