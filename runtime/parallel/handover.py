"""What a worker hands to the next: the clock, the sessions that live, and where lines are counted from."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.engine import Engine


@dataclass(frozen=True, slots=True)
class Handover:
    """The state of an engine between two events.

    `clock_ms` is None when no event has had a time; `last` is the clock of the latest event of a session, and its turn
    in that ms. `sessions` are keys and what the codec of all workers has made of them, `profile` is the rest of its
    state, as a snapshot has it. `lines` are those before the cut in the file that is cut.
    """

    clock_ms: int | None
    last: tuple[int, int]
    sessions: list[tuple[str, bytes]]
    profile: dict[str, Any]
    lines: int

    @classmethod
    def of(cls, engines: Sequence[Engine], clock_ms: int | None, last: tuple[int, int], lines: int) -> Handover:
        """The state of several engines, of which no key lives in two."""
        sessions: list[tuple[str, bytes]] = []
        states: list[Mapping[str, Any]] = []
        for engine in engines:
            (profile,) = engine.profiles
            encode = profile.table.codec.encode
            sessions += [(session.key, encode(session)) for session in profile.table.peek()]
            states.append(profile.state())
        cut_until_ms: dict[str, int] = {}
        for state in states:
            for key, until_ms in state["cut_until_ms"].items():
                cut_until_ms[key] = max(until_ms, cut_until_ms.get(key, until_ms))
        rest = {
            **_opened(states),
            "subs": {name: _opened([state["subs"][name] for state in states]) for name in states[0]["subs"]},
            "cut_until_ms": cut_until_ms,
            "waiting": [],  # files take every line, so no end waits to be taken
            "alone": [],  # nothing is late
        }
        return cls(clock_ms, last, sessions, rest, lines)

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


def _opened(states: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Which sessions of one kind have opened in the latest ms in which any has; what was counted stays behind."""
    opened_ms = max(state["opened_ms"] for state in states)
    opened = [each for state in states if state["opened_ms"] == opened_ms for each in state["opened"]]
    return {"opened_ms": opened_ms, "opened": opened, "counters": {}}
