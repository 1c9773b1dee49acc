"""The expiry wheel: one-second slots of sessions (engine.md §6 in the design).

A session stays in the slot where it was put, however often its expiry moves on meanwhile; when the slot's second
comes, whoever has been extended is put in a new slot. So an event that extends a session costs nothing here.

One that has an entry in pages stands in a slot by the entry's block, in an array of four bytes each, so that what is
cold costs no object. Such a place is never looked for again: the entry says in which second it stands, and what else
stands for it, here or in another second, is passed over.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable, Iterator
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count
from operator import attrgetter
from typing import Protocol

from runtime.session import MainSession

SLOT_MS = 1000
_BLOCK = "I"
NEVER_MS = (1 << 64) - 1
"""The next tick of an empty wheel: behind any time that an event can have, and the largest number that msgpack has."""

NOWHERE_MS = -(1 << 70)
"""The `due_ms` of a session that stands in no slot: before any time that an event can have."""
_NO_SECOND = NEVER_MS
_LAST_UPDATE = attrgetter("modified_ms", "turn")
_DUE_FIRST = attrgetter("due_ms", "modified_ms", "turn")


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
        # A dict, for its order: late sessions may have the same last update.
        self.sessions: dict[MainSession, None] = {}
        self.blocks: array[int] | None = None  # there are more slots than evictions, mostly

    def add(self, blocks: bytes) -> None:
        """Takes entries, by the bytes of their blocks."""
        if self.blocks is None:
            self.blocks = array(_BLOCK)
        self.blocks.frombytes(blocks)

    def append(self, block: int) -> None:
        """Takes an entry."""
        if self.blocks is None:
            self.blocks = array(_BLOCK)
        self.blocks.append(block)


class TimeWheel:
    """Sessions by the second in which they are due; `number` tells a wheel from others with the same entries."""

    def __init__(self, entries: Blocks, number: int = 0) -> None:
        self.number = number
        self.slots: dict[int, Slot] = {}
        self._seconds: list[int] = []
        self._entries = entries
        self.kept_second = _NO_SECOND
        """The second whose order is kept, for those that have to go: who comes to it has to go through `schedule`."""
        self._order: list[tuple[int, int, int, int, MainSession]] = []
        self._serial = count()
        self.next_tick_ms = NEVER_MS
        """The next whole second at which something may be due."""

    def __del__(self) -> None:
        """A slot and what stands in it have each other, which the garbage collector does not see."""
        for slot in self.slots.values():
            slot.sessions.clear()

    def schedule(self, session: MainSession, due_ms: int) -> None:
        """Puts a session into the slot of `due_ms`, out of whichever it was in."""
        second = due_ms // SLOT_MS
        session.due_ms = due_ms
        slot = self.slots.get(second) or self.opened(second)
        if session.block:
            slot.append(session.block)
            self._entries.move(session.block, self.number, second)
        else:
            if session.slot is not None:
                session.slot.sessions.pop(session, None)
            slot.sessions[session] = None
            session.slot = slot
        if second == self.kept_second:
            heappush(self._order, (due_ms, session.modified_ms, session.turn, next(self._serial), session))

    def stand(self, block: int, second: int) -> None:
        """Puts an entry into the slot of a second."""
        (self.slots.get(second) or self.opened(second)).append(block)
        if second == self.kept_second:
            self.kept_second = _NO_SECOND  # where it is known by the block that it had

    def adopt(self, second: int, blocks: bytes) -> None:
        """Puts entries into the slot of a second, by the bytes of their blocks."""
        (self.slots.get(second) or self.opened(second)).add(blocks)

    def opened(self, second: int) -> Slot:
        """A slot for a second that has none."""
        slot = self.slots[second] = Slot(self.number)
        heappush(self._seconds, second)
        self.next_tick_ms = (self._seconds[0] + 1) * SLOT_MS
        return slot

    @property
    def last_tick_ms(self) -> int:
        """The whole second by which all that stands here now has been looked at; never where nothing does."""
        return (max(self.slots) + 1) * SLOT_MS if self.slots else NEVER_MS

    @staticmethod
    def forget(session: MainSession) -> None:
        """Takes a session out; the block of an entry that is left behind is no longer in force."""
        session.due_ms = NOWHERE_MS
        if session.slot is not None:
            session.slot.sessions.pop(session, None)
            session.slot = None

    def take(self, tick_ms: int) -> Iterable[MainSession]:
        """Removes and returns what stands in slots that end by `tick_ms`, in the order of last update."""
        found: list[MainSession] = []
        seconds, last = self._seconds, tick_ms // SLOT_MS
        while seconds and seconds[0] < last:
            second = heappop(seconds)
            slot = self.slots.pop(second)
            found += slot.sessions if slot.blocks is None else self._standing(second, slot)
        self.next_tick_ms = (seconds[0] + 1) * SLOT_MS if seconds else NEVER_MS
        for session in found:
            session.due_ms = NOWHERE_MS
            session.slot = None
        if len(found) > 1:
            found.sort(key=_LAST_UPDATE)
        return found

    def __iter__(self) -> Iterator[MainSession]:
        """All sessions, in the order in which they are looked at next; each may end while it is at hand."""
        for second in sorted(self.slots):
            yield from sorted(self._standing(second, self.slots[second]), key=_DUE_FIRST)

    def _standing(self, second: int, slot: Slot) -> list[MainSession]:
        """The sessions of the slot of a second, each once."""
        if slot.blocks is None:
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
            if self._order:
                break  # all of this second are passed over
            self.kept_second = _NO_SECOND
            if self._standing(second, self.slots[second]):
                continue
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
        """The first of a slot, whose order is kept for the next time, so that one after the other may go."""
        if second != self.kept_second:
            self._order = [
                (due_ms_of(session), session.modified_ms, session.turn, next(self._serial), session)
                for session in self._standing(second, self.slots[second])
            ]
            heapify(self._order)
            self.kept_second = second
        order = self._order
        passed_over = []
        found = None
        while order and found is None:
            due_ms, modified_ms, turn, _, known = order[0]
            session = self._live(known, second)
            if session is None:
                heappop(order)
            elif (now_due_ms := due_ms_of(session)) // SLOT_MS > second:
                heappop(order)
                self.schedule(session, now_due_ms)
            elif (due_ms, modified_ms, turn) != (now_due_ms, session.modified_ms, session.turn):
                heapreplace(order, (now_due_ms, session.modified_ms, session.turn, next(self._serial), session))
            elif id(session) in but:
                passed_over.append(heappop(order))
            else:
                # One that was put off stands in a later second than it is due in.
                session.due_ms = max(due_ms, second * SLOT_MS)
                found = session
        for each in passed_over:
            heappush(order, each)
        return found

    def _live(self, known: MainSession, second: int) -> MainSession | None:
        """The session as it is now, None when it does not stand in a second any more."""
        if known.block:
            stands = self._entries.stands_in(known.block, self.number, second)
            return self._entries.session(known.block) if stands else None
        return known if known.slot is not None and known.slot is self.slots.get(second) else None
