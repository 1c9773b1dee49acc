"""Snapshots: whole or not at all, believed only when they are whole, and gone on from as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runtime.counters import counters_state
from runtime.engine import Clock, Engine
from runtime.frames import BadFile, FrameWriter, new_file, read_frames
from runtime.rules import TenantRules
from runtime.snapshot import Restored, SnapshotError, load, save

RULES = """
    @UpdateCounter('n') select 1 from Click;
    @UpdateState select text from Click;
    @DecorateEvent select session.int('n') as n, session.string('text') as before from Click;
    @DebugSession(counter = 'clicks') select 1 from Click;
    @DecorateEvent select 1 % number as never from Click(number = 0);
    @EndSession select 1 from Click(act = 'end');
    @SubSession('Part') select part as _pk_ from Click;
"""
Row = dict[str, Any]


def config(cache: Row | None = None, **more: Row) -> Row:
    """A tenant whose rules use all that a snapshot has to keep."""
    return {
        "events": {"Click": dict.fromkeys(("user", "part", "act", "text"), "string") | {"at": "long", "number": "int"}},
        "cache": {"hot": 10, "block_size": 64, "page_size": "4KiB", "hash_capacity": 1, **(cache or {})},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;",
        "profiles": [
            {
                "name": "Visit",
                "type": 1,
                "gap": "10s",
                "begin_marker": "VisitBegin",
                "end_marker": "VisitEnd",
                "rules_text": RULES,
                "sub_sessions": [{"name": "Part", "gap": "4s", "end_marker": "PartEnd", "rules_text": ""}],
            }
        ],
        **more,
    }


class Sent:
    """An output that keeps what leaves, and refuses the end markers of a user for a while."""

    wants_events = True

    def __init__(self, refused: str = "", times: int = 0) -> None:
        self.sent: list[tuple[int, Row]] = []
        self._refused, self._times = refused, times

    def event(self, raw: bytes, decorations: Row | None, now_ms: int) -> None:
        self.sent.append((now_ms, {**json.loads(raw), **(decorations or {})}))

    def marker(self, fields: Row, now_ms: int) -> None:
        self.sent.append((now_ms, dict(fields)))

    def end_marker(self, fields: Row, now_ms: int) -> bool:
        if self._times and fields["_snid"].startswith(self._refused):
            self._times -= 1
            self.sent.append((now_ms, {**fields, "refused": True}))
            return False
        self.marker(fields, now_ms)
        return True


def events(count: int, seed: int = 1, pause_ms: int = 300, apart_ms: int = 0) -> list[tuple[int, Row]]:
    """Clicks of forty users, each with the time at which it comes; its own time is up to `apart_ms` before."""
    source = random.Random(seed)
    found = []
    for number in range(count):
        now_ms = 10_000 + number * pause_ms
        event: Row = {"user": f"u{source.randrange(40)}", "at": now_ms - source.randrange(apart_ms + 1)}
        if source.random() < 0.3:
            event["part"] = source.choice("xy")
        if source.random() < 0.05:
            event["act"] = "end"
        event |= {"text": "t" * source.randrange(200), "number": source.randrange(4)}
        found.append((now_ms, event))
    return found


def feed(engine: Engine, given: list[tuple[int, Row]], clock: Clock = Clock.DRIVER, partitions: int = 1) -> None:
    for now_ms, event in given:
        line = json.dumps(event).encode()
        partition = int(event["user"][1:]) % partitions
        if clock is Clock.DRIVER:
            engine.process([line], now_ms, partition=partition)
        else:
            engine.process([line], partition=partition, wall_ms=now_ms)


def counted(engine: Engine) -> Row:
    """All counters, those of rules as well."""
    kinds = [kind for profile in engine.profiles for kind in (profile, *profile.sub_sessions)]
    counters = [engine.counters, *(kind.counters for kind in kinds)]
    return {"counters": [counters_state(each) for each in counters], "matches": engine.rules.matches()}


Compiled = Callable[[Row], TenantRules]


def check_goes_on(
    before: Row,
    after: Row,
    given: list[tuple[int, Row]],
    compile_text: Compiled,
    path: Path,
    *,
    cut: int,
    clock: Clock = Clock.DRIVER,
    partitions: int = 1,
    refused: tuple[str, int] = ("", 0),
) -> tuple[Engine, Restored]:
    """An engine that is stopped after `cut` events and goes on as another one sends and counts what one alone does."""
    alone = Sent(*refused)
    engine = Engine(compile_text(before), alone, clock=clock)
    feed(engine, given, clock, partitions)
    engine.drain()
    sent = Sent(*refused)
    first = Engine(compile_text(before), sent, clock=clock)
    feed(first, given[:cut], clock, partitions)
    save(first, path)
    second = Engine(compile_text(after), sent, clock=clock)
    restored = load(second, path)
    assert restored.sessions == first.live_sessions == second.live_sessions
    assert (restored.dropped_sessions, restored.dropped_values) == (0, 0)
    feed(second, given[cut:], clock, partitions)
    second.drain()
    assert sent.sent == alone.sent
    assert counted(second) == counted(engine)
    assert second.live_sessions == 0
    assert second.cache.pages.used_blocks == 0
    return second, restored


# ---- it goes on as if nothing had been


@pytest.mark.parametrize("hot", [0, 3, 1000])
@pytest.mark.parametrize("cut", [0, 1, 150, 299])
def test_goes_on(compile_text: Compiled, tmp_path: Path, hot: int, cut: int) -> None:
    tenant = config({"hot": hot})
    check_goes_on(tenant, tenant, events(300), compile_text, tmp_path / "snapshot", cut=cut)


@pytest.mark.parametrize(
    "cache",
    [
        {"block_size": 128},
        {"page_size": "64KiB"},
        {"block_size": 512, "page_size": "512"},
        {"hot": 1000},
        {"hot": 0},
        {"memory": "64KiB"},
        {"hash_capacity": 1_000_000},
    ],
    ids=str,
)
def test_with_another_cache(compile_text: Compiled, tmp_path: Path, cache: Row) -> None:
    check_goes_on(
        config({"hot": 5}), config({"hot": 5, **cache}), events(200), compile_text, tmp_path / "snapshot", cut=120
    )


def test_several_profiles_and_their_order(compile_text: Compiled, tmp_path: Path) -> None:
    """Tables go by the name of their profile."""

    def tenant(*names: str) -> Row:
        profile = config()["profiles"][0]
        types = {"Visit": 1, "Day": 2}
        markers = dict.fromkeys(("begin_marker", "end_marker", "sub_sessions"))
        profiles = [{**profile, **markers, "name": name, "type": types[name]} for name in names]
        rows = "".join(f"@Session('{name}') select user as _pk_ from Click;" for name in types)
        return {
            **config({"hot": 4}),
            "controller_text": rows,
            "profiles": [{**each, "rules_text": "@UpdateCounter('n') select 1 from Click;"} for each in profiles],
        }

    given = events(150)
    first = Engine(compile_text(tenant("Visit", "Day")), Sent())
    feed(first, given)
    save(first, tmp_path / "snapshot")
    second = Engine(compile_text(tenant("Day", "Visit")), Sent())
    load(second, tmp_path / "snapshot")
    live = {profile.name: profile.counters.active for profile in first.profiles}
    assert {profile.name: len(profile.table) for profile in second.profiles} == live
    second.drain()
    assert second.live_sessions == 0


def test_several_partitions(compile_text: Compiled, tmp_path: Path) -> None:
    tenant = config({"hot": 5}, time={"domain": "event"})
    check_goes_on(
        tenant,
        tenant,
        events(250, apart_ms=3_000),
        compile_text,
        tmp_path / "snapshot",
        cut=130,
        clock=Clock.EVENT_TIME,
        partitions=3,
    )


@pytest.mark.parametrize("late", ["extend", "new", "drop"])
def test_events_that_wait_for_their_turn(compile_text: Compiled, tmp_path: Path, late: str) -> None:
    """Late ones with sessions of their own as well: they stand in no table."""
    tenant = config({"hot": 2}, time={"domain": "event", "allowed_lateness": "2s", "late": late})
    for cut in (60, 61, 62):
        check_goes_on(
            tenant,
            tenant,
            events(120, pause_ms=900, apart_ms=15_000),
            compile_text,
            tmp_path / "snapshot",
            cut=cut,
            clock=Clock.EVENT_TIME,
        )


def test_late_ones_that_nobody_takes_yet(compile_text: Compiled, tmp_path: Path) -> None:
    tenant = config({"hot": 2}, time={"domain": "event", "late": "new"})
    given = events(60, pause_ms=900, apart_ms=25_000)
    for cut in (32, 36):
        path = tmp_path / "snapshot"
        options: Row = {"clock": Clock.EVENT_TIME, "refused": ("u", 20)}
        check_goes_on(tenant, tenant, given, compile_text, path, cut=cut, **options)


@pytest.mark.parametrize("hot", [0, 1000])
def test_ends_that_were_refused(compile_text: Compiled, tmp_path: Path, hot: int) -> None:
    tenant = config({"hot": hot})
    for cut in (80, 110, 140):
        check_goes_on(
            tenant, tenant, events(200, pause_ms=500), compile_text, tmp_path / "snapshot", cut=cut, refused=("u", 25)
        )


@pytest.mark.parametrize("policy", ["ender", "ender-2022"])
@pytest.mark.parametrize("hot", [0, 1000])
def test_the_policy_of_the_ender(compile_text: Compiled, tmp_path: Path, policy: str, hot: int) -> None:
    tenant = config({"hot": hot}, time={"policy": policy, "partitions": 4, "user_time": "at"})
    tenant["profiles"][0] |= {"sub_sessions": [], "rules_text": "@UpdateCounter('n') select 1 from Click;"}
    given = events(50, pause_ms=700, apart_ms=2_000)

    def run(engine: Engine, part: list[tuple[int, Row]]) -> None:
        for now_ms, event in part:
            engine.process([json.dumps(event).encode()], now_ms)
            engine.advance(now_ms)

    alone, sent = Sent("u1", 8), Sent("u1", 8)
    engine = Engine(compile_text(tenant), alone)
    run(engine, given)
    first = Engine(compile_text(tenant), sent)
    run(first, given[:30])
    save(first, tmp_path / "snapshot")
    second = Engine(compile_text(tenant), sent)
    load(second, tmp_path / "snapshot")
    run(second, given[30:])
    for each in (engine, second):
        each.drain()
        assert each.live_sessions == 0
    assert sent.sent == alone.sent
    assert counted(second) == counted(engine)


@pytest.mark.parametrize("hot", [0, 5, 1000])
def test_less_memory_than_the_sessions_need(compile_text: Compiled, tmp_path: Path, hot: int) -> None:
    """Those due first are evicted with their markers, as when memory runs full; all others go on."""
    first = Engine(compile_text(config({"hot": 5})), Sent())
    feed(first, events(200, pause_ms=10))
    live = first.live_sessions
    save(first, tmp_path / "snapshot")
    sent = Sent()
    second = Engine(compile_text(config({"hot": hot, "memory": "4KiB"})), sent)
    restored = load(second, tmp_path / "snapshot")
    second.cache.settle()
    (profile,) = second.profiles
    evicted = [fields for _, fields in sent.sent if fields.get("_snrs") == "evicted"]
    assert (len(evicted) > 0) == (hot < 1000)
    assert second.live_sessions == len(profile.table) == live - len(evicted)
    assert restored.sessions >= second.live_sessions
    assert profile.counters.ended["evicted"] == len(evicted)
    second.drain()
    ends = [fields["_snid"] for _, fields in sent.sent if fields["_type"] == "VisitEnd"]
    assert len(ends) == len(set(ends)) == live
    assert second.live_sessions == 0


# ---- files that cannot be used


@pytest.fixture(scope="module")
def snapshot(compile_text: Compiled, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small one with pages, objects, a wheel and an end that waits."""
    path = tmp_path_factory.mktemp("snapshot") / "snapshot"
    engine = Engine(compile_text(config({"hot": 2, "page_size": "1KiB"})), Sent("u", 1))
    feed(engine, events(8, pause_ms=10))
    engine.process([b'{"user":"u99","act":"end"}'], 11_000)
    save(engine, path)
    return path.read_bytes()


