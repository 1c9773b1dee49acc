"""How large and how fast the session cache is: sessions as those of a shop put, got, changed, ended, evicted.

Each measurement has a process of its own, so that its memory is its own. Times are CPU time; operations are timed in
slices, and the median of the slices counts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from runtime.bench.memory import resident_bytes
from runtime.bench.own_process import OnProgress, in_own_process
from runtime.bench.shop import GAP_MS, LAYOUT, SESSION, as_dict, key_of, made_sessions
from runtime.cache import NEVER_MS, Cache, Codec, SessionTable, TimeWheel
from runtime.cache.image import CACHE_FRAMES, CacheReader, write_cache
from runtime.config import CacheConfig
from runtime.frames import new_file, read_frames
from runtime.session import MainSession

_SAMPLE = 100_000
_SLICE = 1_000
_MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class CacheJob:
    """What to measure: so many live sessions, at most `hot` of them as objects; sizes in bytes.

    `snapshot`: a file to write and read, None for none.
    """

    sessions: int
    hot: int
    block_size: int = 64
    page_size: int = 4 * _MEBI
    snapshot: Path | None = None


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What was found: `bytes_per_session` is the growth of resident memory, `entry_bytes` what the largest one takes.

    Times in ns of CPU for one session: `put` one that begins, `get` one that is no object, `store` it again, `update`
    both with a change between, as an event does; `expire` one that is due; `evict` one for another that begins.
    MB/s are of memory in pages.
    """

    sessions: int
    hot: int
    bytes_per_session: float
    rss_bytes: int
    entry_bytes: int
    put_ns: float
    get_ns: float
    store_ns: float
    update_ns: float
    expire_ns: float
    evict_ns: float
    snapshot_mb_per_second: float | None
    restore_mb_per_second: float | None


@dataclass(frozen=True, slots=True)
class DictFigures:
    """The same sessions as dicts of Python objects in one dict."""

    sessions: int
    bytes_per_session: float
    rss_bytes: int
    put_ns: float
    update_ns: float


def measure_cache(job: CacheJob, on_progress: OnProgress) -> CacheFigures:
    """Measures in a process of its own. Raises BenchFailed."""
    found: CacheFigures = in_own_process(_measure_cache, job, on_progress)
    return found


def measure_dicts(sessions: int, on_progress: OnProgress) -> DictFigures:
    """Measures in a process of its own. Raises BenchFailed."""
    found: DictFigures = in_own_process(_measure_dicts, sessions, on_progress)
    return found


# ---- the cache


def _made(config: CacheConfig) -> tuple[Cache, SessionTable, TimeWheel]:
    cache = Cache(config)
    return cache, cache.add_table(Codec((SESSION, LAYOUT))), cache.add_wheel()


