"""The expiry wheel: one-second slots of sessions (engine.md §6 in the design).

A session stays in the slot where it was put, however often its expiry moves on meanwhile; when the slot's second
comes, whoever has been extended is put in a new slot. So an event that extends a session costs nothing here.

One that has an entry in pages stands in a slot by the entry's block, in an array of four bytes each, so that what is
cold costs no object. Such a place is never looked for again: the entry says in which second it stands, and what else
stands for it, here or in another second, is passed over.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterator
from heapq import heappop, heappush
from operator import attrgetter, itemgetter
from typing import Protocol

from runtime.session import MainSession

SLOT_MS = 1000
NEVER_MS = 1 << 70
"""The next tick of an empty wheel: behind any time that an event can have."""

NOWHERE_MS = -(1 << 70)
"""The `due_ms` of a session that stands in no slot: before any time that an event can have."""
_NO_SECOND = NEVER_MS
_LAST_UPDATE = attrgetter("modified_ms", "turn")
_DUE_FIRST = attrgetter("due_ms", "modified_ms", "turn")
_ORDER = itemgetter(0, 1, 2)


class Blocks(Protocol):
    """Entries of sessions by their block."""

    def stands_in(self, block: int, wheel: int, second: int) -> bool:
        """True when there is an entry, and this is its wheel and its second."""

    def move(self, block: int, wheel: int, second: int) -> None:
        """Notes another second."""

    def session(self, block: int) -> MainSession:
        """The session of an entry, as an object."""


class Slot:
    """What stands in one second of a wheel: sessions as objects, and by the blocks of their entries."""

    __slots__ = ("blocks", "sessions", "wheel")

    def __init__(self, wheel: int) -> None:
        self.wheel = wheel
        self.sessions: set[MainSession] = set()
        self.blocks = array("I")


class TimeWheel:
    """Sessions by the second in which they are due; `number` tells a wheel from others with the same entries."""

    def __init__(self, entries: Blocks, number: int = 0) -> None:
        self.number = number
        self.slots: dict[int, Slot] = {}
        self._seconds: list[int] = []
        self._entries = entries
        self._first_second = _NO_SECOND
        self._due_last: list[tuple[int, int, int, MainSession]] = []
        self.next_tick_ms = NEVER_MS
        """The next whole second at which something may be due."""

    def schedule(self, session: MainSession, due_ms: int) -> None:
        """Puts a session into the slot of `due_ms`, out of whichever it was in."""
        second = due_ms // SLOT_MS
        session.due_ms = due_ms
        slot = self.slots.get(second) or self._opened(second)
        if session.block:
            slot.blocks.append(session.block)
            self._entries.move(session.block, self.number, second)
        else:
            if session.slot is not None:
                session.slot.sessions.discard(session)
            slot.sessions.add(session)
            session.slot = slot
        if second == self._first_second:
            self._first_second = _NO_SECOND

    def stand(self, block: int, second: int) -> None:
        """Puts an entry into the slot of a second."""
        (self.slots.get(second) or self._opened(second)).blocks.append(block)
        if second == self._first_second:
            self._first_second = _NO_SECOND  # where it is known by the block that it had

    def adopt(self, second: int, blocks: bytes) -> None:
        """Puts entries into the slot of a second, by the bytes of their blocks."""
        (self.slots.get(second) or self._opened(second)).blocks.frombytes(blocks)

    def _opened(self, second: int) -> Slot:
        slot = self.slots[second] = Slot(self.number)
        heappush(self._seconds, second)
        self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS
        return slot

    @staticmethod
    def forget(session: MainSession) -> None:
        """Takes a session out; the block of an entry that is left behind is no longer in force."""
        session.due_ms = NOWHERE_MS
        if session.slot is not None:
            session.slot.sessions.discard(session)
            session.slot = None

    def take(self, tick_ms: int) -> list[MainSession]:
        """Removes and returns what stands in slots that end by `tick_ms`, in the order of last update."""
        found: list[MainSession] = []
        while self._seconds and (self._seconds[0] + 1) * SLOT_MS <= tick_ms:
            second = heappop(self._seconds)
            taken = self._standing(second)
            del self.slots[second]
            for session in taken:
                session.due_ms = NOWHERE_MS
                session.slot = None
            found = found + taken if found else taken
        self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS if self._seconds else NEVER_MS
        if len(found) > 1:
            found.sort(key=_LAST_UPDATE)
        return found

    def __iter__(self) -> Iterator[MainSession]:
        """All sessions, in the order in which they are looked at next; each may end while it is at hand."""
        for second in sorted(self.slots):
            yield from sorted(self._standing(second), key=_DUE_FIRST)

    def _standing(self, second: int) -> list[MainSession]:
        """The sessions of a slot, each once."""
        slot = self.slots[second]
        if not slot.blocks:
            return list(slot.sessions)
        entries, number = self._entries, self.number
        blocks = [block for block in dict.fromkeys(slot.blocks) if entries.stands_in(block, number, second)]
        # An entry tells its second by a part of the number only, its session all of it.
        loaded = [each for each in map(entries.session, blocks) if each.due_ms // SLOT_MS == second]
        return [*slot.sessions, *loaded]

    # ---- who has to go when there is no room

    def first(self, due_ms_of: Callable[[MainSession], int], but: Container[int] = ()) -> MainSession | None:
        """The session that is due first, None when there is none. `but`: identities of sessions that are passed over.

        Sessions that have been extended since they were put here are put in their new place on the way.
        """
        while self._seconds:
            second = self._seconds[0]
            found = self._first_of(second, due_ms_of, but)
            if found is not None:
                return found
            if self._due_last:
                break  # all of this second are passed over
            heappop(self._seconds)
            del self.slots[second]
            self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS if self._seconds else NEVER_MS
        later = self._seconds[0] if self._seconds else NEVER_MS
        while (later := min((second for second in self.slots if second > later), default=NEVER_MS)) < NEVER_MS:
            found = self._first_of(later, due_ms_of, but)
            if found is not None:
                return found
        return None

    def _first_of(
        self, second: int, due_ms_of: Callable[[MainSession], int], but: Container[int]
    ) -> MainSession | None:
        """The first of a slot. Its order is kept for the next time, so that one after the other may go."""
        if second != self._first_second:
            self._put_in_order(second, due_ms_of)
        for place in range(len(self._due_last) - 1, -1, -1):
            due_ms, modified_ms, turn, known = self._due_last[place]
            session = self._live(known, second)
            if session is None:
                del self._due_last[place]
            elif (session.modified_ms, session.turn) != (modified_ms, turn) or due_ms_of(session) != due_ms:
                self._first_second = _NO_SECOND
                return self._first_of(second, due_ms_of, but)
            elif id(session) not in but:
                return session
        return None

    def _put_in_order(self, second: int, due_ms_of: Callable[[MainSession], int]) -> None:
        found = []
        for session in self._standing(second):
            due_ms = due_ms_of(session)
            if due_ms // SLOT_MS > second:
                self.schedule(session, due_ms)
            else:
                # One that was put off stands in a later second than it is due in.
                session.due_ms = max(due_ms, second * SLOT_MS)
                found.append((due_ms, session.modified_ms, session.turn, session))
        self._due_last = sorted(found, key=_ORDER, reverse=True)
        self._first_second = second

    def _live(self, known: MainSession, second: int) -> MainSession | None:
        """The session as it is now, None when it does not stand in a second any more."""
        if known.block:
            stands = self._entries.stands_in(known.block, self.number, second)
            return self._entries.session(known.block) if stands else None
        return known if known.slot is not None and known.slot is self.slots.get(second) else None