@pytest.fixture
def refused(compile_text: Compiled, tmp_path: Path) -> Callable[..., str]:
    """Why an engine does not take a file of these bytes, without the file's name."""
    rules = compile_text(config({"hot": 2, "page_size": "1KiB"}))

    def why(data: bytes, of: TenantRules = rules) -> str:
        path = tmp_path / "visits.snapshot"
        path.write_bytes(data)
        with pytest.raises(SnapshotError) as error:
            load(Engine(of, Sent()), path)
        name, _, reason = str(error.value).partition(": ")
        assert name == str(path)
        return reason

    return why


def frames_end(data: bytes) -> list[int]:
    """Where each frame of a file ends: 10 bytes of head, then frames of 13 bytes and what follows."""
    ends = [10]
    while ends[-1] < len(data):
        length = int.from_bytes(data[ends[-1] + 1 : ends[-1] + 9], "little")
        ends.append(ends[-1] + 13 + length)
    return ends


def test_torn_anywhere(snapshot: bytes, refused: Callable[..., str]) -> None:
    ends = frames_end(snapshot)
    assert ends[-1] == len(snapshot)
    places = {place + offset for place in ends for offset in (-14, -1, 0, 1, 5, 12, 13, 14)}
    for place in sorted(place for place in places if 0 <= place < len(snapshot)):
        reason = refused(snapshot[:place])
        if place < 10:
            assert reason == "it is no file of Sojourn's"
        else:
            assert reason.startswith(("it ends after", "it ends within frame")), (place, reason)


