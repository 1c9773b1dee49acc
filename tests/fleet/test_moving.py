"""A start with another number of workers: sessions are where their events come, and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from runtime.config import load_tenant
from runtime.config.service import load_service
from runtime.fleet.moving import move
from runtime.rules import compile_tenant
from runtime.service import StateTaken
from tests.service.killing import written
from tests.service.running import NDJSON, Receiver, Running, click, full_after, lines_of, wait_for

from .fronts import LONG, Fleet, write_tenant
from .test_front import BY_EVENTS, USERS, given_by_one
from .test_kill import children, kill
from .test_ways_in import command, greeting


def with_workers(number: int | None, *more: str) -> tuple[str, ...]:
    """The options of a start."""
    return (*(() if number is None else ("--workers", str(number))), *more)


def events_of(state: Path) -> list[dict[str, Any]]:
    """The events that have left, each with how many its session has had."""
    return [event for line in written(state, "out") if "clicks" in (event := json.loads(line))]


def said_by(folder: Path, *more: str) -> tuple[int, str]:
    """What a start comes to that does not begin, and what it says."""
    with command(folder, *more) as process:
        _, said = process.communicate(timeout=60)
    assert b"Traceback" not in said
    return process.returncode, " ".join(said.decode().split())


def test_sessions_go_on_with_another_number_of_workers(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    state = tmp_path / "state"
    told = []
    for life, number in enumerate((None, 3, 2, None), 1):
        with command(tmp_path, *with_workers(number)) as process:
            ingest, monitor = greeting(process)
            body = lines_of([click(user) for user in USERS])
            assert httpx.post(f"{ingest}/v1/events/shop", content=body, headers=NDJSON).status_code == 200
            tenant = httpx.get(f"{monitor}/api/v1/tenants/shop").json()
            assert tenant["live_sessions"] == len(USERS)
            assert tenant["events"] == life * len(USERS)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0
        told += [json.loads(line) for line in said.splitlines() if b"sessions have moved" in line]
    clicks = {user: [each["clicks"] for each in events_of(state) if each["user"] == user] for user in USERS}
    assert all(sorted(each) == [1, 2, 3, 4] for each in clicks.values())
    ways = [("one process", "3 workers"), ("3 workers", "2 workers"), ("2 workers", "one process")]
    assert [(each["from"], each["to"]) for each in told] == ways
    assert {each["sessions"] for each in told} == {len(USERS)}
    assert not list(state.glob("workers/*/log"))
    assert list(state.glob("workers/*/out/shop.ndjson")), "what has left stays where it is"


def test_all_tenants_move(start: Callable[..., Fleet], tmp_path: Path) -> None:
    tenants = ("app", "shop")
    fleet = start(LONG, {**LONG, "tenant": "app"})
    for tenant in tenants:
        fleet.send([click(user) for user in USERS], tenant)
    fleet.close()
    rules = [compile_tenant(load_tenant(tmp_path / tenant)) for tenant in tenants]
    move(rules, fleet.front.config, fleet.state, 3)
    fleet = start(workers=3)
    for tenant in tenants:
        fleet.send([click(user) for user in USERS], tenant)
        clicks = [(each["user"], each["clicks"]) for each in fleet.out(tenant) if "clicks" in each]
        assert sorted(clicks) == sorted((user, number) for user in USERS for number in (1, 2))


def test_events_that_wait_and_their_clock_move_along(start: Callable[..., Fleet], tmp_path: Path) -> None:
    random = Random(1)
    users = [random.choice(USERS) for _ in range(180)]
    events = [click(user, at=10_000 + n * 250 - random.choice((0, 0, 1500, 4000))) for n, user in enumerate(users)]
    # Their wall clocks are not the same.
    tenant = {**BY_EVENTS, "time": {**BY_EVENTS["time"], "idle_close": "1000000h"}}
    write_tenant(tmp_path, tenant)
    expected, late = given_by_one(tmp_path / "shop", events)
    state, alone = tmp_path / "state", tmp_path / "alone"
    alone.mkdir()
    first = Running(alone, [tenant], "", state)
    first.send(events[:60])
    first.close()
    for number, begin in ((2, 60), (None, 120)):
        rules = compile_tenant(load_tenant(tmp_path / "shop"))
        move([rules], load_service(alone / "service.yaml"), state, number)
        going = Running(alone, [tenant], "", state) if number is None else start(workers=number)
        going.send(events[begin : begin + 60])
        going.close()
    assert sorted(line.decode() for line in written(state, "out")) == expected
    assert late and len(written(state, "dead-letters")) == late


def test_what_workers_had_not_taken_is_taken_once(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    followed = tmp_path / "events.ndjson"
    followed.write_bytes(b"")
    (tmp_path / "service.yaml").write_text(f"tenants: [{{name: shop, follow: [{{file: '{followed}'}}]}}]")
    state = tmp_path / "state"
    with command(tmp_path, *with_workers(2, "--config", "service.yaml")) as process:
        greeting(process)
        stopped, going = sorted(children(process.pid))
        os.kill(stopped, signal.SIGSTOP)
        followed.write_bytes(lines_of([click(user) for user in USERS]))
        journal = state / "front" / "shop"
        wait_for(lambda: any(USERS[-1].encode() in each.read_bytes() for each in journal.glob("*.log")))
        wait_for(lambda: events_of(state))
        kill(process.pid, stopped, going)
    assert len(events_of(state)) < len(USERS)
    with command(tmp_path, *with_workers(3, "--config", "service.yaml")) as process:
        ingest, _ = greeting(process)
        body = lines_of([click(user) for user in USERS])
        assert httpx.post(f"{ingest}/v1/events/shop", content=body, headers=NDJSON).status_code == 200
    found = sorted((each["user"], each["clicks"]) for each in events_of(state))
    assert found == sorted((user, number) for user in USERS for number in (1, 2))


@pytest.mark.parametrize(("before", "after"), [(None, 2), (2, None), (2, 3)])
def test_what_left_is_delivered_first(
    tmp_path: Path, receiver: Receiver, before: int | None, after: int | None
) -> None:
    write_tenant(tmp_path, LONG)
    shop = f"{{name: shop, http: [{{url: '{receiver.url}'}}]}}"
    (tmp_path / "service.yaml").write_text(f"{{stop_time: 1s, tenants: [{shop}]}}")
    receiver.status = 503
    with command(tmp_path, *with_workers(before, "--config", "service.yaml")) as process:
        ingest, _ = greeting(process)
        body = lines_of([click(user) for user in USERS])
        assert httpx.post(f"{ingest}/v1/events/shop", content=body, headers=NDJSON).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    code, said = said_by(tmp_path, *with_workers(after, "--config", "service.yaml"))
    assert code == 2
    assert f"what left tenant `shop` is not delivered to {receiver.url}: it answered 503" in said
    assert f"a start {'without --workers' if before is None else '--workers 2'}" in said.replace("with --", "--")
    receiver.status = 200
    with command(tmp_path, *with_workers(after, "--config", "service.yaml")) as process:
        greeting(process)
        assert sorted(each["user"] for each in receiver.events() if "clicks" in each) == sorted(USERS)


def test_where_the_disk_is_full_all_stays_as_it_was(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    users = [f"user-{number}" for number in range(200)]

    def taken(process: subprocess.Popen[bytes]) -> None:
        ingest, _ = greeting(process)
        body = lines_of([click(user) for user in users])
        assert httpx.post(f"{ingest}/v1/events/shop", content=body, headers=NDJSON).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    with command(tmp_path) as process:
        taken(process)
    (tmp_path / "service.yaml").write_text("")
    rules, config = compile_tenant(load_tenant(tmp_path / "shop")), load_service(tmp_path / "service.yaml")
    with full_after(10_000), pytest.raises(StateTaken, match="its sessions cannot move: File too large"):
        move([rules], config, tmp_path / "state", 2)
    assert not (tmp_path / "state" / "moving").exists()
    with command(tmp_path) as process:
        taken(process)
    assert sorted(each["clicks"] for each in events_of(tmp_path / "state")) == [1] * 200 + [2] * 200


def test_sessions_of_somebody_who_is_not_served_stay(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    log = tmp_path / "state" / "log" / "app" / "0000000001.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"")
    code, said = said_by(tmp_path, "--workers", "2")
    assert code == 2
    assert "those of `app` are there, too: serve it as well" in said
    assert log.exists()


def test_a_log_that_is_damaged_is_not_moved(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    log = tmp_path / "state" / "log" / "shop" / "0000000001.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"something else")
    code, said = said_by(tmp_path, "--workers", "2")
    assert code == 2
    assert "it is no log that this version of Sojourn reads" in said
    assert not (tmp_path / "state" / "moving").exists()
