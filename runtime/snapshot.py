"""Snapshots: an engine's whole state in a file, and an engine that goes on from there as if nothing had been.

The rules may be other ones by then: profiles, sub-sessions and attributes are found by name, and what there is no
place for is dropped and counted (`runtime.plan` says beforehand what a change of rules would drop).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from runtime.cache.image import CACHE_FRAMES, HEADER, CacheReader, write_cache
from runtime.cache.strange import pack_any, unpack_any
from runtime.config import TenantConfig, TimePolicy
from runtime.engine import Engine
from runtime.frames import BadFile, ForeignFile, FrameWriter, TornFile, new_file, read_frames
from runtime.reorder import Refuse

CLOCKS, REST, BESIDE = b"t", b"e", b"s"
_FIRST = {0: CLOCKS, 1: HEADER}
"""The frames without which nobody can tell what the others are."""


class SnapshotError(Exception):
    """A snapshot that cannot be written, or cannot be used; the message names the file and says why."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: live sessions, and what the rules of now have no place for."""

    sessions: int
    dropped_sessions: int
    dropped_values: int


def save(engine: Engine, path: Path) -> None:
    """Writes an engine's state to a file, which takes the place of the one before when it is complete and on disk.

    Raises SnapshotError; the file before is then as it was.
    """
    try:
        with new_file(path) as writer:
            write(engine, writer)
    except OSError as error:
        raise SnapshotError(f"{path}: the snapshot was not written: {error.strerror or error}") from error


def load(
    engine: Engine,
    path: Path,
    refuse: Refuse = lambda refused: None,
    beside: Callable[[bytes], None] = lambda data: None,
) -> Restored:
    """Brings an engine that has seen no event to the state that a file has.

    `refuse` takes what is refused of the events that waited for their turn, `beside` what whoever drove the engine has
    written beside it. Raises SnapshotError; the engine is then of no use.
    """
    with opened(path) as file:
        return _read(engine, file, refuse, beside)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A snapshot to read frames from. Within, whatever is wrong with it becomes a SnapshotError."""
    try:
        with path.open("rb", buffering=1 << 20) as file:
            yield file
    except BadFile as error:
        raise SnapshotError(f"{path}: {error}") from error
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        # Each frame is what was written, so whoever wrote it meant something else by it.
        raise SnapshotError(f"{path}: it is no snapshot of an engine: {type(error).__name__}: {error}") from error


def write(engine: Engine, writer: FrameWriter, beside: bytes | None = None) -> None:
    """Writes an engine's state as frames, and what whoever drives it has to keep beside it. Raises OSError."""
    profiles = [profile.name for profile in engine.profiles]
    config = engine.rules.config
    owner = {"tenant": config.tenant, "policy": config.time.policy.value}
    writer.write(CLOCKS, pack_any({**owner, **engine.clocks_state()}))
    write_cache(engine.cache, profiles, writer)
    if beside is not None:
        writer.write(BESIDE, beside)
    writer.write(REST, pack_any(engine.state()))


def refusal(tenant: str, policy: TimePolicy, config: TenantConfig) -> str | None:
    """Why a tenant cannot go on with the sessions of a tenant and a policy of time, None when it can."""
    if tenant != config.tenant:
        return f"its sessions are of tenant `{tenant}`, not of `{config.tenant}`"
    if (policy is TimePolicy.GAP) != (config.time.policy is TimePolicy.GAP):
        return f"its sessions are of `time.policy: {policy}`, and mean nothing to `{config.time.policy}`"
    return None


def frames_of(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The frames of a snapshot: clocks, the cache's header, and the others. Raises BadFile and OSError."""
    place = 0
    for kind, data in read_frames(file):
        if kind != _FIRST.get(place, kind):
            raise TornFile("frames are missing")
        yield kind, data
        place += 1
    if place < len(_FIRST):
        raise TornFile("frames are missing")


def _read(engine: Engine, file: BinaryIO, refuse: Refuse, beside: Callable[[bytes], None]) -> Restored:
    assert not engine.live_sessions, "an engine that has seen no event"
    reader = CacheReader(engine.cache, [profile.name for profile in engine.profiles])
    is_complete = False
    for kind, data in frames_of(file):
        if kind == CLOCKS:
            clocks = unpack_any(data)
            why = refusal(clocks["tenant"], TimePolicy(clocks["policy"]), engine.rules.config)
            if why is not None:
                raise ForeignFile(why)
            waiting = engine.clocks_go_on_from(clocks, refuse)
        elif kind in CACHE_FRAMES:
            reader.take(kind, data)
        elif kind == BESIDE:
            beside(data)
        elif kind == REST:
            # Before the sessions come: where there is less room now, some of them are evicted at once, and count.
            engine.go_on_from(unpack_any(data))
            reader.end()
            is_complete = True
        else:
            raise ForeignFile(f"it has a frame `{kind.decode(errors='replace')}` that this version does not know")
    if not is_complete:
        raise TornFile("it has no state of an engine")
    engine.take_waiting(waiting)
    dropped = sum(profile.table.codec.dropped for profile in engine.profiles)
    return Restored(engine.live_sessions, reader.dropped, dropped)