def test_each_flipped_bit_is_found(snapshot: bytes, tmp_path: Path) -> None:
    """By whoever reads the frames, before anything is believed."""
    path = tmp_path / "damaged"
    heads = {place + offset for place in [0, *frames_end(snapshot)] for offset in range(14)}
    for place in sorted({each for each in heads if each < len(snapshot)} | set(range(0, len(snapshot), 11))):
        damaged = bytearray(snapshot)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with path.open("rb") as file, pytest.raises(BadFile):
            deque(read_frames(file), maxlen=0)


def test_a_flipped_bit_is_said(snapshot: bytes, refused: Callable[..., str]) -> None:
    start, end = frames_end(snapshot)[1:3]
    damaged = bytearray(snapshot)
    damaged[end - 1] ^= 4
    assert refused(bytes(damaged)) == f"frame 2 at byte {start:,} is damaged: its checksum is another"


@pytest.mark.parametrize("more", [b"\0", b"more", b"x" * 1000])
def test_more_than_there_was(snapshot: bytes, refused: Callable[..., str], more: bytes) -> None:
    assert refused(snapshot + more) == "frames are missing"


def test_frames_that_are_missing_or_twice(snapshot: bytes, refused: Callable[..., str]) -> None:
    ends = frames_end(snapshot)
    for start, end in pairwise(ends):
        assert refused(snapshot[:start] + snapshot[end:])
        assert refused(snapshot[:end] + snapshot[start:])


