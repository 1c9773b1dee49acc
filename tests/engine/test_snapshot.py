"""Snapshots: whole or not at all, believed only when they are whole, and gone on from as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.counters import counters_state
from runtime.engine import Clock, Engine
from runtime.frames import FrameWriter, new_file
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
        "cache": {"hot": 10, "block_size": 64, "page_size": "4KiB", **(cache or {})},
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


@pytest.fixture(scope="module")
def rules_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], TenantRules]:
    from runtime.config import load_tenant
    from runtime.rules import compile_tenant

    def compiled(tenant: Row) -> TenantRules:
        folder = tmp_path_factory.mktemp("tenant")
        (folder / "sessionizer.yaml").write_text(json.dumps({"tenant": "test", **tenant}))
        return compile_tenant(load_tenant(folder))

    return compiled


Compiled = Callable[[Row], TenantRules]


def check_goes_on(
    before: Row,
    after: Row,
    given: list[tuple[int, Row]],
    rules_of: Compiled,
    path: Path,
    *,
    cut: int,
    clock: Clock = Clock.DRIVER,
    partitions: int = 1,
    refused: tuple[str, int] = ("", 0),
) -> tuple[Engine, Restored]:
    """An engine that is stopped after `cut` events and goes on as another one sends and counts what one alone does."""
    alone = Sent(*refused)
    engine = Engine(rules_of(before), alone, clock=clock)
    feed(engine, given, clock, partitions)
    engine.drain()
    sent = Sent(*refused)
    first = Engine(rules_of(before), sent, clock=clock)
    feed(first, given[:cut], clock, partitions)
    save(first, path)
    second = Engine(rules_of(after), sent, clock=clock)
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
def test_goes_on(rules_of: Compiled, tmp_path: Path, hot: int, cut: int) -> None:
    tenant = config({"hot": hot})
    check_goes_on(tenant, tenant, events(300), rules_of, tmp_path / "snapshot", cut=cut)


@pytest.mark.parametrize(
    "cache",
    [
        {"block_size": 128},
        {"page_size": "64KiB"},
        {"block_size": 512, "page_size": "512"},
        {"hot": 1000},
        {"hot": 0},
        {"memory": "64KiB"},
        {"hash_capacity": 1},
    ],
    ids=str,
)
def test_with_another_cache(rules_of: Compiled, tmp_path: Path, cache: Row) -> None:
    check_goes_on(config({"hot": 5}), config({"hot": 5, **cache}), events(200), rules_of, tmp_path / "snapshot", cut=120)


def test_several_profiles_and_their_order(rules_of: Compiled, tmp_path: Path) -> None:
    """Tables go by the name of their profile."""

    def tenant(*names: str) -> Row:
        profile = config()["profiles"][0]
        types = {"Visit": 1, "Day": 2}
        profiles = [{**profile, "name": name, "type": types[name], "sub_sessions": []} for name in names]
        rows = "".join(f"@Session('{name}') select user as _pk_ from Click;" for name in ("Visit", "Day"))
        return {
            **config({"hot": 4}),
            "controller_text": rows,
            "profiles": [{**each, "rules_text": "@UpdateCounter('n') select 1 from Click;"} for each in profiles],
        }

    given = events(150)
    first = Engine(rules_of(tenant("Visit", "Day")), Sent())
    feed(first, given)
    save(first, tmp_path / "snapshot")
    second = Engine(rules_of(tenant("Day", "Visit")), Sent())
    load(second, tmp_path / "snapshot")
    live = {profile.name: profile.counters.active for profile in first.profiles}
    assert {profile.name: len(profile.table) for profile in second.profiles} == live
    second.drain()
    assert second.live_sessions == 0


def test_several_partitions(rules_of: Compiled, tmp_path: Path) -> None:
    tenant = config({"hot": 5}, time={"domain": "event"})
    check_goes_on(
        tenant,
        tenant,
        events(250, apart_ms=3_000),
        rules_of,
        tmp_path / "snapshot",
        cut=130,
        clock=Clock.EVENT_TIME,
        partitions=3,
    )


@pytest.mark.parametrize("late", ["extend", "new", "drop"])
def test_events_that_wait_for_their_turn(rules_of: Compiled, tmp_path: Path, late: str) -> None:
    """Late ones with sessions of their own as well: they stand in no table."""
    tenant = config({"hot": 2}, time={"domain": "event", "allowed_lateness": "2s", "late": late})
    for cut in (60, 61, 62):
        check_goes_on(
            tenant,
            tenant,
            events(120, pause_ms=900, apart_ms=15_000),
            rules_of,
            tmp_path / "snapshot",
            cut=cut,
            clock=Clock.EVENT_TIME,
        )


def test_late_ones_that_nobody_takes_yet(rules_of: Compiled, tmp_path: Path) -> None:
    tenant = config({"hot": 2}, time={"domain": "event", "late": "new"})
    given = events(60, pause_ms=900, apart_ms=25_000)
    for cut in range(30, 40):
        path = tmp_path / "snapshot"
        options: Row = {"clock": Clock.EVENT_TIME, "refused": ("u", 30)}
        check_goes_on(tenant, tenant, given, rules_of, path, cut=cut, **options)


@pytest.mark.parametrize("hot", [0, 1000])
def test_ends_that_were_refused(rules_of: Compiled, tmp_path: Path, hot: int) -> None:
    tenant = config({"hot": hot})
    for cut in (80, 110, 140):
        check_goes_on(
            tenant, tenant, events(200, pause_ms=500), rules_of, tmp_path / "snapshot", cut=cut, refused=("u", 25)
        )


@pytest.mark.parametrize("policy", ["ender", "ender-2022"])
@pytest.mark.parametrize("hot", [0, 1000])
def test_the_policy_of_the_ender(rules_of: Compiled, tmp_path: Path, policy: str, hot: int) -> None:
    tenant = config({"hot": hot}, time={"policy": policy, "partitions": 4, "user_time": "at"})
    tenant["profiles"][0] |= {"sub_sessions": [], "rules_text": "@UpdateCounter('n') select 1 from Click;"}
    given = events(120, pause_ms=700, apart_ms=2_000)

    def run(engine: Engine, part: list[tuple[int, Row]]) -> None:
        for now_ms, event in part:
            engine.process([json.dumps(event).encode()], now_ms)
            engine.advance(now_ms)

    alone, sent = Sent("u1", 8), Sent("u1", 8)
    engine = Engine(rules_of(tenant), alone)
    run(engine, given)
    first = Engine(rules_of(tenant), sent)
    run(first, given[:70])
    save(first, tmp_path / "snapshot")
    second = Engine(rules_of(tenant), sent)
    load(second, tmp_path / "snapshot")
    run(second, given[70:])
    for each in (engine, second):
        each.drain()
        assert each.live_sessions == 0
    assert sent.sent == alone.sent
    assert counted(second) == counted(engine)


@pytest.mark.parametrize("hot", [0, 5, 1000])
def test_less_memory_than_the_sessions_need(rules_of: Compiled, tmp_path: Path, hot: int) -> None:
    """Those due first are evicted with their markers, as when memory runs full; all others go on."""
    first = Engine(rules_of(config({"hot": 5})), Sent())
    feed(first, events(200, pause_ms=10))
    live = first.live_sessions
    save(first, tmp_path / "snapshot")
    sent = Sent()
    second = Engine(rules_of(config({"hot": hot, "memory": "4KiB"})), sent)
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
def snapshot(rules_of: Compiled, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small one with pages, objects, a wheel and an end that waits."""
    path = tmp_path_factory.mktemp("snapshot") / "snapshot"
    engine = Engine(rules_of(config({"hot": 2, "page_size": "1KiB"})), Sent("u", 1))
    feed(engine, events(8, pause_ms=10))
    engine.process([b'{"user":"u99","act":"end"}'], 11_000)
    save(engine, path)
    return path.read_bytes()


