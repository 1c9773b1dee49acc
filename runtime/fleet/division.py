"""The sessions of one tenant, from so many engines to as many as it may be: each goes to whoever owns its key by then.

All engines go by the same rules. The others are read and stay as they are. What is no session's own (clocks, counters,
ends that wait) is `runtime.fleet.remainder`'s to divide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from runtime.cache import Codec, SessionTable
from runtime.cache.handover import sessions_of
from runtime.engine import Engine
from runtime.event import BAD_LINE, Refused
from runtime.fleet.remainder import Live, clocks_of, merged_clocks, remainders
from runtime.intake import FROM_DATA
from runtime.profile import Profile
from runtime.session import MainSession

Owner = Callable[[str, str], int]
"""Which part owns the sessions of a profile and a key."""
_MOST_OBJECTS = 1_000
"""Of a profile, before they are written to pages."""


class CannotDivide(Exception):
    """The sessions cannot go to other parts; the message says why."""


def divide(old: Sequence[Engine], new: Sequence[Engine], before: Owner, after: Owner, clocks: Sequence[Engine]) -> int:
    """Brings engines that have seen no event to where others are; how many sessions live in them.

    `before` and `after` say who of the old ones and of the new ones owns a session, `clocks` are those of the old ones
    whose clocks go on. Raises CannotDivide where a session is not with its owner: another of its key may be there.
    """
    times = merged_clocks([each.clocks_state() for each in clocks])
    for number, engine in enumerate(new):
        engine.clocks_go_on_from(clocks_of(times, lambda line: _owner_of(line, clocks[0], after) == number), _nobody)  # noqa: B023
    wheels = {each["number"]: wheel for wheel, each in enumerate(new[0].clocks_state()["partitions"])}
    live: list[Live] = [Counter() for _ in new]
    states: list[dict[str, Any]] = []
    for number, engine in enumerate(old):
        state = engine.state()
        own = [wheels.get(each["number"], 0) for each in engine.clocks_state()["partitions"]]
        for place, profile in enumerate(engine.profiles):
            dealer = _Dealer([each.profiles[place] for each in new], new, profile.table.codec, live)
            for key, payload, wheel in sessions_of(engine.cache, profile.table):
                if before(profile.name, key) != number:
                    raise CannotDivide(
                        f"tenant `{engine.rules.config.tenant}`: since its rules were changed by force, sessions of "
                        f"profile `{profile.name}` are where their events do not come"
                    )
                dealer.deal(key, payload, own[wheel], after(profile.name, key))
            kept = state["profiles"][profile.name]
            kept["alone"] = [
                [own[wheel], due_ms, key, dealer.count_alone(key, payload, after(profile.name, key))]
                for wheel, due_ms, key, payload in kept["alone"]
            ]
        states.append(state)
    for engine, rest in zip(new, remainders(states, live, after), strict=True):
        engine.go_on_from(rest)
    return sum(engine.live_sessions for engine in new)


def _owner_of(line: bytes, engine: Engine, owner: Owner) -> int:
    """The part that owns an event which waits for its turn."""
    try:
        _, keys = engine.keys_of(line)
    except (*BAD_LINE, *FROM_DATA):
        return 0  # by rules that came after it: anybody can refuse it
    owned = ((profile.name, key) for profile, key in zip(engine.profiles, keys, strict=True) if key is not None)
    return next((owner(profile, key) for profile, key in owned), 0)


class _Dealer:
    """Gives sessions of one profile of an old engine to the new ones, and counts them."""

    def __init__(
        self, profiles: Sequence[Profile], engines: Sequence[Engine], codec: Codec, live: Sequence[Live]
    ) -> None:
        self._profiles = profiles
        self._engines = engines
        self._live = live
        # A row says by a version whose it is, and each engine counts its own.
        self._readers = [profile.table.codec.after(codec.shapes) for profile in profiles]
        self._most = [_MOST_OBJECTS for _ in profiles]

    def deal(self, key: str, payload: bytes, wheel: int, to: int) -> None:
        """A session of the table, with the wheel in which it stands."""
        session, table = self._readers[to].decode(key, payload), self._profiles[to].table
        self._count(session, to)
        table.put(session)
        self._engines[to].cache.wheels[wheel].schedule(session, session.due_ms)
        if table.hot >= self._most[to]:
            self._most[to] = _cooled(table)

    def count_alone(self, key: str, payload: bytes, to: int) -> bytes:
        """A session beside the table, which shares its key with another; what the codec of the new ones makes of it."""
        session = self._readers[to].decode(key, payload)
        self._count(session, to)
        return self._profiles[to].table.codec.encode(session)

    def _count(self, session: MainSession, to: int) -> None:
        profile = self._profiles[to]
        self._live[to][profile.name, None] += 1
        for sub in session.sub_sessions or ():
            self._live[to][profile.name, profile.sub_sessions[sub.number].name] += 1


def _cooled(table: SessionTable) -> int:
    """Writes objects to pages; how many there may be before the next time. Nobody is evicted for want of room."""
    table.cool(table.hot)
    return _MOST_OBJECTS + 2 * table.hot


def _nobody(refused: Refused) -> None:
    """What waits for its turn waits on, so nothing is refused."""
