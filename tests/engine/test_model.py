"""The engine beside a model of plain dicts that follows engine.md (in the design) sentence by sentence.

A rule is its text and a function that gives its effects for an event and the session as it was; the model reads all
rules, then applies what they gave. Whatever leaves must be the same, in the same order, at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Engine

MAX_IDLE_MS = 12_000
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


class Model:
    """Sessions as dicts in a list in the order of their last update; time goes second by second."""

    def __init__(self, rules: list[Rule], sub_rules: list[Rule], gap: int, max_active: int, sub_gap: int) -> None:
        self.rules, self.sub_rules = rules, sub_rules
        self.gap, self.max_active, self.sub_gap = gap, max_active, sub_gap
        self.sessions: list[Row] = []
        self.sent: list[tuple[int, Row]] = []
        self.tick = 0

    # ---- time

    def advance(self, now: int) -> None:
        while self.tick + 1000 <= now:
            self.tick += 1000
            for session in list(self.sessions):
                self.end_due_subs(session, self.tick - 1, self.tick)
                if session["expires"] < self.tick:
                    self.end(session, "gap", self.tick)
                elif self.is_too_old(session, self.tick):
                    self.end(session, "max_active", self.tick)

    def is_too_old(self, session: Row, now: int) -> bool:
        return self.max_active > 0 and now - session["created"] > self.max_active

    # ---- an event

    def process(self, event: Row, now: int) -> None:
        self.advance(now)
        passive = event.get("act") == "ping"
        session = next((each for each in self.sessions if each["key"] == event["user"]), None)
        if session is not None:
            self.end_due_subs(session, now, now)
            if session["expires"] <= now:
                self.end(session, "gap", now)
                session = None
            elif self.is_too_old(session, now):
                self.end(session, "max_active", now)
                session = None
        if session is None and passive:
            self.sent.append((now, event))
            return
        splits = any(("split",) in read(event, new_session("", "", 0, 0)) for _, read in self.rules)
        if session is not None and splits and not passive:
            self.end(session, "split", now)
            session = None
        is_new = session is None
        if session is None:
            session = new_session(event["user"], event["user"], now, min(self.gap, MAX_IDLE_MS))
        elif not passive:
            self.sessions.remove(session)
            touch(session, now)
        if not passive:
            session["count"] += 1
            self.sessions.append(session)
        decorations, part, ends = self.run(self.rules, event, session, now, passive)
        if is_new:
            self.marker("VisitBegin", session, now)
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
            touch(sub, now)
        sub["count"] += 1
        session["expires"] = max(session["expires"], sub["expires"])
        decorations, _, ends = self.run(self.sub_rules, event, sub, now, False)
        if is_new:
            self.marker("PartBegin", sub, now)
        return sub, decorations, ends

    # ---- ends

    def end_due_subs(self, session: Row, due: int, now: int) -> None:
        for sub in reversed(list(session["subs"])):
            if sub["expires"] <= due:
                self.end_sub(session, sub, "gap", now)

    def end_sub(self, session: Row, sub: Row, reason: str, now: int) -> None:
        session["subs"].remove(sub)
        self.marker("PartEnd", sub, now, reason)

    def end(self, session: Row, reason: str, now: int) -> None:
        for sub in list(session["subs"]):
            self.end_sub(session, sub, "parent", now)
        self.sessions.remove(session)
        self.marker("VisitEnd", session, now, reason)

    def marker(self, kind: str, session: Row, now: int, reason: str | None = None) -> None:
        fields: Row = {"_type": kind}
        fields.update({name: value for name, value in session["metadata"].items() if value is not None})
        fields.update(_snid=session["id"], _snst=session["created"])
        if reason is not None:
            end, start = session["modified"], session["created"]
            fields.update(_snet=end, _sndn=end - start, _snec=session["count"], _snrs=reason)
        self.sent.append((now, fields))


def new_session(key: str, id_start: str, now: int, gap: int) -> Row:
    times = {"created": now, "modified": now, "expires": now + gap, "gap": gap}
    counts = {"count": 0, "bots": 0, "bot_type": 0}
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
SETTINGS = st.tuples(st.integers(4, 8), st.sampled_from([0, 8, 15]), st.integers(1, 4))


def config(rules: tuple[Rule, ...], sub_rules: tuple[Rule, ...], gap: int, max_active: int, sub_gap: int) -> Row:
    part = {"name": "Part", "gap": f"{sub_gap}s", "begin_marker": "PartBegin", "end_marker": "PartEnd"}
    visit = {"name": "Visit", "type": 1, "gap": f"{gap}s", "max_active": f"{max_active}s"}
    markers = {"begin_marker": "VisitBegin", "end_marker": "VisitEnd"}
    return {
        "events": {"Click": {"user": "string", "n": "int", "part": "string", "act": "string"}},
        "limits": {"max_idle": f"{MAX_IDLE_MS}ms"},
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


def steps(events: list[tuple[Row, int]]) -> Iterator[tuple[Row, int]]:
    now = 1_000
    for event, pause in events:
        now += pause
        yield event, now


@settings(max_examples=120, deadline=None)
@given(RULES, SUB_RULES, SETTINGS, st.lists(st.tuples(EVENTS, PAUSES), min_size=1, max_size=40))
def test_engine_and_model_agree(
    engine_of: Callable[..., tuple[Engine, Any]],
    rules: tuple[Rule, ...],
    sub_rules: tuple[Rule, ...],
    times: tuple[int, int, int],
    events: list[tuple[Row, int]],
) -> None:
    gap, max_active, sub_gap = times
    if max_active < gap:
        max_active = 0
    engine, output = engine_of(config(rules, sub_rules, gap, max_active, sub_gap))
    model = Model(list(rules), list(sub_rules), gap * 1000, max_active * 1000, sub_gap * 1000)
    for event, now in steps(events):
        engine.process([json.dumps(event).encode()], now)
        model.process(event, now)
        assert output.sent == model.sent
    engine.drain()
    while model.sessions:
        model.advance(model.tick + 1000)
    assert output.sent == model.sent
