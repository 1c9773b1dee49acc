"""What explaining writes down: events, passes of rules over them, what became of sessions, and what left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from epl.java.json_text import to_json
from runtime.protocol import answers


@dataclass(slots=True)
class RuleSeen:
    """What a rule made of an event. `failed` is the first condition that did not hold, `reads` what it read."""

    number: int
    name: str
    matched: bool
    failed: str | None = None
    reads: list[tuple[str, Any]] = field(default_factory=list)
    row: dict[str, Any] | None = None
    error: str | None = None
    shadow: bool = False


@dataclass(slots=True)
class Pass:
    """One run of a rule set over an event, a row or a marker.

    `changes` are attributes of its session, each with the value before and after; `voided`: a split undid it.
    """

    rule_set: str
    event_type: str
    rules: list[RuleSeen] = field(default_factory=list)
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)
    decorations: dict[str, Any] = field(default_factory=dict)
    voided: bool = False


@dataclass(slots=True)
class Life:
    """Something that happened to a session: what, and why, in words."""

    what: answers.Happening
    kind: str
    session_id: str
    why: str
    key: str


@dataclass(slots=True)
class Sent:
    """A marker that left, with the fields that it had then."""

    fields: dict[str, Any]


Step = Pass | Life | Sent


@dataclass(slots=True)
class Explained:
    """An event; or, with `line` None, a moment at which time alone did something."""

    line: int | None
    now_ms: int
    raw: bytes = b""
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Profile and session key, as stage 1 gave them."""
    steps: list[Step] = field(default_factory=list)
    outcome: str = ""
    due_ms: list[tuple[str, int]] = field(default_factory=list)
    """Sessions of the event with the time at which something of them is due, if nothing comes."""

    @property
    def all_keys(self) -> set[str]:
        """The keys of all sessions that it is about."""
        return {key for _, key in self.keys} | {step.key for step in self.steps if isinstance(step, Life)}


class Watch:
    """Collects what happens. `wants` chooses among what is complete; `take` gets each that is chosen."""

    def __init__(self, wants: Callable[[Explained], bool], take: Callable[[Explained], None]) -> None:
        self.current: Explained | None = None
        self.at_pass: Pass | None = None
        self._wants = wants
        self._take = take
        self._between: list[Step] = []

    def begin(self, line: int, raw: bytes) -> None:
        """An event comes to work."""
        self.current = Explained(line, 0, raw)

    def end(self, now_ms: int) -> None:
        """It is done."""
        if self.current is not None:
            self.current.now_ms = now_ms
            self._give(self.current)
            self.current = None

    def note(self, step: Step, now_ms: int) -> None:
        """Adds a step to what is at work; what happens to a session between events stands for itself."""
        if self.current is not None:
            self.current.steps.append(step)
            return
        self._between.append(step)
        if isinstance(step, Life):
            # The rules on its marker ran before it.
            steps, self._between = self._between, []
            self._give(Explained(None, now_ms, steps=steps))

    def keyed(self, profile: str, key: str) -> None:
        """Stage 1 has given the event at work a key."""
        if self.current is not None:
            self.current.keys.append((profile, key))

    def rule(self, number: int) -> RuleSeen | None:
        """The rule of a number in the pass at work."""
        rules = [] if self.at_pass is None else self.at_pass.rules
        return next((seen for seen in rules if seen.number == number), None)

    def failed(self, name: str, error: Exception) -> None:
        """A rule of the pass at work has failed."""
        for seen in [] if self.at_pass is None else self.at_pass.rules:
            if seen.name == name:
                seen.matched, seen.error = False, f"{type(error).__name__}: {error}"

    def _give(self, explained: Explained) -> None:
        if self._wants(explained):
            self._take(explained)


# ---- for machines


def as_data(explained: Explained) -> answers.Traced:
    """The same as JSON can hold it, with values as the engine would write them."""
    return {
        "line": explained.line,
        "now_ms": explained.now_ms,
        "event": explained.raw.decode(errors="replace") or None,
        "outcome": explained.outcome or None,
        "keys": [{"profile": profile, "key": key} for profile, key in explained.keys],
        "steps": [_step(step) for step in explained.steps],
        "due": [{"session": session_id, "due_ms": due_ms} for session_id, due_ms in explained.due_ms],
    }


def _step(step: Step) -> answers.Step:
    match step:
        case Life():
            return {"kind": step.what, "of": step.kind, "session": step.session_id, "why": step.why}
        case Sent():
            return {"kind": "marker", "marker": _fields(step.fields)}
        case Pass():
            return _pass(step)


def _pass(step: Pass) -> answers.PassStep:
    rules: list[answers.RuleSeen] = [
        {
            "rule": seen.name,
            "matched": seen.matched,
            "shadow": seen.shadow,
            "failed": seen.failed,
            "read": {text: _plain(value) for text, value in seen.reads},
            "row": None if seen.row is None else _fields(seen.row),
            "error": seen.error,
        }
        for seen in step.rules
    ]
    return {
        "kind": "rules",
        "of": step.rule_set,
        "event_type": step.event_type,
        "voided": step.voided,
        "rules": rules,
        "changes": [
            {"name": name, "before": _plain(before), "after": _plain(after)} for name, before, after in step.changes
        ],
        "decorations": _fields(step.decorations),
    }


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    """In their order, which maps written as JSON do not keep."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return json.loads(to_json(value))
