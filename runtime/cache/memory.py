"""Sessions as Python objects in a dict: fast, and bounded by memory alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runtime.session import MainSession


class MemoryTable:
    """A `SessionTable` that keeps every session as the object it is."""

    keeps_objects = True

    def __init__(self) -> None:
        self._sessions: dict[str, MainSession] = {}
        # The dict's own method: one call less on the path of every event.
        self.get: Callable[[str], MainSession | None] = self._sessions.get

    def put(self, session: MainSession) -> None:
        """Stores a session under its key."""
        self._sessions[session.key] = session

    def remove(self, session: MainSession) -> None:
        """Forgets a session. Raises KeyError when it is not there."""
        del self._sessions[session.key]

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[MainSession]:
        return iter(self._sessions.values())