@pytest.fixture
def refused(rules_of: Compiled, tmp_path: Path) -> Callable[..., str]:
    """Why an engine does not take a file of these bytes, without the file's name."""
    rules = rules_of(config({"hot": 2, "page_size": "1KiB"}))

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


def test_each_flipped_byte_is_found(snapshot: bytes, refused: Callable[..., str]) -> None:
    """All of those that say what is where, and some of each frame."""
    source = random.Random(4)
    ends = frames_end(snapshot)
    heads = {place + offset for place in [0, *ends] for offset in range(14)}
    others = {source.randrange(start, end) for start, end in zip(ends, ends[1:], strict=False) for _ in range(12)}
    for place in sorted(place for place in heads | others if place < len(snapshot)):
        for bit in (1, 0x80):
            damaged = bytearray(snapshot)
            damaged[place] ^= bit
            assert refused(bytes(damaged)), place


@pytest.mark.parametrize("more", [b"\0", b"more", b"x" * 1000])
def test_more_than_there_was(snapshot: bytes, refused: Callable[..., str], more: bytes) -> None:
    assert refused(snapshot + more) == "frames are missing"


def test_frames_that_are_missing_or_twice(snapshot: bytes, refused: Callable[..., str]) -> None:
    ends = frames_end(snapshot)
    for start, end in zip(ends[:-2], ends[1:], strict=False):
        assert refused(snapshot[:start] + snapshot[end:])
        assert refused(snapshot[:end] + snapshot[start:])


