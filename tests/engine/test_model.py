"""The engine beside a model of plain dicts that follows engine.md (in the design) sentence by sentence.

A rule is its text and a function that gives its effects for an event and the session as it was; the model reads all
rules, then applies what they gave. Whatever leaves must be the same, in the same order, at the same time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Engine
from runtime.rules import TenantRules
from runtime.snapshot import load, save

EXAMPLES = int(os.environ.get("SOJOURN_EXAMPLES", "120"))
"""`make soak` asks for 50,000, which is about a million events."""
MAX_IDLE_MS = 12_000
DAY_MS = 86_400_000
Row = dict[str, Any]
Rule = tuple[str, Callable[[Row, Row], list[tuple[Any, ...]]]]

MAIN: list[Rule] = [
    ("@UpdateCounter('c') select 1 from Click;", lambda e, s: [("add", "c")]),
    (
        "@DecorateEvent select session.int('c') as c, session.eventCount as events, n as seen from Click;",
        lambda e, s: [("decorate", {"c": s["state"].get("c"), "events": s["count"], "seen": e.get("n")})],
    ),
    ("@UpdateState select null as c from Click(n = 1);", lambda e, s: [("drop", "c")] if e.get("n") == 1 else []),
    ("@UpdateMetadata select n as m from Click;", lambda e, s: [("metadata", "m", e.get("n"))]),
    (
        "@UpdateDuration select n * 1000 as _duration_ from Click where n != 1;",
        lambda e, s: [("gap", e["n"] * 1000)] if e.get("n") not in (None, 1) else [],
    ),
    (
        "@DecorateEvent select n + 1 as n from Click;",
        lambda e, s: [("decorate", {"n": None if e.get("n") is None else e["n"] + 1})],
    ),
    ("@SubSession('Part') select part as _pk_ from Click;", lambda e, s: [("sub", e["part"])] if "part" in e else []),
    (
        "@MarkBot select n as _bottype_ from Click(n < 2);"
        "@DecorateEvent select session.botEventCount as bots from Click;",
        lambda e, s: ([("bot", e["n"])] if e.get("n", 2) < 2 else []) + [("decorate", {"bots": s["bots"]})],
    ),
    ("@SplitSession select 1 from Click(act = 'split');", lambda e, s: [("split",)] if e.get("act") == "split" else []),
    ("@EndSession select 1 from Click(act = 'end');", lambda e, s: [("end",)] if e.get("act") == "end" else []),
]
SUB: list[Rule] = [
    ("@UpdateMetadata select n as sub_m from Click;", lambda e, s: [("metadata", "sub_m", e.get("n"))]),
    (
        "@DecorateEvent select session.eventCount as part_events from Click;",
        lambda e, s: [("decorate", {"part_events": s["count"]})],
    ),
    (
        "@EndSession select 1 from Click(act = 'end part');",
        lambda e, s: [("end",)] if e.get("act") == "end part" else [],
    ),
]


@dataclass(frozen=True)
class Times:
    """What a tenant configures, in seconds and events."""

    gap: int
    max_active: int
    sub_gap: int
    max_events: int
    midnight: bool


class Model:
    """Sessions as dicts in a list in the order of their last update; time goes second by second."""

    def __init__(self, rules: list[Rule], sub_rules: list[Rule], times: Times, refusals: list[bool]) -> None:
        self.rules, self.sub_rules, self.refusals = rules, sub_rules, list(refusals)
        self.gap, self.max_active, self.sub_gap = times.gap * 1000, times.max_active * 1000, times.sub_gap * 1000
        self.max_events, self.midnight = times.max_events, times.midnight
        self.sessions: list[Row] = []
        self.sent: list[tuple[int, Row]] = []
        self.longest = {"VisitEnd": 0, "PartEnd": 0}
        self.delay = {"VisitEnd": 0, "PartEnd": 0}
        self.tick = 0

    # ---- time

    def advance(self, now: int) -> None:
        while self.tick + 1000 <= now:
            self.tick += 1000
            for session in list(self.sessions):
                if session["waiting"]:
                    if session["waiting"]["retry"] <= self.tick:
                        self.end(session, session["waiting"]["reason"], self.tick)
                    continue
                self.end_due_subs(session, self.tick - 1, self.tick, retry=True)
                if reason := self.is_over(session, self.tick - 1, self.tick):
                    self.end(session, reason, self.tick)

    def is_over(self, session: Row, due: int, now: int) -> str | None:
        if session["expires"] <= due:
            return "gap"
        if self.max_active > 0 and now - session["created"] > self.max_active:
            return "max_active"
        return "split" if self.midnight and now // DAY_MS > session["created"] // DAY_MS else None

    # ---- an event

    def process(self, event: Row, now: int) -> None:
        self.advance(now)
        passive = event.get("act") == "ping"
        session = next((each for each in self.sessions if each["key"] == event["user"]), None)
        if session is not None:
            self.end_due_subs(session, now, now, retry=False)
            reason = None if session["waiting"] else self.is_over(session, now, now)
            if not (reason or session["waiting"] or passive) and 0 < self.max_events <= session["count"]:
                reason = "max_events"
            if reason and self.end(session, reason, now):
                session = None
            elif not passive:
                session["waiting"] = None
        if session is None and passive:
            self.sent.append((now, event))
            return
        splits = any(("split",) in read(event, new_session("", "", 0, 0)) for _, read in self.rules)
        if session is not None and splits and not passive:
            if self.end(session, "split", now):
                session = None
            else:
                session["waiting"] = None
        is_new = session is None
        if session is None:
            session = new_session(event["user"], event["user"], now, min(self.gap, MAX_IDLE_MS))
        elif not passive:
            self.sessions.remove(session)
            self.longest["VisitEnd"] = max(self.longest["VisitEnd"], now - session["modified"])
            touch(session, now)
        if not passive:
            session["count"] += 1
            self.sessions.append(session)
        decorations, part, ends = self.run(self.rules, event, session, now, passive)
        if is_new:
            self.sent.append((now, self.fields("VisitBegin", session)))
        ending = [session] if ends else []
        if part is not None and not passive:
            event_then = {**event, **decorations}
            sub, sub_decorations, sub_ends = self.touch_sub(session, part, event_then, now)
            decorations.update(sub_decorations)
            ending += [sub] if sub_ends else []
        self.sent.append((now, {**event, **decorations}))
        for each in ending:
            if each is session:
                self.end(session, "explicit", now)
            elif each in session["subs"]:
                self.end_sub(session, each, "explicit", now)

    def run(self, rules: list[Rule], event: Row, session: Row, now: int, passive: bool) -> tuple[Row, str | None, bool]:
        """Read, then write: decorations, the key of a sub-session, whether the session ends."""
        effects = [effect for _, read in rules for effect in read(event, session)]
        decorations: Row = {}
        part, ends = None, False
        for effect in effects:
            match effect:
                case ("add", name):
                    session["state"][name] = session["state"].get(name, 0) + 1
                case ("drop", name):
                    session["state"].pop(name, None)
                case ("metadata", name, value):
                    session["metadata"][name] = value
                case ("gap", gap) if gap <= MAX_IDLE_MS:
                    session["gap"] = max(gap, 0)
                    if not passive:
                        session["expires"] = now + session["gap"]
                case ("decorate", values):
                    decorations.update({name: value for name, value in values.items() if value is not None})
                case ("bot", bot_type):
                    session["bot_type"] = bot_type
                case ("sub", key):
                    part = key
                case ("end",):
                    ends = True
        return decorations, part, ends

    def touch_sub(self, session: Row, key: str, event: Row, now: int) -> tuple[Row, Row, bool]:
        sub = next((each for each in session["subs"] if each["key"] == key), None)
        is_new = sub is None
        if sub is None:
            gap = min(self.sub_gap, MAX_IDLE_MS, session["gap"])
            sub = new_session(key, session["key"] + key, now, gap)
            session["subs"].append(sub)
        else:
            self.longest["PartEnd"] = max(self.longest["PartEnd"], now - sub["modified"])
            touch(sub, now)
        sub["count"] += 1
        sub["waiting"] = None
        session["expires"] = max(session["expires"], sub["expires"])
        decorations, _, ends = self.run(self.sub_rules, event, sub, now, False)
        if is_new:
            self.sent.append((now, self.fields("PartBegin", sub)))
        return sub, decorations, ends

    # ---- ends

    def end_due_subs(self, session: Row, due: int, now: int, *, retry: bool) -> None:
        for sub in reversed(list(session["subs"])):
            if (retry and sub["waiting"]["retry"] <= now) if sub["waiting"] else sub["expires"] <= due:
                self.end_sub(session, sub, "gap", now)

    def end_sub(self, session: Row, sub: Row, reason: str, now: int) -> bool:
        taken = self.deliver("PartEnd", sub, now, reason)
        if taken:
            session["subs"].remove(sub)
        return taken

    def end(self, session: Row, reason: str, now: int) -> bool:
        if session["waiting"]:
            reason = session["waiting"]["reason"]
        for sub in list(session["subs"]):
            if not self.end_sub(session, sub, "parent", now):
                self.wait(session, reason, now)
                return False
        taken = self.deliver("VisitEnd", session, now, reason)
        if taken:
            self.sessions.remove(session)
        return taken

    def deliver(self, kind: str, session: Row, now: int, reason: str) -> bool:
        fields = None
        if session["waiting"]:
            reason, fields = session["waiting"]["reason"], session["waiting"]["fields"]
            if session["waiting"]["retry"] > now:
                return False
        fields = fields or self.fields(kind, session, reason)
        refused = self.refusals.pop(0) if self.refusals else False
        self.sent.append((now, {"refused": fields} if refused else fields))
        if refused:
            self.wait(session, reason, now, fields)
        elif reason == "gap":
            self.delay[kind] += max(now - session["expires"], 0)
        return not refused

    def wait(self, session: Row, reason: str, now: int, fields: Row | None = None) -> None:
        attempts = session["waiting"]["attempts"] + 1 if session["waiting"] else 0
        retry = now + min(1000 * 2**attempts, 60_000)
        session["waiting"] = {"reason": reason, "fields": fields, "attempts": attempts, "retry": retry}

    def fields(self, kind: str, session: Row, reason: str | None = None) -> Row:
        fields: Row = {"_type": kind}
        fields.update({name: value for name, value in session["metadata"].items() if value is not None})
        fields.update(_snid=session["id"], _snst=session["created"])
        if reason is not None:
            end, start = session["modified"], session["created"]
            fields.update(_snet=end, _sndn=end - start, _snec=session["count"], _snrs=reason)
        return fields


def new_session(key: str, id_start: str, now: int, gap: int) -> Row:
    times = {"created": now, "modified": now, "expires": now + gap, "gap": gap}
    counts = {"count": 0, "bots": 0, "bot_type": 0, "waiting": None}
    return {"key": key, "id": f"{id_start}{now:016x}", **times, **counts, "state": {}, "metadata": {}, "subs": []}


def touch(session: Row, now: int) -> None:
    session["modified"] = now
    session["expires"] = now + session["gap"]
    session["bots"] += session["bot_type"] > 0


RULES = st.lists(st.sampled_from(MAIN), unique=True, max_size=len(MAIN)).map(tuple)
SUB_RULES = st.lists(st.sampled_from(SUB), unique=True).map(tuple)
PAUSES = st.sampled_from([0, 1, 1, 400, 499, 500, 999, 1000, 1500, 2999, 3000, 4000, 6000, 9000])
EVENTS = st.fixed_dictionaries(
    {"user": st.sampled_from("aab")},
    optional={
        "n": st.sampled_from([-1, 0, 1, 2, 2, 3, 9, 12, 13]),
        "part": st.sampled_from("xxy"),
        "act": st.sampled_from(["split", "end", "end part", "ping", "ping"]),
    },
)
TIMES = st.builds(
    Times,
    gap=st.integers(4, 8),
    max_active=st.sampled_from([0, 8, 15]),
    sub_gap=st.integers(1, 4),
    max_events=st.sampled_from([0, 0, 1, 3]),
    midnight=st.booleans(),
)
REFUSALS = st.just([]) | st.lists(st.booleans(), max_size=15)
HOT = st.sampled_from([0, 1, 100])
SNAPSHOTS = st.just(frozenset[int]()) | st.frozensets(st.integers(0, 20))
"""After which batches the engine is put into a file, and another one goes on from it."""


def config(rules: tuple[Rule, ...], sub_rules: tuple[Rule, ...], times: Times, hot: int) -> Row:
    part = {"name": "Part", "gap": f"{times.sub_gap}s", "begin_marker": "PartBegin", "end_marker": "PartEnd"}
    visit = {"name": "Visit", "type": 1, "gap": f"{times.gap}s", "midnight": times.midnight}
    visit["max_active"] = f"{times.max_active if times.max_active >= times.gap else 0}s"
    markers = {"begin_marker": "VisitBegin", "end_marker": "VisitEnd"}
    return {
        "events": {"Click": {"user": "string", "n": "int", "part": "string", "act": "string"}},
        "cache": {"hot": hot, "block_size": 64, "page_size": "4KiB", "hash_capacity": 1},
        "limits": {"max_idle": f"{MAX_IDLE_MS}ms", "max_events": times.max_events},
        "controller_text": "@Session('Visit') select user as _pk_ from Click;"
        "@Passive @Session('Visit') select user as _pk_ from Click(act = 'ping');",
        "profiles": [
            {
                **visit,
                **markers,
                "keys": {"marker": None},
                "rules_text": "".join(text for text, _ in rules),
                "sub_sessions": [
                    {**part, "keys": {"marker": None}, "rules_text": "".join(text for text, _ in sub_rules)}
                ],
            }
        ],
    }


class Refusing:
    """An output that refuses end markers as a list of answers says, and keeps those too."""

    wants_events = True

    def __init__(self, refusals: list[bool]) -> None:
        self.sent: list[tuple[int, Row]] = []
        self._refusals = list(refusals)

    def event(self, raw: bytes, decorations: Row | None, now_ms: int) -> None:
        self.sent.append((now_ms, {**json.loads(raw), **(decorations or {})}))

    def marker(self, fields: Row, now_ms: int) -> None:
        self.sent.append((now_ms, fields))

    def end_marker(self, fields: Row, now_ms: int) -> bool:
        refused = self._refusals.pop(0) if self._refusals else False
        self.sent.append((now_ms, {"refused": fields.copy()} if refused else fields))
        return not refused


def batches(events: list[tuple[Row, int]], now: int) -> Iterator[tuple[int, list[Row]]]:
    """Events in batches of one time each, some of them cut in two."""
    batch: list[Row] = []
    for event, pause in events:
        if batch and (pause > 0 or len(batch) == 3):
            yield now, batch
            batch = []
        now += pause
        batch.append(event)
    yield now, batch


def another(engine: Engine, rules: TenantRules, output: Refusing) -> Engine:
    """A new engine that goes on from where this one is."""
    with TemporaryDirectory() as folder:
        save(engine, Path(folder) / "snapshot")
        made = Engine(rules, output)
        load(made, Path(folder) / "snapshot")
    return made


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    RULES,
    SUB_RULES,
    TIMES,
    REFUSALS,
    st.sampled_from([1_000, DAY_MS - 12_000]),
    HOT,
    SNAPSHOTS,
    st.lists(st.tuples(EVENTS, PAUSES), min_size=1, max_size=40),
)
def test_engine_and_model_agree(
    compile_text: Callable[..., Any],
    rules: tuple[Rule, ...],
    sub_rules: tuple[Rule, ...],
    times: Times,
    refusals: list[bool],
    start: int,
    hot: int,
    snapshots: frozenset[int],
    events: list[tuple[Row, int]],
) -> None:
    output = Refusing(refusals)
    compiled = compile_text(config(rules, sub_rules, times, hot))
    engine = Engine(compiled, output)
    if times.max_active < times.gap:
        times = replace(times, max_active=0)
    model = Model(list(rules), list(sub_rules), times, refusals)
    model.tick = start // 1000 * 1000
    for number, (now, batch) in enumerate(batches(events, start)):
        engine.process([json.dumps(event).encode() for event in batch], now)
        if number in snapshots:
            engine = another(engine, compiled, output)
        for event in batch:
            model.process(event, now)
        assert output.sent == model.sent
    engine.drain()
    while model.sessions:
        model.advance(model.tick + 1000)
    assert output.sent == model.sent
    (visit,) = engine.profiles
    for kind, counters in (("VisitEnd", visit.counters), ("PartEnd", visit.sub_sessions[0].counters)):
        assert (counters.max_interval_ms, counters.total_expiry_delay_ms) == (model.longest[kind], model.delay[kind])