def _measure_cache(job: CacheJob, on_progress: OnProgress) -> CacheFigures:
    config = CacheConfig(
        block_size=job.block_size,
        page_size=job.page_size,
        memory=max(job.sessions * 2048, 4 * job.page_size),
        hash_capacity=0,
        hot=job.hot,
    )
    before = resident_bytes()
    cache, table, wheel = _made(config)
    puts = [_put(table, wheel, part) for part in _filling(job.sessions, on_progress)]
    rss = resident_bytes()
    on_progress("got and changed", 0)
    # Of those that began first: the last ones are objects still.
    sample = _sample(max(job.sessions - job.hot, job.sessions // 2))
    # First, while there are as many objects as there may be: each that is got makes another one go.
    updates = [_update(table, sample[start : start + _SLICE]) for start in range(0, len(sample), _SLICE)]
    gets, stores = _get_and_store(table, sample)
    snapshot, restore = _snapshot(cache, config, job.snapshot, on_progress)
    on_progress("ended", 0)
    expire = _expire(cache, table, wheel, min(_SAMPLE, job.sessions))
    return CacheFigures(
        sessions=job.sessions,
        hot=job.hot,
        bytes_per_session=(rss - before) / job.sessions,
        rss_bytes=rss,
        entry_bytes=cache.entries.largest_bytes,
        put_ns=median(puts),
        get_ns=median(gets),
        store_ns=median(stores),
        update_ns=median(updates),
        expire_ns=expire,
        evict_ns=_evict(job, on_progress),
        snapshot_mb_per_second=snapshot,
        restore_mb_per_second=restore,
    )


def _filling(sessions: int, on_progress: OnProgress) -> Iterator[list[MainSession]]:
    for first in range(0, sessions, _SLICE):
        if first % (100 * _SLICE) == 0:
            on_progress("put", first / sessions)
        yield made_sessions(first, min(_SLICE, sessions - first))


def _sample(among: int) -> list[str]:
    """Keys of some of so many sessions, each once."""
    return [key_of(number) for number in random.Random(7).sample(range(among), min(_SAMPLE, among))]


def _put(table: SessionTable, wheel: TimeWheel, sessions: list[MainSession]) -> float:
    began = time.process_time_ns()
    for session in sessions:
        table.find(session.key)
        table.put(session)
        wheel.schedule(session, session.modified_ms + GAP_MS)
    return (time.process_time_ns() - began) / len(sessions)


def _get_and_store(table: SessionTable, keys: list[str]) -> tuple[list[float], list[float]]:
    """Gets alone, and stores alone: what is got stays an object until then."""
    most_hot, gets, stores = table.most_hot, [], []
    for start in range(0, len(keys), _SLICE):
        part = keys[start : start + _SLICE]
        table.most_hot = 0
        table.settle()
        table.most_hot = len(part)
        began = time.process_time_ns()
        for key in part:
            table.find(key)
        gets.append((time.process_time_ns() - began) / len(part))
        table.most_hot = 0
        began = time.process_time_ns()
        table.settle()
        stores.append((time.process_time_ns() - began) / len(part))
    table.most_hot = most_hot
    return gets, stores


def _update(table: SessionTable, keys: list[str]) -> float:
    """As events do whose rules count and remember."""
    began = time.process_time_ns()
    for key in keys:
        session: Any = table.find(key)
        session.modified_ms += 1
        session.count += 1
        session.st_views += 1
        session.st_last_url = "https://shop.example/cart"
    return (time.process_time_ns() - began) / len(keys)


def _expire(cache: Cache, table: SessionTable, wheel: TimeWheel, most: int) -> float:
    """Ends what is due second by second, without markers."""
    ended = 0
    began = time.process_time_ns()
    while ended < most and wheel.next_tick_ms < NEVER_MS:
        for session in wheel.take(wheel.next_tick_ms):
            table.remove(session)
            ended += 1
    return (time.process_time_ns() - began) / max(ended, 1)


def _evict(job: CacheJob, on_progress: OnProgress) -> float:
    """A session that begins while the memory is full, so that the one due first has to go."""
    on_progress("evicted", 0)
    page_size = min(job.page_size, job.block_size * 16_384)
    config = CacheConfig(block_size=job.block_size, page_size=page_size, memory=4 * page_size, hash_capacity=0, hot=0)
    cache, table, wheel = _made(config)

    def make_room(session: MainSession) -> bool:
        first = wheel.first(lambda each: each.modified_ms + GAP_MS, {id(session)})
        assert first is not None
        wheel.forget(first)
        table.remove(first)
        return True

    cache.make_room = make_room
    first = 0
    while cache.failed_puts == 0:
        _put(table, wheel, made_sessions(first, _SLICE))
        first += _SLICE
    return median(_put(table, wheel, made_sessions(first + step * _SLICE, _SLICE)) for step in range(10))


def _snapshot(
    cache: Cache, config: CacheConfig, path: Path | None, on_progress: OnProgress
) -> tuple[float | None, float | None]:
    if path is None:
        return None, None
    megabytes = cache.pages.used_bytes / 1e6
    on_progress("written to a snapshot", 0)
    began = time.perf_counter()
    with new_file(path) as writer:
        write_cache(cache, ["Visit"], writer)
    written = time.perf_counter() - began
    on_progress("read from a snapshot", 0)
    other, _, _ = _made(config)
    reader = CacheReader(other, ["Visit"])
    began = time.perf_counter()
    with path.open("rb") as file:
        for kind, data in read_frames(file):
            assert kind in CACHE_FRAMES
            reader.take(kind, data)
    reader.end()
    return megabytes / written, megabytes / (time.perf_counter() - began)


# ---- dicts


def _measure_dicts(sessions: int, on_progress: OnProgress) -> DictFigures:
    before = resident_bytes()
    live: dict[str, dict[str, Any]] = {}
    puts = []
    for first in range(0, sessions, _SLICE):
        if first % (100 * _SLICE) == 0:
            on_progress("put into a dict", first / sessions)
        part = [(key_of(number), as_dict(number)) for number in range(first, min(first + _SLICE, sessions))]
        began = time.process_time_ns()
        for key, session in part:
            if live.get(key) is None:
                live[key] = session
        puts.append((time.process_time_ns() - began) / len(part))
        del part
    rss = resident_bytes()
    sample = _sample(sessions)
    updates = []
    for start in range(0, len(sample), _SLICE):
        keys = sample[start : start + _SLICE]
        began = time.process_time_ns()
        for key in keys:
            session = live[key]
            session["modified_ms"] += 1
            session["count"] += 1
            session["views"] += 1
            session["last_url"] = "https://shop.example/cart"
        updates.append((time.process_time_ns() - began) / len(keys))
    return DictFigures(sessions, (rss - before) / sessions, rss, median(puts), median(updates))
