"""Where sessions live between events: what the engine asks of any cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from runtime.session import MainSession


class SessionTable(Protocol):
    """The live sessions of one profile, by key.

    What `get` gives stays valid until the next call for another key; the engine changes it in place and calls `put`
    when it is done with it, unless the table says that it `keeps_objects`.
    """

    keeps_objects: bool

    def get(self, key: str) -> MainSession | None:
        """The live session of a key, or None."""

    def put(self, session: MainSession) -> None:
        """Stores a session, new or changed."""

    def remove(self, session: MainSession) -> None:
        """Forgets a session that has ended. Raises KeyError when it is not there."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[MainSession]: ...