@pytest.mark.parametrize("data", [b"", b"S", b"PK\x03\x04" + bytes(100), b'{"user": "a"}\n' * 10, bytes(1000)], ids=len)
def test_a_foreign_file(refused: Callable[..., str], data: bytes) -> None:
    assert refused(data) == "it is no file of Sojourn's"


def test_another_version(snapshot: bytes, refused: Callable[..., str]) -> None:
    older = snapshot[:8] + b"\x01\x00" + snapshot[10:]
    assert refused(older) == "it is of format 1; this version of Sojourn reads format 2"


def test_another_tenant(snapshot: bytes, refused: Callable[..., str], compile_text: Compiled) -> None:
    assert (
        refused(snapshot, compile_text(config() | {"tenant": "other"}))
        == "its sessions are of tenant `test`, not of `other`"
    )


@pytest.mark.parametrize("frames", [[], [(b"t", b"\x90")], [(b"?", b"what")], [(b"e", b"\x80")], [(b"c", b"\xff")]])
def test_whole_but_no_snapshot(tmp_path: Path, refused: Callable[..., str], frames: list[tuple[bytes, bytes]]) -> None:
    path = tmp_path / "made"
    with new_file(path) as writer:
        for kind, data in frames:
            writer.write(kind, data)
    assert refused(path.read_bytes()).startswith(("it ", "frames are missing"))


