"""The sessions of one profile: those touched lately as objects, the others as entries in pages.

A session that has been written once keeps its entry while it is an object; the entry is then out of date, and is
written anew when the object goes. Objects go in batches: those that came from pages for one event first, while their
memory is at hand, then the ones that no event has touched since the last look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from runtime.cache.codec import Codec
from runtime.cache.entries import NoRoom, read_key, stored_key
from runtime.cache.index import Index
from runtime.cache.wheel import NEVER_MS, NOWHERE_MS, SLOT_MS
from runtime.session import MainSession

if TYPE_CHECKING:
    from runtime.cache.cache import Cache

_NOTHING: dict[str, MainSession] = {}
_BATCHES = 64
"""One part in so many of the objects goes at a time, ..."""
_LARGEST_BATCH = 256
"""... and no more than the cache of a processor holds."""
_MORE_PART = 16
"""One for so many of these goes because it has not been touched lately, so that none stays for good."""
_FREE_PART = 4
"""One part in so many of all blocks stays free where objects need not go."""


class SessionTable:
    """Live sessions by key. What it gives is the session itself, until the next `find` or `settle`."""

    def __init__(self, cache: Cache, number: int, codec: Codec, *, most_hot: int, hash_capacity: int) -> None:
        self.codec = codec
        self.number = number
        self._cache = cache
        self._entries = cache.entries
        self.most_hot = most_hot
        self._hash_capacity = hash_capacity
        self._index: Index | None = None
        self._hot: dict[str, MainSession] = {}
        self._horizon_ms = NOWHERE_MS
        """The latest event of the object that went last for not having been touched lately: who was touched before that
        is read for one event, most likely, and goes at once.
        """
        # The dict's own method: one call less on the path of every event. Without objects every event has to `find`.
        self.get: Callable[[str], MainSession | None] = (self._hot if most_hot else _NOTHING).get
        """The session of a key if it is an object already."""

    def __len__(self) -> int:
        if self._index is None:
            return len(self._hot)
        return len(self._index) + sum(1 for session in self._hot.values() if not session.block)

    @property
    def hot(self) -> int:
        """How many are objects."""
        return len(self._hot)

    def __iter__(self) -> Iterator[MainSession]:
        """All of them; each may be removed while it is at hand."""
        yield from [session for session in self._hot.values() if not session.block]
        for block in list(self._index.blocks()) if self._index is not None else ():
            yield self.at(block)

    def peek(self, start: int = 0) -> Iterator[MainSession]:
        """All of them from a place on, to be looked at and not changed: those in pages are copies, and stay there.

        The table must not change meanwhile.
        """
        objects = [session for session in self._hot.values() if not session.block]
        yield from objects[start:]
        blocks = self._index.blocks() if self._index is not None else iter(())
        for block in islice(blocks, max(start - len(objects), 0), None):
            yield self._read(block)

    def find(self, key: str) -> MainSession | None:
        """The live session of a key, read from pages if need be."""
        hot = self._hot
        if len(hot) > self.most_hot:
            self.settle()
        session = hot.get(key)
        if session is not None or self._index is None:
            return session
        hashed = hash(key)
        block = self._index.find(hashed)
        if not block:
            return None
        stored, payload = self._entries.read(block)
        try:
            is_another = stored != key.encode()
        except UnicodeEncodeError:
            is_another = stored != stored_key(key)
        if is_another:
            return self._find_other(key, hashed)
        session = hot[key] = self.codec.decode(key, payload, block)
        return session

    def at(self, block: int) -> MainSession:
        """The session of an entry."""
        session = self._read(block)
        self._hot[session.key] = session
        return session

    def put(self, session: MainSession) -> None:
        """Takes a session that has begun. Changes of one that is here need no call."""
        session.spared_ms = session.modified_ms
        self._hot[session.key] = session

    def remove(self, session: MainSession) -> None:
        """Forgets a session that has ended. Raises KeyError when it is not there."""
        del self._hot[session.key]
        if session.block:
            assert self._index is not None
            self._index.remove(hash(session.key), session.block)
            self._entries.remove(session.block)
            session.block = 0

    def settle(self) -> None:
        """Writes objects to pages while there are more than there may be.

        First those that were read from there since the last time: they stay only if an event before the one that they
        were read for was later than the horizon.
        """
        hot, most = self._hot, self.most_hot
        if len(hot) <= most:
            return
        newest: Iterable[MainSession] = hot.values()
        horizon_ms = NEVER_MS
        if most:
            goal = most - min(most // _BATCHES, _LARGEST_BATCH)
            newest = islice(reversed(hot.values()), len(hot) - goal)
            horizon_ms = self._horizon_ms
        try:
            for session in tuple(newest):
                if session.spared_ms < horizon_ms and self._store(session):
                    del hot[session.key]
        except NoRoom:
            return  # nobody takes an end, so there is no room for the others either
        if most:
            self._let_go(goal - max((most - goal) // _MORE_PART, 1))

    def _let_go(self, goal: int) -> None:
        """Writes objects to pages until so many are left, those first that have not been touched lately."""
        hot, store = self._hot, self._store
        while len(hot) > goal:
            before = len(hot)
            spared = 0
            for session in list(islice(hot.values(), before - goal)):
                if session.modified_ms != session.spared_ms:
                    session.spared_ms = session.modified_ms
                    # Behind all others: it is looked at again when they have been.
                    if hot.pop(session.key, None) is not None:
                        hot[session.key] = session
                        spared += 1
                    continue
                try:
                    if store(session):
                        del hot[session.key]
                        self._horizon_ms = session.modified_ms
                except NoRoom:
                    # Nobody takes an end, so there is none for the others either: one of them has its turn next.
                    del hot[session.key]
                    hot[session.key] = session
                    return
            if len(hot) == before and not spared:
                return  # they are too large, and nobody takes their end

    def cool(self, most: int) -> bool:
        """Writes up to so many objects to pages, those that no event has touched for longest first.

        False when there is no more to be done: none is left, or pages have no more room than they should have. Nobody
        is evicted for this.
        """
        pages = self._entries.pages
        for session in list(islice(self._hot.values(), most)):
            if session.due_ms == NOWHERE_MS or pages.free_blocks < pages.most_blocks // _FREE_PART:
                return False
            try:
                self._store(session, may_evict=False)
            except NoRoom:
                return False
            del self._hot[session.key]
        return bool(self._hot)

    # ---- snapshots

    def objects(self) -> Iterator[MainSession]:
        """The sessions that are objects."""
        return iter(self._hot.values())

    def adopt(self, hashes: Sequence[int], blocks: Sequence[int]) -> None:
        """Takes the entries that are in pages already, by the hashes of their keys. Only while it is empty."""
        self._index = Index(self._hash_capacity)
        self._index.fill(hashes, blocks)

    def adopt_index(self, other: SessionTable, *, copied: bool) -> None:
        """Takes the entries of another table, whose pages the cache has by now. Only while it is empty."""
        if other._index is not None:
            self._index = other._index.copy() if copied else other._index

    def entries(self) -> Iterator[tuple[int, str, bytes]]:
        """Of each entry whose session is no object its block, its key and its payload."""
        for block in self._index.blocks() if self._index is not None else ():
            stored, payload = self._entries.read(block)
            key = read_key(stored)
            if key not in self._hot:
                yield block, key, payload

    def take_back(self, session: MainSession, block: int) -> None:
        """Takes the session of an adopted entry that is out of date."""
        session.block = block
        self._hot[session.key] = session

    # ---- between objects and pages

    def _find_other(self, key: str, hashed: int) -> MainSession | None:
        """One whose hash another has as well."""
        assert self._index is not None
        wanted = stored_key(key)
        others = (block for block in self._index.all(hashed) if self._entries.read(block)[0] == wanted)
        return next(map(self.at, others), None)

    def _read(self, block: int) -> MainSession:
        """The session of an entry: the object that it is by now, or a new one."""
        stored, payload = self._entries.read(block)
        key = read_key(stored)
        return self._hot.get(key) or self.codec.decode(key, payload, block)

    def _store(self, session: MainSession, *, may_evict: bool = True) -> bool:
        """Writes a session to pages, evicting others if need be. False when it has to stay an object, or is gone.

        Raises NoRoom when nobody takes the end of any other, or none is to be evicted.
        """
        while session.due_ms != NOWHERE_MS:  # else a tick is at work on it, or it was evicted, for one before it
            try:
                # Encoded anew each time: whoever makes room may put this one off to the second in which it is due.
                payload = self.codec.encode_shortly(session)
                block = session.block
                if not block:
                    self._write(session, payload)
                elif (moved := self._entries.change(block, payload)) != block:
                    self._moved(session, moved)
                return True
            except NoRoom as full:
                if not may_evict:
                    raise
                self._cache.failed_puts += 1
                if not full.ever:
                    self._cache.evict(session)
                    return False
                if not self._cache.make_room(session):
                    raise
        return False

    def _write(self, session: MainSession, payload: bytes | bytearray) -> None:
        slot, second = session.slot, session.due_ms // SLOT_MS
        wheel = 0 if slot is None else slot.wheel
        block = self._entries.add(self.number, wheel, second, stored_key(session.key), payload)
        if self._index is None:
            self._index = Index(self._hash_capacity)
        self._index.insert(hash(session.key), block)
        session.block = block
        if slot is not None:
            slot.sessions.pop(session, None)
            slot.append(block)
            session.slot = None

    def _moved(self, session: MainSession, block: int) -> None:
        """The entry of a session is at another block now."""
        assert self._index is not None
        self._index.replace(hash(session.key), session.block, block)
        session.block = block
        if session.due_ms < NEVER_MS:
            self._cache.wheels[self._entries.wheel(block)].stand(block, session.due_ms // SLOT_MS)
