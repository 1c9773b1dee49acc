"""Events that make the clock, spread over workers: what leaves is what one engine gives, whatever came where."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.config import Late, load_tenant
from runtime.engine import Engine
from runtime.event import Refused
from runtime.fleet.clocks import Clocks
from runtime.fleet.cutting import cut
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes
from runtime.output import LineOutput
from runtime.rules import TenantRules, compile_tenant
from runtime.service.records import Heard, runs
from runtime.service.served import clock_of

Row = dict[str, Any]
START_MS = 1_000_000_000
FUTURE_MS = 60_000


def tenant(lateness: str, late: str, hot: int, *, source: bool = False) -> Row:
    """Visits with parts, by the time of `_timestamp_`, or of a field; `n` is decoded by workers alone."""
    at = "" if source else ", at as _timestamp_"
    time = {"domain": "event", "allowed_lateness": lateness, "late": late, "future": "60s", "idle_close": "30s"}
    return {
        "tenant": "shop",
        "events": {"Click": {"user": "string", "at": "long", "part": "string", "act": "string", "n": "int"}},
        "cache": {"hot": hot, "block_size": 64, "page_size": "4KiB"},
        "time": {**time, **({"source": "at"} if source else {})},
        "controller_text": f"@Session('Visit') select user as _pk_{at} from Click(user is not null);"
        f"@Passive @Session('Visit') select user as _pk_{at} from Click(act = 'ping');",
        "profiles": [
            {
                "name": "Visit",
                "type": 1,
                "gap": "10s",
                "max_active": "25s",
                "begin_marker": "VisitBegin",
                "end_marker": "VisitEnd",
                "rules_text": "@DecorateEvent select session.eventCount as events from Click;"
                "@UpdateCounter('n') select 1 from Click(n > 1); @EndSession select 1 from Click(act = 'end');"
                "@SubSession('Part') select part as _pk_ from Click;",
                "sub_sessions": [{"name": "Part", "gap": "4s", "end_marker": "PartEnd", "rules_text": ""}],
            }
        ],
    }


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], TenantRules]:
    """Compiles a tenant, once."""

    @lru_cache
    def of_text(text: str) -> TenantRules:
        folder: Path = tmp_path_factory.mktemp("tenant")
        (folder / "sessionizer.yaml").write_text(text)
        return compile_tenant(load_tenant(folder))

    return lambda config: of_text(json.dumps(config))


class Given:
    """What has left some engines, and what they have refused."""

    def __init__(self, rules: TenantRules, engines: int) -> None:
        self._outputs = [LineOutput() for _ in range(engines)]
        self.engines = [Engine(rules, output, **clock_of(rules)) for output in self._outputs]  # type: ignore[arg-type]
        self._all = Counter[object]()
        self._late = rules.config.time.late
        self._ids = set[str | None]()

    def refuse(self, refused: Refused, numbers: Sequence[int] | None, first_line: int) -> None:
        """Takes a dead letter, with its number in the batch."""
        number = refused.line if numbers is None else numbers[refused.line - first_line]
        self._all[number, refused.code, refused.raw] += 1

    def all(self) -> Counter[object]:
        """All of it, without an order."""
        for output in self._outputs:
            self._all.update(self._known(line) for line in output.take())
        return self._all

    def _known(self, line: bytes) -> object:
        """A line; a marker's id only has to be one of its own where late events have sessions of their own.

        Sessions of one key and time are told apart by what opened between them, and that may be elsewhere.
        """
        if self._late is not Late.NEW:
            return line
        fields = json.loads(line)
        marker_id = fields.pop("_snmk", None)
        assert marker_id is None or marker_id not in self._ids
        self._ids.add(marker_id)
        return json.dumps(fields)

    def close_idle(self, wall_ms: int) -> None:
        """A second has passed."""
        for engine in self.engines:
            engine.close_idle(wall_ms)

    def drain(self) -> None:
        """All sessions end."""
        for engine in self.engines:
            engine.drain()


class One(Given):
    """One engine for all events."""

    def __init__(self, rules: TenantRules) -> None:
        super().__init__(rules, 1)

    def take(self, lines: list[bytes], partition: int, wall_ms: int) -> None:
        """A batch comes."""
        refuse = lambda refused: self.refuse(refused, None, 1)  # noqa: E731
        self.engines[0].process(lines, partition=partition, wall_ms=wall_ms, refuse=refuse)


class Workers(Given):
    """Several engines, and the front before them."""

    def __init__(self, rules: TenantRules, workers: int) -> None:
        super().__init__(rules, workers)
        self._ring = Ring(workers)
        self.routes, self.clocks = Routes(rules, self._ring), Clocks()
        self._lateness_ms = rules.config.time.allowed_lateness_ms

    def take(self, lines: list[bytes], partition: int, wall_ms: int) -> None:
        """A batch comes: as `Desk` has it."""
        found = cut(self.routes, self._ring, self.clocks, lines, (), first_line=1, partition=partition, wall_ms=wall_ms)
        for share in found.shares:
            self._hear(share.worker, share.lines, share.heard, share.numbers, partition)
        if found.judged is not None:
            self.clocks.keep(found.judged)
            self._tell(self.clocks.untold(range(len(self.engines)), partition, self._lateness_ms))

    def tell(self) -> None:
        """A second has passed."""
        self._tell(self.clocks.all_untold(range(len(self.engines))))

    def begin_again(self) -> None:
        """The front dies; the next one has what workers know."""
        self.clocks = Clocks()
        for engine in self.engines:
            self.clocks.learn(engine.come_to())

    def _tell(self, heard: dict[int, Heard]) -> None:
        for worker, each in heard.items():
            self._hear(worker, [], each, [], 0)

    def _hear(
        self, worker: int, lines: list[bytes], heard: Heard | None, numbers: list[int] | None, partition: int
    ) -> None:
        assert heard is not None
        for begin, run, mark in runs(lines, heard):
            if mark is not None:
                self.engines[worker].hear(mark.partition, mark.highest_ms, mark.heard_ms)
            else:
                refuse = lambda refused: self.refuse(refused, numbers, 1)  # noqa: E731
                self.engines[worker].process(
                    run, partition=partition, wall_ms=heard.wall_ms, first_line=1 + begin, refuse=refuse
                )


# ---- the law

PAUSES = [0, 0, 1, 300, 999, 1000, 4000, 9999, 10_000, 15_000]
BEHIND = [0, 0, 0, 0, 1, 700, 2000, 3000, 4001, 9000, 12_000, 40_000, -FUTURE_MS, -FUTURE_MS - 1, -3_600_000]
CLICKS = st.tuples(
    st.sampled_from("abcdefgh"),
    st.sampled_from(PAUSES),
    st.sampled_from([*BEHIND, None]),
    st.sampled_from([{}, {}, {"part": "x"}, {"part": "y", "n": 2}, {"act": "ping"}, {"act": "end"}, {"n": "odd"}]),
)
ODD = st.sampled_from([b"", b"{", b'{"act": "of nobody", "at": 2000000000}', b'{"user": 7}'])
BATCHES = st.lists(
    st.tuples(
        st.lists(st.one_of(CLICKS, CLICKS, CLICKS, CLICKS, CLICKS, ODD), max_size=8),
        st.sampled_from([0, 0, 1, 900, 5000, 29_999, 30_000]),
        st.booleans(),
    ),
    max_size=8,
)


def streamed(batches: list[Any]) -> list[tuple[list[bytes], int, bool]]:
    """The batches as lines, each with the wall clock when it comes, and whether the front begins again before it."""
    found, now_ms, wall_ms = [], START_MS, START_MS
    for events, pause_ms, begins_again in batches:
        wall_ms += pause_ms
        lines = []
        for event in events:
            if isinstance(event, bytes):
                lines.append(event)
                continue
            user, apart_ms, behind_ms, more = event
            now_ms += apart_ms
            at = {} if behind_ms is None else {"at": (wall_ms if behind_ms < 0 else now_ms) - behind_ms}
            lines.append(json.dumps({"user": user, **at, **more}).encode())
        found.append((lines, wall_ms, begins_again))
    return found


LATE = st.sampled_from(["extend", "new", "drop", "dead_letter"])


@pytest.mark.parametrize("lateness", ["0s", "3s"])
@given(batches=BATCHES, late=LATE, hot=st.sampled_from([0, 3, 1000]), source=st.booleans(), workers=st.integers(2, 3))
def test_workers_give_what_one_engine_gives(
    compiled: Callable[[Row], TenantRules],
    lateness: str,
    batches: list[Any],
    late: str,
    hot: int,
    source: bool,
    workers: int,
) -> None:
    rules = compiled(tenant(lateness, late, hot, source=source))
    one, several = One(rules), Workers(rules, workers)
    wall_ms = START_MS
    for lines, wall_ms, begins_again in streamed(batches):
        one.close_idle(wall_ms)
        several.close_idle(wall_ms)
        if begins_again:
            several.begin_again()
        one.take(lines, 0, wall_ms)
        several.take(lines, 0, wall_ms)
        several.tell()
        assert several.all() == one.all()
    for each in (one, several):
        each.close_idle(wall_ms + 30_000)
    assert several.all() == one.all()
    one.drain()
    several.drain()
    assert several.all() == one.all()


@given(
    st.lists(
        st.tuples(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-15, 15)), max_size=4), st.integers(0, 2)),
        max_size=12,
    )
)
def test_each_partition_has_its_clock(compiled: Callable[[Row], TenantRules], batches: list[Any]) -> None:
    """A session may begin in one and go on in another."""
    rules = compiled(tenant("0s", "dead_letter", 1000))
    one, several = One(rules), Workers(rules, 2)
    number = 0
    for clicks, partition in batches:
        lines = []
        for user, seconds in clicks:
            number += 1  # no two events have one time
            at = START_MS + number * 3001 + seconds * 1000 - partition * 20_000
            lines.append(json.dumps({"user": user, "at": at}).encode())
        for each in (one, several):
            each.take(lines, partition, START_MS)
        several.tell()
        assert several.all() == one.all()


# ---- whose events are others'


@pytest.fixture
def pair(compiled: Callable[[Row], TenantRules]) -> Callable[[str], tuple[One, Workers, str, str]]:
    """One engine and two workers for a lateness, and a user of each worker."""

    def made(lateness: str) -> tuple[One, Workers, str, str]:
        rules = compiled(tenant(lateness, "dead_letter", 1000))
        several = Workers(rules, 2)
        users = [next(user for user in "abcdefgh" if several.routes.owner("Visit", user) == each) for each in (0, 1)]
        return One(rules), several, users[0], users[1]

    return made


Pair = Callable[[str], tuple[One, Workers, str, str]]


def click(user: str, at: int | None) -> list[bytes]:
    """A batch of one event, so long after the start."""
    return [json.dumps({"user": user, **({} if at is None else {"at": START_MS + at})}).encode()]


def test_sessions_of_a_quiet_worker_end_by_the_events_of_others(pair: Pair) -> None:
    one, several, quiet, other = pair("0s")
    for user, at in ((quiet, 0), (other, 5000), (other, 11_000)):
        one.take(click(user, at), 0, START_MS)
        several.take(click(user, at), 0, START_MS)
        assert several.all() == one.all()
    assert [engine.live_sessions for engine in several.engines] == [0, 1]


def test_what_waits_in_a_quiet_worker_has_its_turn_by_the_events_of_others(pair: Pair) -> None:
    one, several, quiet, other = pair("3s")
    for user, at in ((quiet, 1500), (other, 4000), (other, 4600)):
        one.take(click(user, at), 0, START_MS)
        several.take(click(user, at), 0, START_MS)
    assert not several.all() and one.all()
    several.tell()
    assert several.all() == one.all()


def test_a_partition_is_not_idle_where_others_have_its_events(pair: Pair) -> None:
    one, several, quiet, other = pair("0s")
    for user, at, wall_ms in ((quiet, 0, 0), (other, 100, 29_000), (other, 50, 40_000)):
        one.take(click(user, at), 0, START_MS + wall_ms)
        several.take(click(user, at), 0, START_MS + wall_ms)
        several.tell()
        for each in (one, several):
            each.close_idle(START_MS + wall_ms + 29_999)
        assert several.all() == one.all()
    assert [engine.live_sessions for engine in several.engines] == [1, 1]


def test_what_is_too_far_ahead_for_a_worker_alone(pair: Pair) -> None:
    """The wall clock steps back, and one clock of the events is where no event could bring it any more."""
    one, several, first, other = pair("0s")
    for user, at, wall_ms in ((first, 1000, 1000), (first, 1500, 1500), (other, 1500, 0)):
        one.take(click(user, FUTURE_MS + at), 0, START_MS + wall_ms)
        several.take(click(user, FUTURE_MS + at), 0, START_MS + wall_ms)
    assert several.all() == one.all()


def test_what_is_in_order_needs_no_marks(pair: Pair) -> None:
    _, several, first, other = pair("0s")
    routes, clocks = several.routes, several.clocks
    lines = [line for at in range(50) for user in (first, other) for line in click(user, at)]
    found = cut(routes, Ring(2), clocks, lines, (), first_line=1, partition=0, wall_ms=START_MS)
    assert [len(share.heard.marks) for share in found.shares if share.heard] == [1, 1]


def test_what_is_not_given_has_not_come(pair: Pair) -> None:
    one, several, first, other = pair("0s")
    cut(several.routes, Ring(2), several.clocks, click(first, 9000), (), first_line=1, partition=0, wall_ms=START_MS)
    for each in (one, several):
        each.take(click(other, 1000), 0, START_MS)
        each.take(click(first, 1000), 0, START_MS)
    assert several.all() == one.all()
