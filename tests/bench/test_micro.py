"""The small pieces that an event is made of, timed by themselves: a name says what one iteration is.

With the other tests each runs once, for its answer. To measure, on a quiet machine, and compare with the last time:

    python -m pytest tests/bench --benchmark-enable [--benchmark-autosave] [--benchmark-compare]
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from epl import Environment, EventType, Source, Stage, check, compile_program, parse, session_layout, types
from epl.compiler import Handler
from runtime.cache import NOWHERE_MS, Cache
from runtime.config import CacheConfig, load_tenant
from runtime.engine import Engine
from runtime.markers import Marker
from runtime.output import LineOutput, decorated, to_json
from runtime.profile import Profile
from runtime.rules import compile_tenant
from runtime.session import MainSession, session_class

SHOP = Path(__file__).parents[2] / "examples" / "shop"
START_MS = 1_767_600_000_000
HOUR_MS = 3_600_000
VIEW = {
    "_type": "ShopEvent",
    "user_id": "u000076",
    "ts": START_MS,
    "et": "view",
    "url": "https://shop.example/p/sku-00465",
    "device": "phone",
    "browser": "Safari",
    "os": "iOS",
    "country": "DE",
    "city": "Berlin",
    "ua": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15",
    "item": "sku-00465",
    "price": 161.99,
}
LINE = json.dumps(VIEW, separators=(",", ":")).encode()


@pytest.fixture
def output() -> LineOutput:
    """What left the engine of the shop."""
    return LineOutput()


@pytest.fixture
def engine(output: LineOutput) -> Engine:
    """An engine of the shop's rules, whose clock the test moves."""
    return Engine(compile_tenant(load_tenant(SHOP)), output)


@pytest.fixture
def visit(engine: Engine) -> Profile:
    """The shop's profile, with a live session of the user of LINE."""
    engine.process([LINE], START_MS)
    return engine.profiles[0]


def live(visit: Profile) -> MainSession:
    session = visit.table.get(VIEW["user_id"])
    assert session is not None
    return session


def marker(found: Marker | None) -> Marker:
    assert found is not None
    return found


def test_an_event_decoded(benchmark: BenchmarkFixture, engine: Engine) -> None:
    event = benchmark(engine.decoder.decode, LINE)
    assert (event.user_id, event.et, event.price) == ("u000076", "view", 161.99)


def test_a_rule_called_whose_filter_has_four_terms(benchmark: BenchmarkFixture) -> None:
    fields = {"et": types.STRING, "price": types.DOUBLE, "quantity": types.INT, "item": types.STRING}
    rule = "@UpdateCounter('n') select 1 from E(et = 'view', price > 10, quantity between 1 and 9, item is not null);"
    checked = check(
        parse(Source("four", rule)), Environment(stage=Stage.MAIN, event_types={"E": EventType("E", fields)})
    )
    assert not checked.problems
    layout = session_layout(checked.attributes)
    handler: Handler = compile_program(checked.program, layout).handlers["E"]
    session = session_class(MainSession, layout, 0).begin("key", START_MS, START_MS, HOUR_MS)

    class E:
        et, price, quantity, item = "view", 161.99, 2, "sku-00465"

    benchmark(handler, E, session, None, START_MS, None)
    assert session.st_n >= 1


@pytest.mark.parametrize("rules", [7, 100])
def test_many_rules_called_of_which_five_match(benchmark: BenchmarkFixture, rules: int) -> None:
    kinds = ["view"] * 5 + [f"kind{number}" for number in range(rules - 5)]
    text = "".join(f"@UpdateCounter('n') select 1 from E(et = '{kind}');" for kind in kinds)
    event_types = {"E": EventType("E", {"et": types.STRING})}
    checked = check(parse(Source("many", text)), Environment(stage=Stage.MAIN, event_types=event_types))
    layout = session_layout(checked.attributes)
    handler: Handler = compile_program(checked.program, layout, guarded=True).handlers["E"]
    session = session_class(MainSession, layout, 0).begin("key", START_MS, START_MS, HOUR_MS)

    class E:
        et = "view"

    benchmark(handler, E, session, None, START_MS, None)
    assert session.st_n % 5 == 0


def test_an_event_through_all_rules_of_the_shops_visit(
    benchmark: BenchmarkFixture, engine: Engine, visit: Profile
) -> None:
    event = engine.decoder.decode(LINE)
    handler = visit.handlers[type(event)]
    session = live(visit)
    views = session.st_views
    decorations = benchmark(handler, event, session, None, START_MS, engine._effects)
    assert decorations == {"visit_id": session.session_id, "visit_event": 1}
    assert session.st_views > views


def test_an_event_that_begins_a_session_which_then_ends(
    benchmark: BenchmarkFixture, engine: Engine, output: LineOutput
) -> None:
    """Decoded and through all stages, two markers, and an hour that goes by."""
    times_ms = count(START_MS, HOUR_MS)

    def begun_and_ended() -> list[bytes]:
        now_ms = next(times_ms)
        engine.process([LINE], now_ms)
        engine.advance(now_ms + HOUR_MS)
        return output.take()

    sent = benchmark(begun_and_ended)
    assert [json.loads(line)["_type"] for line in sent] == ["VisitBegin", "ShopEvent", "VisitEnd"]
    assert engine.live_sessions == 0


def test_an_end_marker_made_and_encoded(benchmark: BenchmarkFixture, visit: Profile) -> None:
    session, end = live(visit), marker(visit.end_marker)
    line = benchmark(lambda: to_json(end.end(session, "gap")))
    assert json.loads(line)["_snid"] == session.session_id


def test_two_decorations_spliced_into_a_line(benchmark: BenchmarkFixture) -> None:
    line = benchmark(decorated, LINE, {"visit_id": "u0000760000019b8d2b8c00", "visit_event": 12})
    assert json.loads(line) == {**VIEW, "visit_id": "u0000760000019b8d2b8c00", "visit_event": 12}


def test_100_sessions_scheduled_within_a_minute_and_taken(
    benchmark: BenchmarkFixture, made: Callable[[int], list[Any]]
) -> None:
    wheel, sessions = Cache(CacheConfig()).add_wheel(), made(100)

    def scheduled_and_taken() -> int:
        for place, session in enumerate(sessions):
            wheel.schedule(session, START_MS + place * 600)
        return len(wheel.take(START_MS + HOUR_MS))

    assert benchmark(scheduled_and_taken) == 100
    assert {session.due_ms for session in sessions} == {NOWHERE_MS}


@pytest.fixture
def made(visit: Profile) -> Callable[[int], list[Any]]:
    """Sessions of the shop that stand in no wheel."""
    return lambda size: [visit.make(f"u{number}", START_MS, START_MS, HOUR_MS) for number in range(size)]
