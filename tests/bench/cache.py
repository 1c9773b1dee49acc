"""What live sessions cost the events of others: the shop's rules over more and more of them, and the longest pause.

    python tests/bench/cache.py                               10,000 to 10,000,000 sessions; wants 3 GB
    python tests/bench/cache.py --sessions 10000 100000       as many as there is time for
    python tests/bench/cache.py --steady 5000000              sessions that begin and end all the time

Each number has a process of its own. Times are CPU time in µs an event, medians over batches of 1,000 events; ratios
are to the first number of sessions, which takes its turns in the same process: 20 batches, then 20 of the other.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from epl.structs import replace
from runtime.bench.memory import resident_bytes
from runtime.bench.own_process import OnProgress, in_own_process
from runtime.bench.shop import key_of
from runtime.config import load_tenant
from runtime.engine import Clock, Engine
from runtime.output import LineOutput
from runtime.rules import compile_tenant

SHOP = Path(__file__).parents[2] / "examples" / "shop"
BATCH = 1_000
TURNS = 11
IN_A_TURN = 20
START_MS = 1_767_618_000_000
LINE = (
    '{"user_id":"%s","ts":%d,"et":"view","url":"https://shop.example/p/%d","device":"mobile","browser":"Firefox",'
    '"os":"Linux","country":"DE","city":"Berlin","item":"sku-%05d"}'
)


class Away(LineOutput):
    """Makes the lines of markers, and keeps none."""

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        super().marker(fields, now_ms)
        self.take()

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        self.marker(fields, now_ms)
        return True


def shop(gap_s: int, hot: int) -> Engine:
    config = load_tenant(SHOP)
    (visit,) = config.profiles
    config = replace(
        config,
        limits=replace(config.limits, max_idle_ms=gap_s * 1_000),
        cache=replace(config.cache, hot=hot, memory=16 << 30),
        profiles=(replace(visit, gap_ms=gap_s * 1_000),),
    )
    return Engine(compile_tenant(config), Away(wants_events=False), clock=Clock.EVENT_TIME)


def events(numbers: Iterator[int], first: int, events_a_ms: int) -> list[bytes]:
    return [
        (LINE % (key_of(number), START_MS + (first + place) // events_a_ms, number % 5000, number % 5000)).encode()
        for place, number in enumerate(numbers)
    ]


def timed(engine: Engine, lines: list[bytes]) -> float:
    began = time.process_time()
    engine.process(lines)
    return (time.process_time() - began) / len(lines) * 1e6


class Users:
    """So many users with a live session each, and what events of theirs cost."""

    def __init__(self, number: int, hot: int) -> None:
        self._engine = shop(gap_s=7_000, hot=hot)
        self._done = 0
        self.number = number
        for first in range(0, number, BATCH):
            self.timed(range(first, min(first + BATCH, number)))
        self.live_sessions = self._engine.live_sessions

    def timed(self, numbers: Iterable[int]) -> float:
        """µs an event of the users of these numbers."""
        lines = events(iter(numbers), self._done, 10)
        self._done += len(lines)
        return timed(self._engine, lines)

    def batches(self, among: int, generator: random.Random) -> list[float]:
        """µs an event, in batches of any of the first so many users."""
        return [self.timed(generator.randrange(among) for _ in range(BATCH)) for _ in range(IN_A_TURN)]


def at(job: tuple[int, int, int], on_progress: OnProgress) -> dict[str, float]:
    """Events of users who are there already, any of them or a few, in turns with those of the first number of users."""
    sessions, least, hot = job
    users = Users(sessions, hot)
    figures: dict[str, float] = {"sessions": users.live_sessions, "rss_bytes": resident_bytes()}
    beside = Users(least, hot)
    generator = random.Random(5)
    for name, few in (("random", sessions), ("few", 2_000)):
        costs: list[float] = []
        ratios = []
        for _ in range(TURNS):
            mine = users.batches(min(few, users.number), generator)
            theirs = beside.batches(min(few, beside.number), generator)
            ratios.append(median(mine) / median(theirs))
            costs += mine
        figures[f"{name}_us"] = median(costs)
        figures[f"{name}_ratio"] = median(ratios)
    return figures


def steady(job: tuple[int, int], on_progress: OnProgress) -> dict[str, float]:
    """Each event begins a session, and one ends: the slowest batch beside the median."""
    sessions, hot = job
    gap_s = 5_000
    events_a_ms = max(sessions // (gap_s * 1_000), 1)
    engine = shop(gap_s=max(sessions // events_a_ms // 1_000, 1), hot=hot)
    costs = []
    batches = sessions // BATCH
    for number in range(batches + max(batches // 5, 500)):
        lines = events(iter(range(number * BATCH, (number + 1) * BATCH)), number * BATCH, events_a_ms)
        cost = timed(engine, lines)
        if number >= batches:
            costs.append(cost)
    return {
        "sessions": engine.live_sessions,
        "rss_bytes": resident_bytes(),
        "median_us": median(costs),
        "slowest_us": max(costs),
        "ratio": max(costs) / median(costs),
    }


def _quietly(what: str, share: float) -> None:
    """Tells nobody."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="*", default=[10_000, 100_000, 1_000_000, 5_000_000, 10_000_000])
    parser.add_argument("--steady", type=int, help="live sessions of a run in which they begin and end all the time")
    parser.add_argument("--hot", type=int, default=100_000, help="sessions kept as objects")
    options = parser.parse_args()
    if options.steady:
        found = in_own_process(steady, (options.steady, options.hot), _quietly)
        print(
            f"{found['sessions']:,} sessions: median {found['median_us']:.1f} µs an event, slowest batch "
            f"{found['slowest_us']:.1f} ({found['ratio']:.1f} times the median), {found['rss_bytes'] / 1e6:,.0f} MB"
        )
    else:
        print(f"{'sessions':>12} {'MB':>8} {'any user':>10} {'ratio':>6} {'few users':>10} {'ratio':>6}")
        for number in options.sessions:
            found = in_own_process(at, (number, options.sessions[0], options.hot), _quietly)
            print(
                f"{found['sessions']:>12,} {found['rss_bytes'] / 1e6:>8,.0f}"
                f" {found['random_us']:>10.2f} {found['random_ratio']:>6.2f}"
                f" {found['few_us']:>10.2f} {found['few_ratio']:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
