"""Several processes as one service: whose events are whose, and what goes on when one of them dies."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.engine import Clock, Engine
from runtime.fleet.front import WorkersCannotBegin
from runtime.output import LineOutput
from runtime.rules import compile_tenant
from runtime.service import StateTaken
from runtime.service.host import wall_ms
from tests.service.killing import written
from tests.service.running import NDJSON, click, lines_of, wait_for

from .fronts import LONG, SHORT, Fleet, write_tenant

Start = Callable[..., Fleet]


def ends_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The end markers among lines."""
    return [each for each in lines if "_snec" in each]


USERS = [f"user-{number}" for number in range(40)]


def test_each_worker_has_sessions_of_its_own_and_no_event_comes_twice(start: Start) -> None:
    fleet = start(SHORT)
    for _ in range(3):
        assert fleet.send([click(user) for user in USERS])["accepted"] == len(USERS)
    wait_for(lambda: len(ends_of(fleet.out())) == len(USERS))
    assert {each["_snec"] for each in ends_of(fleet.out())} == {3}
    owners = [{each["_snid"] for each in ends_of(fleet.out_of(worker))} for worker in (0, 1)]
    assert all(owners) and not owners[0] & owners[1]
    assert sum("clicks" in each for each in fleet.out()) == 3 * len(USERS)


def test_dead_letters_have_the_numbers_of_the_batch(start: Start) -> None:
    fleet = start(SHORT)
    lines = lines_of([click(user) for user in USERS]).splitlines(keepends=True)
    for place in (3, 17, 30):
        lines.insert(place, b'{"user": 7}\n')
    answer = fleet.ingest.post("/v1/events/shop", content=b"".join(lines), headers=NDJSON).json()
    assert (answer["accepted"], answer["dead_lettered"]) == (len(USERS), 3)
    assert [each["line"] for each in answer["dead_letters"]] == [4, 18, 31]
    assert sorted(each["line"] for each in fleet.letters()) == [4, 18, 31]


BY_EVENTS: dict[str, Any] = {
    **SHORT,
    "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);",
    "events": {"Click": {"user": "string", "at": "long"}},
    "time": {"domain": "event", "allowed_lateness": "2s", "late": "dead_letter"},
}
"""The shop by the times of its events, each of which waits for two seconds of the others'."""


