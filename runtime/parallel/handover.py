"""What a worker hands to the next: the clock, the sessions that live, and where lines are counted from."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.engine import Engine


@dataclass(frozen=True, slots=True)
class Handover:
    """The state of an engine between two events.

    `clock_ms` is None when no event has had a time. `sessions` are keys and what the codec of all workers has made of
    them; `cut_until_ms` is by key until when it would show that a session cut by `max_active` went on. `lines` are
    those before the cut in the file that is cut.
    """

    clock_ms: int | None
    sessions: list[tuple[str, bytes]]
    cut_until_ms: dict[str, int]
    lines: int

    @classmethod
    def of(cls, engines: Iterable[Engine], clock_ms: int | None, lines: int) -> Handover:
        """The state of several engines, of which no key lives in two."""
        sessions: list[tuple[str, bytes]] = []
        cut_until_ms: dict[str, int] = {}
        for engine in engines:
            (profile,) = engine.profiles
            encode = profile.table.codec.encode
            sessions += [(session.key, encode(session)) for session in profile.table.peek()]
            for key, until_ms in profile.state()["cut_until_ms"].items():
                cut_until_ms[key] = max(until_ms, cut_until_ms.get(key, until_ms))
        return cls(clock_ms, sessions, cut_until_ms, lines)

    def write(self, path: Path) -> None:
        """Writes it to a file that only workers of one run read. Raises OSError."""
        with path.open("wb") as file:
            pickle.dump(self, file, pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def read(path: Path) -> Handover:
        """What `write` has written, which is gone then. Raises OSError."""
        with path.open("rb") as file:
            found: Handover = pickle.load(file)
        path.unlink()
        return found


NOTHING = Handover(None, [], {}, 0)
"""What the first part goes on from."""
