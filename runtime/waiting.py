"""The live sessions of one profile, and those among them that have ended and that nobody has taken the end of.

Such a session stays as it was; the same marker is sent again at later ticks, and an event that comes first brings the
session back to life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.cache import SLOT_MS, Codec
from runtime.kinds import Kind, Surroundings
from runtime.rules import ProfileRules
from runtime.session import MainSession, SessionBase, SubSession

_LONGEST_WAIT_MS = 60_000

_Name = tuple[str, str, int, int]
"""A session among those of a profile: the key of its session, its own, the number of its kind, and what tells one that
shares its key with the session of the table (`Profile.process_late`)."""


@dataclass(slots=True)
class _RefusedEnd:
    """An end marker that was refused, and what its session was then."""

    reason: str
    fields: dict[str, Any]
    progress: int
    attempts: int
    retry_ms: int
    events: int
    """The events that the marker tells of: with one more it is made anew, and its rules run on it again."""


class Waiting(Kind):
    """The sessions of a profile, and what it remembers of ends that were refused."""

    session_base: type[MainSession] = MainSession

    def __init__(self, rules: ProfileRules, number: int, around: Surroundings) -> None:
        path = f"{around.tenant}/{rules.config.type}"
        super().__init__(rules, self.session_base, number, path, around)
        self.sub_sessions = [
            Kind(sub, SubSession, place, f"{path}/{sub.config.name}", around)
            for place, sub in enumerate(rules.sub_sessions)
        ]
        codec = Codec(
            (self.session_class, self.layout),
            [(sub.name, sub.session_class, sub.layout) for sub in self.sub_sessions],
        )
        self.table = around.cache.add_table(codec)
        self._around = around
        self._waiting: dict[_Name, _RefusedEnd] = {}
        self.is_simple = self.is_plain = False
        """Whether an event of a live session needs nothing but its rules: as such, and as long as no end waits."""
        self._alone: dict[int, MainSession] = {}

    def _remember(
        self,
        session: SessionBase,
        parent: MainSession | None,
        reason: str,
        now_ms: int,
        fields: dict[str, Any] | None = None,
    ) -> None:
        """Notes that a session could not end: it is tried again after 1 s, then 2 s, up to a minute."""
        name = self._name(session, parent)
        before = self._waiting.get(name)
        attempts = 0 if before is None else before.attempts + 1
        progress, retry_ms = self._progress(session), now_ms + self._wait_ms(attempts)
        self.is_plain = False
        self._waiting[name] = _RefusedEnd(reason, fields or {}, progress, attempts, retry_ms, session.count)

    def _still_waiting(self, session: SessionBase, parent: MainSession | None = None) -> _RefusedEnd | None:
        """The refused end of a session, unless an event has come since."""
        waiting = self._waiting.get(self._name(session, parent))
        if waiting is not None and waiting.progress != self._progress(session):
            self._revive(session, parent)
            return None
        return waiting

    def _forget_waiting(self, name: _Name) -> bool:
        """True when there was something to forget."""
        found = self._waiting.pop(name, None)
        if not self._waiting:
            self.is_plain = self.is_simple
        return found is not None

    def _progress(self, session: SessionBase) -> int:
        """What changes when an event brings a session back that waits for its end to be taken."""
        return session.count

    def _wait_ms(self, attempts: int) -> int:
        """How long to wait after so many attempts."""
        return min(SLOT_MS << min(attempts, 10), _LONGEST_WAIT_MS)

    def _revive(self, session: SessionBase, parent: MainSession | None = None) -> None:
        """An event came before the end was taken: the session goes on."""
        if self._forget_waiting(self._name(session, parent)):
            self._around.counters.revived += 1

    def _name(self, session: SessionBase, parent: MainSession | None = None) -> _Name:
        alone = id(parent or session)
        return (
            "" if parent is None else parent.key,
            session.key,
            -1 if parent is None else session.number,
            alone if alone in self._alone else 0,
        )

    # ---- snapshots

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps beside the sessions of the table."""
        places = {name: place for place, name in enumerate(self._alone)}
        waiting = [
            [
                [parent_key, key, None if number < 0 else self.sub_sessions[number].name, places.get(alone, -1)],
                [each.reason, each.fields, each.progress, each.attempts, each.retry_ms, each.events],
            ]
            for (parent_key, key, number, alone), each in self._waiting.items()
        ]
        alone = [
            [session.slot.wheel, session.due_ms, session.key, self.table.codec.encode(session)]
            for session in self._alone.values()
        ]
        return {
            **super().state(),
            "subs": {sub.name: sub.state() for sub in self.sub_sessions},
            "waiting": waiting,
            "alone": alone,
        }

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Takes what `state` gave, perhaps by other rules; the wheels are those of then, by number."""
        super().go_on_from(state)
        numbers = {sub.name: number for number, sub in enumerate(self.sub_sessions)}
        for sub in self.sub_sessions:
            if sub.name in state["subs"]:
                sub.go_on_from(state["subs"][sub.name])
        alone = []
        for wheel, due_ms, key, payload in state["alone"]:
            session = self.table.codec.decode(key, payload)
            self._alone[id(session)] = session
            self._around.cache.wheels[wheel].schedule(session, due_ms)
            alone.append(session)
        for (parent_key, key, sub_name, place), each in state["waiting"]:
            if sub_name is None or sub_name in numbers:
                number = -1 if sub_name is None else numbers[sub_name]
                name = (parent_key, key, number, 0 if place < 0 else id(alone[place]))
                self._waiting[name] = _RefusedEnd(*each)
                self.is_plain = False
