"""The event domain beside a model that follows engine.md §6 (in the design) sentence by sentence.

Time goes second by second, and sessions are dicts. The same must leave at the same time, and the same be counted late.
"""

from __future__ import annotations

import json
import os
from bisect import insort
from collections import Counter
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Clock

GAP, FUTURE, IDLE_CLOSE = 5_000, 20_000, 8_000
Row = dict[str, Any]


class Partition:
    def __init__(self) -> None:
        self.clock = self.watermark = self.heard = 0
        self.waiting: list[tuple[int, int, Row]] = []
        self.sessions: list[Row] = []


class Model:
    def __init__(self, lateness: int, late: str, most_waiting: int) -> None:
        self.lateness, self.late, self.most_waiting = lateness, late, most_waiting
        self.partitions = {0: Partition(), 1: Partition()}
        self.sent: list[tuple[int, Row]] = []
        self.counts: Counter[str] = Counter()

    def process(self, number: int, events: list[Row], wall: int) -> None:
        part = self.partitions[number]
        part.heard = wall
        for event in events:
            is_future = event["at"] > wall + FUTURE
            self.counts["future"] += is_future
            time = wall if is_future else event["at"]
            part.watermark = max(part.watermark, time - self.lateness)
            if time < part.watermark:
                self.take(part, event, time)
            else:
                insort(part.waiting, (time, event["n"], event))
            while part.waiting and (part.waiting[0][0] <= part.watermark or len(part.waiting) > self.most_waiting):
                self.release(part)
            self.go_on(part, part.watermark)

    def release(self, part: Partition) -> None:
        """The event that waits longest by its own time; nothing is taken in behind it."""
        time, _, event = part.waiting.pop(0)
        part.watermark = max(part.watermark, time)
        self.go_on(part, time)
        self.take(part, event, time)

    def go_on(self, part: Partition, time: int, reason: str = "gap") -> None:
        """Every whole second is a tick. Wall time, by which a quiet partition is judged, does not move its clock."""
        for tick in range((part.clock // 1000 + 1) * 1000, time + 1, 1000) if part.sessions else ():
            for session in sorted(part.sessions, key=lambda each: each["_snet"]):
                if session["_snet"] + GAP < tick:
                    self.end(part, session, reason, tick)
        if reason == "gap":
            part.clock = max(part.clock, time)

    def take(self, part: Partition, event: Row, time: int) -> None:
        now = part.clock
        session = next((each for each in part.sessions if each["key"] == event["user"]), None)
        is_over = session is not None and session["_snet"] + GAP <= now
        is_late = time < now and (session is None or is_over or time < session["_snst"] - GAP)
        self.counts[self.late] += is_late
        if is_late and self.late in ("drop", "dead_letter"):
            self.sent += [(0, {"dead_letter": event["n"]})] if self.late == "dead_letter" else []
            return
        if is_late and self.late == "new":
            self.begin(part, event, time, time, key=None)
        elif session is None or is_over:
            if session is not None:
                self.end(part, session, "gap", now)
            self.begin(part, event, time, now, key=event["user"])
        else:
            session["_snet"], session["_snec"] = now, session["_snec"] + 1
        self.sent.append((now, event))

    def begin(self, part: Partition, event: Row, time: int, start: int, key: str | None) -> None:
        """A session that no key finds takes no further event."""
        begun = {"_snid": f"{event['user']}{time:016x}", "_snst": start}
        part.sessions.append({**begun, "_snet": start, "_snec": 1, "key": key})
        self.sent.append((part.clock, {"_type": "VisitBegin", **begun}))

    def end(self, part: Partition, session: Row, reason: str, now: int) -> None:
        part.sessions.remove(session)
        told = {"_type": "VisitEnd", **session, "_sndn": session["_snet"] - session["_snst"], "_snrs": reason}
        self.sent.append((now, {name: value for name, value in told.items() if name != "key"}))

    def settle(self, wall: int, quiet_for: int, reason: str) -> None:
        """What waits in quiet partitions comes first, then time goes on in them."""
        for part in self.partitions.values():
            if wall - part.heard >= quiet_for:
                while part.waiting:
                    self.release(part)
                self.go_on(part, wall if reason == "idle_partition" else part.clock + GAP + 2_000, reason)


def in_order(sent: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Sessions whose last updates were in one millisecond may end in either order."""
    groups = groupby(sent, key=lambda each: (each[0], each[1].get("_snet"), each[1].get("n")))
    return [each for _, group in groups for each in sorted(group, key=lambda one: json.dumps(one, sort_keys=True))]


OFFSETS = st.sampled_from([-16_000, -9_000, -5_001, -5_000, -4_999, -2_000, -1, 0, 1, 400, 19_999, 20_001, 60_000])
PAUSES = st.sampled_from([0, 1, 700, 3_000, 7_999, 8_000, 30_000])
CLICKS = st.lists(st.tuples(st.sampled_from("ab"), OFFSETS), min_size=1, max_size=5)
STEPS = st.lists(st.tuples(PAUSES, st.integers(0, 1), st.none() | CLICKS), max_size=12)
CONTROLLER = "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;"
CONFIG = {"events": {"Click": {"user": "string", "at": "long"}}, "controller_text": CONTROLLER}
VISIT = {"name": "Visit", "type": 1, "max_active": "0s", "begin_marker": "VisitBegin", "end_marker": "VisitEnd"}
PROFILES = [{**VISIT, "gap": f"{GAP}ms", "keys": {"marker": None}, "rules_text": ""}]
TIME = {"domain": "event", "idle_close": f"{IDLE_CLOSE}ms", "future": f"{FUTURE}ms"}


@settings(max_examples=int(os.environ.get("SOJOURN_EXAMPLES", "120")))
@given(STEPS, *map(st.sampled_from, ([0, 1_500, 10_000], ["extend", "new", "drop", "dead_letter"], [2, 10_000])))
def test_engine_and_model_agree(engine_of: Any, steps: list[Any], lateness: int, late: str, most_waiting: int) -> None:
    """A step is a pause by the wall clock, then events of one partition, or a look at what has been quiet."""
    time = {**TIME, "allowed_lateness": f"{lateness}ms", "late": late, "most_waiting": most_waiting}
    engine, output = engine_of({**CONFIG, "time": time, "profiles": PROFILES}, clock=Clock.EVENT_TIME)
    model = Model(lateness, late, most_waiting)
    wall, n = 50_000, 0
    for pause, partition, clicks in steps:
        wall += pause
        if clicks is None:
            engine.close_idle(wall)
            model.settle(wall, IDLE_CLOSE, "idle_partition")
            continue
        events = [{"user": f"{user}{partition}", "at": wall + off, "n": n + i} for i, (user, off) in enumerate(clicks)]
        lines = [json.dumps(event).encode() for event in events]
        dead: Any = lambda refused: output.sent.append((0, {"dead_letter": refused.line}))  # noqa: E731
        engine.process(lines, partition=partition, wall_ms=wall, first_line=n, refuse=dead)
        model.process(partition, events, wall)
        n += len(events)
    engine.drain()
    model.settle(wall, 0, "gap")
    assert in_order(output.sent) == in_order(model.sent)
    assert +engine.counters.late + Counter(future=engine.counters.future) == +model.counts
