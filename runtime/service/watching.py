"""Who looks at what the rules of a tenant do, right now: taps on all of its events, and single sessions.

While nobody looks, the engine has no part in it (`runtime.tracing`). Whoever looks gets what there is room for: at most
so many events a second are traced, and a reader who is slow misses some, and is told how many.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from runtime.engine import Engine
from runtime.event import BAD_LINE
from runtime.explained import Explained, Life, Watch, as_data
from runtime.intake import FROM_DATA
from runtime.output import to_json
from runtime.protocol.answers import Traced
from runtime.tracing import Tracer

_log = logging.getLogger("sojourn.service")

MOST_A_SECOND = 100
"""Events of a tenant that are traced each second, for all who look: 0.1 to 0.5 ms of the loop's time each."""
MOST_TAPS = 8
_MOST_SESSIONS = 20
_MOST_EVENTS = 50
_MOST_RECORDS = 1000
_MOST_BYTES = 4 * 1024 * 1024
_LOOKED_AT_S = 60.0
"""How long a session is traced after somebody last asked."""

SessionKey = tuple[str, str]
"""The name of a profile and a key."""


@dataclass(eq=False, slots=True)
class Tap:
    """One reader of a tenant's events. `type_name` and `key` choose, of what is chosen comes one in `sample`."""

    type_name: str | None = None
    key: str | None = None
    sample: int = 1
    missed: int = 0
    """Events that this reader should have had, and for which there was no room or no time."""
    is_over: bool = False
    """Whether nothing more comes."""
    _records: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def give(self, record: bytes) -> None:
        """Queues a line for the reader."""
        if len(self._records) >= _MOST_RECORDS or self._bytes + len(record) > _MOST_BYTES:
            self.missed += 1
            return
        self._records.append(record)
        self._bytes += len(record)
        self._came.set()

    def take(self) -> list[bytes]:
        """The lines since the last call, the first saying how many were missed before them, if any."""
        taken = list(self._records)
        if self.missed:
            taken.insert(0, to_json({"missed": self.missed}))
            self.missed = 0
        self._records.clear()
        self._bytes = 0
        self._came.clear()
        return taken

    def end(self) -> None:
        """Nothing more comes."""
        self.is_over = True
        self._came.set()

    async def wait(self, seconds: float) -> None:
        """Returns when there is something to take, or so much later."""
        try:
            await asyncio.wait_for(self._came.wait(), seconds)
        except TimeoutError:
            return


@dataclass(slots=True)
class _Looked:
    """A session that is looked at: its last events, the newest first."""

    events: deque[Traced]
    until_s: float


class Watching:
    """All who look at one tenant. `engine` gives the tenant's engine, which may be another one by and by."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._tracer: Tracer | None = None
        self._traced: Engine | None = None
        self._taps: list[Tap] = []
        self._chosen_for: list[Tap] = []
        """Whose sample the event at work is part of."""
        self._sessions: dict[SessionKey, _Looked] = {}
        self._chance = Random()
        self._second, self._in_second = 0.0, 0

    @property
    def is_full(self) -> bool:
        """Whether as many tap as may."""
        return len(self._taps) >= MOST_TAPS

    @contextmanager
    def tap(self, tap: Tap) -> Iterator[Tap]:
        """Within: the tap is given what it asks for."""
        self._taps.append(tap)
        try:
            self.keep_up()
            yield tap
        finally:
            self._taps.remove(tap)
            self.keep_up()

    def close(self) -> None:
        """Nobody looks any more."""
        for tap in self._taps:
            tap.end()

    def look_at(self, profile: str, key: str) -> list[Traced]:
        """The last events of a session since it is looked at, the newest first; it goes on for a minute."""
        until_s = time.monotonic() + _LOOKED_AT_S
        looked = self._sessions.pop((profile, key), None) or _Looked(deque(maxlen=_MOST_EVENTS), until_s)
        looked.until_s = until_s
        if len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[profile, key] = looked
        self.keep_up()
        asyncio.get_running_loop().call_later(_LOOKED_AT_S + 1, self.keep_up)
        return list(looked.events)

    def seen_of(self, profile: str, key: str) -> list[Traced]:
        """The same of a session that may be gone, without looking any longer."""
        looked = self._sessions.get((profile, key))
        return [] if looked is None else list(looked.events)

    def keep_up(self) -> None:
        """Sees to it that the engine of now is traced while somebody looks, and no other."""
        now_s = time.monotonic()
        self._sessions = {key: looked for key, looked in self._sessions.items() if looked.until_s > now_s}
        wanted = self._engine() if self._taps or self._sessions else None
        if wanted is self._traced:
            return
        if self._tracer is not None and self._traced is not None:
            self._tracer.detach()
        if wanted is not None:
            if self._tracer is None or self._tracer.engine is not wanted:
                self._tracer = Tracer(wanted, Watch(lambda explained: True, self._take), self._chooses)
            self._tracer.attach()
        self._traced = wanted

    # ---- what the tracer asks and tells

    def _chooses(self, line: bytes) -> bool:
        self._chosen_for.clear()
        type_name: str | None = None
        names: set[SessionKey] = set()
        if self._sessions or any(tap.key is not None or tap.type_name is not None for tap in self._taps):
            type_name, names = self._names(line)
        for tap in self._taps:
            if (
                (tap.type_name is None or tap.type_name == type_name)
                and (tap.key is None or any(tap.key == key for _, key in names))
                and self._is_in_sample(tap)
            ):
                self._chosen_for.append(tap)
        if not self._chosen_for and names.isdisjoint(self._sessions):
            return False
        if self._is_too_much():
            for tap in self._chosen_for:
                tap.missed += 1
            return False
        return True

    def _names(self, line: bytes) -> tuple[str | None, set[SessionKey]]:
        """Type and sessions of an event, as stage 1 would say."""
        engine = self._engine()
        try:
            type_name, keys = engine.keys_of(line)
        except (*BAD_LINE, *FROM_DATA):
            return None, set()
        profiles = zip(engine.profiles, keys, strict=True)
        return type_name, {(profile.name, key) for profile, key in profiles if key is not None}

    def _is_in_sample(self, tap: Tap) -> bool:
        return tap.sample == 1 or self._chance.random() * tap.sample < 1

    def _is_too_much(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._second >= 1:
            self._second, self._in_second = now_s, 0
        self._in_second += 1
        return self._in_second > MOST_A_SECOND

    def _take(self, explained: Explained) -> None:
        try:
            self._hand_out(explained)
        except Exception as error:
            # Whoever looks does the tenant no harm, whatever its rules have made.
            _log.error("an event could not be shown", exc_info=error)

    def _hand_out(self, explained: Explained) -> None:
        if explained.line is not None:
            taps, names = self._chosen_for, set(explained.keys)
        else:
            # Time, or the need for room, ended something; or an event that nobody chose began something.
            lives = [step for step in explained.steps if isinstance(step, Life)]
            if not any(life.what in ("ended", "waits to end") for life in lives):
                return
            names = {(life.kind.partition("/")[0], life.key) for life in lives}
            keys = {key for _, key in names}
            taps = [tap for tap in self._taps if tap.type_name is None and (tap.key is None or tap.key in keys)]
            taps = [tap for tap in taps if self._is_in_sample(tap)]
            if taps and self._is_too_much():
                for tap in taps:
                    tap.missed += 1
                taps = []
        looked = [each for name, each in self._sessions.items() if name in names]
        if not taps and not looked:
            return
        data = as_data(explained)
        for each in looked:
            each.events.appendleft(data)
        if taps:
            record = to_json(data)
            for tap in taps:
                tap.give(record)