def test_no_file(compile_text: Compiled, tmp_path: Path) -> None:
    engine = Engine(compile_text(config()), Sent())
    with pytest.raises(SnapshotError, match=r"missing: No such file or directory$"):
        load(engine, tmp_path / "missing")
    with pytest.raises(SnapshotError, match=r"Is a directory$"):
        load(engine, tmp_path)


# ---- the file before is whole whatever happens to the new one


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failure_leaves_the_file_before(
    compile_text: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(compile_text(config()), Sent())
    feed(engine, events(50))
    path = tmp_path / "snapshot"
    save(engine, path)
    before = path.read_bytes()
    feed(engine, events(50, seed=2))
    for failing in range(1, 8):
        calls = 0

        def fails(self: FrameWriter, kind: bytes, *data: bytes, at: int = failing) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(FrameWriter, "write", fails)
            with pytest.raises(SnapshotError, match=r"snapshot was not written: No space left on device$"):
                save(engine, path)
        assert path.read_bytes() == before
        assert parts(tmp_path) == ["snapshot"]
    save(engine, path)
    assert path.read_bytes() != before


def test_a_folder_that_is_not_there(compile_text: Compiled, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="was not written: No such file or directory"):
        save(Engine(compile_text(config()), Sent()), tmp_path / "missing" / "snapshot")


def test_a_full_disk(compile_text: Compiled, tmp_path: Path) -> None:
    """In a process of its own, whose files may not be larger than a part of the snapshot."""
    path = tmp_path / "snapshot"
    rules = compile_text(config())
    save(Engine(rules, Sent()), path)
    before = path.read_bytes()
    engine = Engine(rules, Sent())
    engine.process([b'{"user":"u%d","text":"%s"}' % (number, b"t" * 400) for number in range(3_000)], 10_000)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            save(engine, path)
        except SnapshotError as error:
            os._exit(42 if str(error) == f"{path}: the snapshot was not written: File too large" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert path.read_bytes() == before
    assert parts(tmp_path) == ["snapshot"]


def test_killed_while_it_writes(compile_text: Compiled, tmp_path: Path) -> None:
    """Whenever that is, what is there is the whole file before; what was begun is gone with the next one."""
    path = tmp_path / "snapshot"
    small, large = (Engine(compile_text(config()), Sent()) for _ in range(2))
    feed(small, events(50))
    save(small, path)
    before = path.read_bytes()
    large.process([b'{"user":"u%d","text":"%s"}' % (number, b"t" * 400) for number in range(10_000)], 10_000)
    for written in (0, 1, 500_000, 1_000_000, 2_000_000, 4_000_000):
        child = os.fork()
        if child == 0:
            save(large, path)
            os._exit(0)
        begun = tmp_path / f".snapshot.{child}.part"
        while size_of(begun) < written and path.read_bytes() == before:
            pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert path.read_bytes() == before or load(Engine(compile_text(config()), Sent()), path).sessions == 10_000
        save(small, path)
        assert path.read_bytes() == before
        assert parts(tmp_path) == ["snapshot"]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