def given_by_one(folder: Path, events: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What leaves one engine for events, in any order, and how many become dead letters."""
    rules, output, refused = compile_tenant(load_tenant(folder)), LineOutput(), list[object]()
    engine = Engine(rules, output, clock=Clock.EVENT_TIME)
    engine.process(lines_of(events).splitlines(), wall_ms=wall_ms(), refuse=refused.append)
    return sorted(line.decode() for line in output.take()), len(refused)


def left(fleet: Fleet) -> list[str]:
    """What has left all workers, in any order."""
    lines = (line for worker in (0, 1) for line in written(fleet.state / "workers" / str(worker), "out"))
    return sorted(line.decode() for line in lines)


def test_workers_have_one_clock_where_events_make_it_whoever_dies(start: Start, tmp_path: Path) -> None:
    random = Random(1)
    users = [random.choice(USERS) for _ in range(240)]
    events = [click(user, at=10_000 + n * 250 - random.choice((0, 0, 1500, 4000))) for n, user in enumerate(users)]
    fleet = start(BY_EVENTS)
    expected, late = given_by_one(tmp_path / "shop", events)
    fleet.send(events[:60])
    fleet.kill(0)
    fleet.send(events[60:180])
    fleet.stop()
    again = start()
    for at in range(180, 240, 4):
        again.send(events[at : at + 4])
    wait_for(lambda: left(again) == expected, 30)
    assert late and len(again.letters()) == late
    assert all(again.out_of(worker) for worker in (0, 1))


def test_a_session_goes_on_when_its_worker_dies(start: Start) -> None:
    fleet = start(LONG)
    fleet.send([click(user) for user in USERS])
    for worker in (0, 1):
        fleet.kill(worker)
        fleet.send([click(user) for user in USERS])
    clicks = Counter(each["clicks"] for each in fleet.out() if "clicks" in each)
    assert clicks == {1: len(USERS), 2: len(USERS), 3: len(USERS)}
    assert [each.restarts for each in fleet.front.controls.workers()] == [1, 1]


def test_sessions_go_on_after_a_stop(start: Start) -> None:
    first = start(LONG)
    first.send([click(user) for user in USERS])
    assert first.stop() == 0
    assert len(list(first.state.glob("workers/*/log/shop/*.snapshot"))) == 2
    again = start()
    again.send([click(user) for user in USERS])
    assert Counter(each["clicks"] for each in again.out() if "clicks" in each) == {1: len(USERS), 2: len(USERS)}


def test_who_waits_for_a_worker_that_does_not_answer_is_told_when_the_service_ends(start: Start) -> None:
    fleet = start(LONG, service="stop_time: 2s")
    pid = fleet.front.controls.workers()[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor() as thread:
        waiting = thread.submit(fleet.send, [click(user) for user in USERS], status=504)
        wait_for(lambda: fleet.front.controls.workers()[0].waiting_lines)
        fleet.stop()
        assert "wait still" in waiting.result()["error"]


def test_a_pause_outlives_the_processes(start: Start) -> None:
    first = start(LONG)
    first.order("/pause")
    assert "is paused" in first.send([click("ann")], status=503)["error"]
    first.stop()
    again = start()
    again.send([click("ann")], status=503)
    again.order("/resume")
    again.send([click("ann")])


def test_sessions_stay_where_so_many_workers_have_put_them(start: Start, tmp_path: Path) -> None:
    start(LONG).stop()
    with pytest.raises(StateTaken, match="those of 2 workers: --workers 2"):
        start(workers=3)


def test_sessions_of_one_process_are_not_split(start: Start, tmp_path: Path) -> None:
    (tmp_path / "state/log/shop").mkdir(parents=True)
    (tmp_path / "state/log/shop/0000000001.log").touch()
    with pytest.raises(StateTaken, match="those of one process"):
        start(LONG)


def test_what_a_worker_cannot_go_on_from_is_said(start: Start) -> None:
    first = start(LONG)
    first.send([click(user) for user in USERS])
    first.stop()
    for each in first.state.glob("workers/1/log/shop/*.snapshot"):
        each.write_bytes(b"damaged")
    with pytest.raises(WorkersCannotBegin, match=r"worker 1: .*snapshot"):
        start().stop()


def test_lines_that_are_followed_are_taken_once_whoever_dies(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(lines_of([click(user) for user in USERS]))
    follow = f"tenants: [{{name: shop, follow: [{{file: {log}}}]}}]"
    first = start(LONG, service=follow)
    wait_for(lambda: sum("clicks" in each for each in first.out()) == len(USERS))
    first.kill(1)
    with log.open("ab") as file:
        file.write(lines_of([click(user) for user in USERS]))
    wait_for(lambda: sum("clicks" in each for each in first.out()) == 2 * len(USERS))
    first.stop()
    with log.open("ab") as file:
        file.write(lines_of([click(user) for user in USERS]))
    again = start(service=follow)
    wait_for(lambda: sum("clicks" in each for each in again.out()) == 3 * len(USERS))
    assert Counter(each["clicks"] for each in again.out() if "clicks" in each) == dict.fromkeys((1, 2, 3), len(USERS))


# ---- other rules


def with_rule(config: dict[str, Any], rule: str) -> dict[str, Any]:
    """The tenant with a rule more."""
    profile = config["profiles"][0]
    return {**config, "profiles": [{**profile, "rules_text": profile["rules_text"] + rule}]}


MORE = with_rule(LONG, "@DecorateEvent select 2 as version from Click;")


def versions_seen(fleet: Fleet) -> Counter[object]:
    """How many events have which version of the rules."""
    return Counter(each.get("version") for each in fleet.out() if "clicks" in each)


def test_all_workers_run_other_rules(start: Start, tmp_path: Path) -> None:
    fleet = start(LONG)
    fleet.send([click(user) for user in USERS])
    write_tenant(tmp_path, MORE)
    wait_for(lambda: fleet.front.reloader.histories["shop"].last)
    outcome = fleet.front.reloader.histories["shop"].last
    assert outcome is not None and (outcome.result, outcome.sessions, outcome.version) == ("reloaded", len(USERS), 2)
    fleet.send([click(user) for user in USERS])
    assert versions_seen(fleet) == {None: len(USERS), 2: len(USERS)}
    assert {each["clicks"] for each in fleet.out() if each.get("version") == 2} == {2}


def test_rules_that_one_worker_refuses_run_at_none(start: Start, tmp_path: Path) -> None:
    fleet = start(LONG)
    fleet.send([click("ann")])
    other = {**LONG["profiles"][0], "name": "Other"}
    controller = "@Session('Other') select user as _pk_ from Click(user is not null);"
    write_tenant(tmp_path, {**LONG, "controller_text": controller, "profiles": [other]})
    wait_for(lambda: fleet.front.reloader.histories["shop"].last)
    refused = fleet.order("/reload", status=409)
    assert (refused["result"], refused["version"]) == ("refused", 1)
    fleet.send([click("ann")])
    assert Counter(each["clicks"] for each in fleet.out() if "clicks" in each) == {1: 1, 2: 1}
    assert fleet.order("/reload", {"force": True})["dropped_sessions"] == 1


def test_a_worker_that_dies_comes_back_with_the_rules_of_now(start: Start, tmp_path: Path) -> None:
    fleet = start(LONG)
    fleet.send([click(user) for user in USERS])
    write_tenant(tmp_path, MORE)
    wait_for(lambda: fleet.front.reloader.histories["shop"].last)
    fleet.kill(0)
    fleet.send([click(user) for user in USERS])
    assert versions_seen(fleet) == {None: len(USERS), 2: len(USERS)}
    assert fleet.order("/rollback", {"version": 1})["version"] == 1
    fleet.kill(1)
    fleet.send([click(user) for user in USERS])
    assert versions_seen(fleet) == {None: 2 * len(USERS), 2: len(USERS)}


def test_a_tenant_that_is_split_stays_split_unless_forced(start: Start, tmp_path: Path) -> None:
    fleet = start(LONG)
    markers = {"begin_marker": "OtherBegin", "end_marker": "OtherEnd"}
    profiles = [*LONG["profiles"], {**LONG["profiles"][0], **markers, "name": "Other", "type": 2}]
    controller = LONG["controller_text"] + "@Session('Other') select page as _pk_ from Click(page is not null);"
    write_tenant(tmp_path, {**LONG, "controller_text": controller, "profiles": profiles})
    wait_for(lambda: fleet.front.reloader.histories["shop"].last)
    assert "one worker would own all its keys" in fleet.order("/reload", status=409)["reason"]
    assert fleet.order("/reload", {"force": True})["result"] == "reloaded"
