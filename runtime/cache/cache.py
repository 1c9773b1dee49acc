"""The cache of a tenant: the pages that its profiles share, and who makes room in them."""

from __future__ import annotations

from collections.abc import Callable

from runtime.cache.codec import Codec
from runtime.cache.entries import Entries
from runtime.cache.pages import Pages
from runtime.cache.table import SessionTable
from runtime.cache.wheel import TimeWheel
from runtime.config import CacheConfig
from runtime.session import MainSession


class Cache:
    """Tables, the wheels in which their sessions stand, and the pages where these are kept.

    `make_room(session)` ends the session that is due first, other than the one given; False when there is none that
    could be ended. `evict` ends the one given, which is larger than the memory. Whoever owns the cache sets both.
    """

    def __init__(self, config: CacheConfig, profiles: int = 1) -> None:
        self.pages = Pages(config.block_size, config.page_size, config.memory)
        self.entries = Entries(self.pages)
        self.tables: list[SessionTable] = []
        self.wheels: list[TimeWheel] = []
        self.failed_puts = 0
        """Times that a session found no room in pages at first."""
        self.make_room: Callable[[MainSession], bool] = lambda session: False
        self.evict: Callable[[MainSession], None] = lambda session: None
        self._most_hot = config.hot // profiles
        self._hash_capacity = config.hash_capacity
        self.stands_in = self.entries.stands_in
        self.move = self.entries.move

    def add_table(self, codec: Codec) -> SessionTable:
        """A table for the sessions of one more profile."""
        table = SessionTable(self, len(self.tables), codec, most_hot=self._most_hot, hash_capacity=self._hash_capacity)
        self.tables.append(table)
        return table

    def add_wheel(self, made: Callable[[Cache, int], TimeWheel] = TimeWheel) -> TimeWheel:
        """A wheel for one more partition."""
        wheel = made(self, len(self.wheels))
        self.wheels.append(wheel)
        return wheel

    def session(self, block: int) -> MainSession:
        """The session of an entry, as an object."""
        return self.tables[self.entries.table(block)].at(block)

    def wheel_of(self, session: MainSession) -> int:
        """The number of the wheel in which a session that is an object stands, as such or by its entry."""
        if session.slot is not None:
            number: int = session.slot.wheel
            return number
        return self.entries.wheel(session.block) if session.block else 0

    def settle(self) -> None:
        """Brings all tables down to as many objects as they may have."""
        for table in self.tables:
            table.settle()