@pytest.mark.parametrize("data", [b"", b"S", b"PK\x03\x04" + bytes(100), b'{"user": "a"}\n' * 10, bytes(1000)], ids=len)
def test_a_foreign_file(refused: Callable[..., str], data: bytes) -> None:
    assert refused(data) == "it is no file of Sojourn's"


def test_another_version(snapshot: bytes, refused: Callable[..., str]) -> None:
    newer = snapshot[:8] + b"\x02\x00" + snapshot[10:]
    assert refused(newer) == "it is of format 2; this version of Sojourn reads format 1"


def test_another_tenant(snapshot: bytes, refused: Callable[..., str], rules_of: Compiled) -> None:
    assert refused(snapshot, rules_of(config() | {"tenant": "other"})) == "it is of tenant `test`, not of `other`"


@pytest.mark.parametrize("frames", [[], [(b"t", b"\x90")], [(b"?", b"what")], [(b"e", b"\x80")], [(b"c", b"\xff")]])
def test_whole_but_no_snapshot(
    tmp_path: Path, refused: Callable[..., str], frames: list[tuple[bytes, bytes]]
) -> None:
    path = tmp_path / "made"
    with new_file(path) as writer:
        for kind, data in frames:
            writer.write(kind, data)
    assert refused(path.read_bytes()).startswith("it ")


def test_no_file(rules_of: Compiled, tmp_path: Path) -> None:
    engine = Engine(rules_of(config()), Sent())
    with pytest.raises(SnapshotError, match=r"missing: No such file or directory$"):
        load(engine, tmp_path / "missing")
    with pytest.raises(SnapshotError, match=r"Is a directory$"):
        load(engine, tmp_path)


# ---- the file before is whole whatever happens to the new one


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failure_leaves_the_file_before(rules_of: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(rules_of(config()), Sent())
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


def test_a_folder_that_is_not_there(rules_of: Compiled, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="was not written: No such file or directory"):
        save(Engine(rules_of(config()), Sent()), tmp_path / "missing" / "snapshot")


CHILD = """
    import os, resource, signal, sys
    from pathlib import Path
    from runtime.config import load_tenant
    from runtime.engine import Engine
    from runtime.output import LineOutput
    from runtime.rules import compile_tenant
    from runtime.snapshot import SnapshotError, save

    folder, path, most_bytes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    engine = Engine(compile_tenant(load_tenant(folder)), LineOutput(wants_events=False))
    engine.process([b'{"user":"u%d","text":"%s"}' % (number, b"t" * 400) for number in range(12_000)], 10_000)
    if most_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    print(os.getpid(), flush=True)
    while True:
        try:
            save(engine, path)
        except SnapshotError as error:
            print(error, flush=True)
            break
"""


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """A process that writes a snapshot of about six megabytes again and again."""
    folder = tmp_path / "tenant"
    folder.mkdir()
    (folder / "sessionizer.yaml").write_text(json.dumps({"tenant": "test", **config()}))

    def started(path: Path, most_bytes: int = 0) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(folder), str(path), str(most_bytes)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    return started


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of the size of files")
def test_a_full_disk(rules_of: Compiled, tmp_path: Path, child: Callable[..., subprocess.Popen[str]]) -> None:
    path = tmp_path / "data" / "snapshot"
    path.parent.mkdir()
    save(Engine(rules_of(config()), Sent()), path)
    before = path.read_bytes()
    with child(path, most_bytes=2_000_000) as process:
        said, _ = process.communicate(timeout=120)
    assert said.splitlines()[1] == f"{path}: the snapshot was not written: File too large"
    assert path.read_bytes() == before
    assert parts(path.parent) == ["snapshot"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_while_it_writes(rules_of: Compiled, tmp_path: Path, child: Callable[..., subprocess.Popen[str]]) -> None:
    """At many moments of it: what is there is always a whole snapshot, the one before or the new one."""
    path = tmp_path / "data" / "snapshot"
    path.parent.mkdir()
    first = Engine(rules_of(config()), Sent())
    feed(first, events(50))
    save(first, path)
    with child(path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        seen = set()
        source = random.Random(9)
        while not {"part", "whole"} <= seen:
            process.send_signal(signal.SIGCONT)
            until = source.random() * 0.02
            pause(until)
            process.send_signal(signal.SIGSTOP)
            found = parts(path.parent)
            seen.add("part" if len(found) == 2 else "whole")
            engine = Engine(rules_of(config()), Sent())
            assert load(engine, path).sessions in (first.live_sessions, 12_000)
        process.kill()
    load(Engine(rules_of(config()), Sent()), path)
    assert parts(path.parent)[-1] == "snapshot"
    save(first, path)
    assert load(Engine(rules_of(config()), Sent()), path).sessions == first.live_sessions
