"""How OpenReplay's session ender ends sessions, in two versions, as a policy of the engine (engine.md §8).

It goes by two clocks. A session's own time is the batch time of its newest event; how long that has stood still shows
by the newest batch time of its partition, and by the local clock. What is due is judged at ticks only, so that an
event can bring back what waits for its end to be taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal
from zlib import crc32

from runtime.cache import NEVER_MS, NOWHERE_MS, Cache, TimeWheel
from runtime.config import TimePolicy
from runtime.effects import Decorations
from runtime.kinds import Surroundings
from runtime.profile import Profile
from runtime.rules import ProfileRules
from runtime.session import EnderSession, MainSession, SessionBase


@dataclass(frozen=True, slots=True)
class _Partition:
    """The batch time that came last, which may be behind one before, and when it came."""

    batch_ms: int
    heard_ms: int


_BEGAN = attrgetter("created_ms", "first_event_ms", "key")


class SecondHand(TimeWheel):
    """A wheel on which nothing stands: every whole second is a tick, or none where the driver gives them."""

    def __init__(self, cache: Cache, number: int, *, ticks: bool) -> None:
        super().__init__(cache, number)
        self.next_tick_ms = NOWHERE_MS if ticks else NEVER_MS

    def schedule(self, session: MainSession, due_ms: int) -> None:
        """The session is looked at at every tick."""
        session.due_ms = NEVER_MS


class EnderProfile(Profile):
    """A profile whose sessions end by the ender's rules: `gap` is the timeout; `max_active` and midnight do nothing."""

    session_base = EnderSession

    def __init__(self, rules: ProfileRules, number: int, around: Surroundings) -> None:
        super().__init__(rules, number, around)
        self.is_simple = self.is_plain = False
        self._time = around.time
        self._partitions: dict[int, _Partition] = {}
        self._user_ms = 0

    # ---- events

    def process(
        self,
        event: Any,
        key: str,
        event_ms: int,
        duration_ms: int | None,
        passive: bool,
        now_ms: int,
        turn: int,
    ) -> Decorations | Literal[False]:
        """As a profile does. A batch time of 0 changes nothing at all."""
        if event_ms == 0:
            return False
        slot = self._around.user_slot
        self._user_ms = (getattr(event, slot) if slot is not None else None) or 0
        if not passive:
            self._partitions[self.partition_of(key)] = _Partition(event_ms, now_ms)
        return self._process_fully(self._find(key), event, key, event_ms, duration_ms, passive, now_ms, turn)

    def partition_of(self, key: str) -> int:
        """The partition of a session: its key's number, or the checksum of what is no number, modulo their number."""
        number = (
            int(key) if key.isascii() and key.isdigit() and len(key) < 20 else crc32(key.encode("utf-8", "replace"))
        )
        return number % self._time.partitions

    def _open(self, key: str, event_ms: int, duration_ms: int | None, now_ms: int) -> MainSession:
        session = super()._open(key, event_ms, duration_ms, now_ms)
        assert isinstance(session, EnderSession)
        session.user_ms = self._user_ms
        return session

    def _touch(self, session: MainSession, event_ms: int, now_ms: int, turn: int) -> None:
        assert isinstance(session, EnderSession)
        before = session.modified_ms
        super()._touch(session, event_ms, now_ms, turn)
        session.user_ms = max(session.user_ms, self._user_ms)
        if event_ms > session.batch_ms:
            session.batch_ms = event_ms
        else:
            session.modified_ms = before

    def _counted(self, session: MainSession) -> tuple[Any, ...]:
        assert isinstance(session, EnderSession)
        return super()._counted(session), session.batch_ms, session.user_ms

    def _restore(self, session: MainSession, counted: tuple[Any, ...]) -> None:
        assert isinstance(session, EnderSession)
        times, session.batch_ms, session.user_ms = counted
        super()._restore(session, times)

    # ---- ends

    def _is_over(self, session: MainSession, passive: bool, now_ms: int) -> bool:
        return False

    def due_ms(self, session: MainSession) -> int:
        """No time by which an event would know."""
        return NEVER_MS

    def judge(self, now_ms: int) -> None:
        """A tick: ends what is due, and what was due before and is not taken yet."""
        for session in self._all():
            if session.sub_sessions:
                self._end_due_subs(session, now_ms, at_tick=True)
            if self._still_waiting(session) is not None or self._may_end_at_ms(session, now_ms) <= now_ms:
                self.end(session, "gap", now_ms)

    def next_judged_ms(self, now_ms: int) -> int:
        """When a session will be due, if no event comes; now for those that wait."""
        return min((self._may_end_at_ms(session, now_ms) for session in self._all()), default=NEVER_MS)

    def assign(self, partitions: frozenset[int]) -> None:
        """Drops the sessions of all other partitions: whoever has those now ends them."""
        for session in self._all():
            if self.partition_of(session.key) not in partitions:
                self._forget_waiting(self._name(session))
                self.table.remove(session)
                self._counters.count_end("moved", session.duration_ms, session.count)

    def _may_end_at_ms(self, session: EnderSession, now_ms: int) -> int:
        if self._still_waiting(session) is not None:
            return now_ms
        partition = self._partitions[self.partition_of(session.key)]
        behind_ms = partition.batch_ms - session.batch_ms
        if self._time.policy is TimePolicy.ENDER_2022:
            return now_ms if behind_ms > session.gap_ms else session.modified_ms + session.gap_ms + 1
        return (session.modified_ms if behind_ms >= session.gap_ms else partition.heard_ms) + session.gap_ms

    def _all(self) -> Iterator[EnderSession]:
        # In the order in which they began, wherever the table has them.
        sessions = sorted(self.table, key=_BEGAN)
        return (session for session in sessions if isinstance(session, EnderSession))

    # ---- snapshots

    def state(self) -> dict[str, Any]:
        """The clocks of partitions as well."""
        clocks = [[number, each.batch_ms, each.heard_ms] for number, each in self._partitions.items()]
        return {**super().state(), "partitions": clocks}

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Takes what `state` gave."""
        super().go_on_from(state)
        self._partitions = {
            number: _Partition(batch_ms, heard_ms) for number, batch_ms, heard_ms in state.get("partitions", ())
        }

    # ---- an end that waits

    def _progress(self, session: SessionBase) -> int:
        return session.batch_ms if isinstance(session, EnderSession) else super()._progress(session)

    def _wait_ms(self, attempts: int) -> int:
        return 0
