"""The expiry wheel: one-second slots of sessions (engine.md §6 in the design).

A session stays in the slot where it was put, however often its expiry moves on meanwhile; when the slot's second
comes, whoever has been extended is put in a new slot. So an event that extends a session costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from heapq import heappop, heappush
from operator import attrgetter

from runtime.session import MainSession

SLOT_MS = 1000
NEVER_MS = 1 << 70
"""The next tick of an empty wheel: behind any time that an event can have."""

NOWHERE_MS = -(1 << 70)
"""The `due_ms` of a session that stands in no slot: before any time that an event can have."""
_LAST_UPDATE = attrgetter("modified_ms", "turn")
_DUE_FIRST = attrgetter("due_ms", "modified_ms", "turn")


class TimeWheel:
    """Sessions by the second in which they are due. A session is in force only in the slot of its own `due_ms`."""

    def __init__(self) -> None:
        self._slots: dict[int, list[MainSession]] = {}
        self._seconds: list[int] = []
        self.next_tick_ms = NEVER_MS
        """The next whole second at which something may be due."""

    def schedule(self, session: MainSession, due_ms: int) -> None:
        """Puts a session into the slot of `due_ms`, out of whichever it was in."""
        second = due_ms // SLOT_MS
        stands_there = session.due_ms // SLOT_MS == second
        session.due_ms = due_ms
        slot = self._slots.get(second)
        if slot is None:
            self._slots[second] = [session]
            heappush(self._seconds, second)
            self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS
        elif not (stands_there and session in slot):
            slot.append(session)

    def first(self, due_ms_of: Callable[[MainSession], int], but: Container[int] = ()) -> MainSession | None:
        """The session that is due first, None when there is none. `but`: identities of sessions that are passed over.

        Sessions that have been extended since they were put here are put in their new place on the way.
        """
        passed: list[int] = []
        try:
            return self._first(due_ms_of, but, passed)
        finally:
            for second in passed:
                heappush(self._seconds, second)

    def _first(
        self, due_ms_of: Callable[[MainSession], int], but: Container[int], passed: list[int]
    ) -> MainSession | None:
        while self._seconds:
            second = self._seconds[0]
            found: list[MainSession] = []
            for session in self._slots[second]:
                if session.due_ms // SLOT_MS == second:
                    due_ms = due_ms_of(session)
                    if due_ms // SLOT_MS > second:
                        self.schedule(session, due_ms)
                    else:
                        # One that was put off stands in a later second than it is due in.
                        session.due_ms = max(due_ms, second * SLOT_MS)
                        found.append(session)
            if found:
                self._slots[second] = found
                first = min((each for each in found if id(each) not in but), key=_DUE_FIRST, default=None)
                if first is not None:
                    return first
                passed.append(heappop(self._seconds))
            else:
                heappop(self._seconds)
                del self._slots[second]
        return None

    def __iter__(self) -> Iterator[MainSession]:
        """All sessions, in the order in which they are looked at next."""
        for second in sorted(self._slots):
            yield from (session for session in self._slots[second] if session.due_ms // SLOT_MS == second)

    @staticmethod
    def forget(session: MainSession) -> None:
        """Takes a session out: the entry left behind is no longer in force."""
        session.due_ms = NOWHERE_MS

    def take(self, tick_ms: int) -> list[MainSession]:
        """Removes and returns what stands in slots that end by `tick_ms`, in the order of last update."""
        found: list[MainSession] = []
        while self._seconds and (self._seconds[0] + 1) * SLOT_MS <= tick_ms:
            second = heappop(self._seconds)
            for session in self._slots.pop(second):
                if session.due_ms // SLOT_MS == second:
                    # One that left this slot and came back stands in it twice.
                    session.due_ms = NOWHERE_MS
                    found.append(session)
        self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS if self._seconds else NEVER_MS
        if len(found) > 1:
            found.sort(key=_LAST_UPDATE)
        return found
