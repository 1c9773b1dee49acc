"""What outlives a service: a test takes its folder as it stands, as a crash would leave it, and begins anew there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from runtime.service.log import numbered, read_log
from runtime.service.records import Taken, Tick

from .conftest import After
from .running import NDJSON, TENANT, Receiver, Running, click, full_after, lines_of, snapshot_now, visit, wait_for


def test_sessions_go_on_from_the_log(running: Running, after_crash: After) -> None:
    running.send([click("ann", page="/start"), click("ann", cart="a"), click("bob")])
    again = after_crash(running)
    assert visit(again, "ann") == visit(running, "ann") == {"events": 2, "state": {"clicks": 2}, "carts": 1}
    assert again.out() == running.out(), "nothing is written twice"
    again.now_ms += 60_000
    ends = wait_for(lambda: len(found := again.out_of("VisitEnd")) == 2 and found)
    assert [(each["_snid"][:3], each["_snec"], each.get("landing")) for each in ends] == [
        ("ann", 2, "/start"),
        ("bob", 1, None),
    ]


def test_sessions_go_on_from_a_snapshot_and_the_log_after_it(running: Running, after_crash: After) -> None:
    running.send([click("ann", page="/start")])
    assert snapshot_now(running)
    running.send([click("ann"), click("bob")])
    again = after_crash(running)
    assert visit(again, "ann")["events"] == 2
    assert again.out() == running.out()
    assert again.get("")["events"] == running.get("")["events"] == 3, "counters go on as well"


def test_a_snapshot_leaves_one_file_of_each_kind(running: Running) -> None:
    for _ in range(3):
        running.send([click("ann")])
        assert snapshot_now(running)
    names = sorted(each.name for each in (running.state / "log" / "shop").iterdir())
    assert names == ["0000000004.log", "0000000004.snapshot"]


def test_a_snapshot_that_fails_is_tried_again(running: Running, after_crash: After) -> None:
    running.send([click("ann")])
    with full_after(100):
        assert not snapshot_now(running)
    running.send([click("ann")])
    assert visit(after_crash(running), "ann")["events"] == 2
    assert snapshot_now(running)


def test_what_had_ended_stays_ended(running: Running, after_crash: After) -> None:
    running.send([click("ann"), click("bob")])
    running.monitor.post("/api/v1/tenants/shop/session/end", json={"profile": "Visit", "key": "ann"})
    again = after_crash(running)
    assert again.get("")["live_sessions"] == 1
    assert again.out() == running.out()
    assert again.get("/ends?limit=5") == running.get("/ends?limit=5")


def test_dead_letters_of_all_kinds_come_once(serve: Callable[..., Running], after_crash: After) -> None:
    running = serve({**TENANT, "limits": {"max_line": "100"}})
    body = lines_of([click("ann")]) + b"no\n" + b"x" * 500 + b"\n"
    running.ingest.post("/v1/events/shop", content=body, headers=NDJSON)
    written = (running.state / "dead-letters" / "shop.ndjson").read_bytes()

    def lose_the_letters(state: Path) -> None:
        (state / "dead-letters" / "shop.ndjson").write_bytes(b"")

    again = after_crash(running, lose_the_letters)
    assert (again.state / "dead-letters" / "shop.ndjson").read_bytes() == written
    assert again.get("")["refused"] == {"bad_json": 1, "too_long": 1}


def test_a_tenant_that_was_paused_is(running: Running, after_crash: After) -> None:
    running.monitor.post("/api/v1/tenants/shop/pause", json={})
    assert after_crash(running).get("")["state"] == "paused"


def test_an_end_that_was_refused_is_refused_again(
    serve: Callable[..., Running], after_crash: After, receiver: Receiver
) -> None:
    receiver.status = 500
    service = f"tenants: [{{name: shop, files: {{}}, http: [{{url: '{receiver.url}'}}]}}]\nstop_time: 1s"
    running = serve(service=service)
    running.send([click("ann")])
    wait_for(lambda: receiver.refusals)
    running.now_ms += 60_000
    wait_for(lambda: running.get("")["ends_refused"])
    receiver.status = 200
    wait_for(lambda: running.get("")["state"] == "running")
    running.now_ms += 60_000
    wait_for(lambda: running.out_of("VisitEnd"))
    again = after_crash(running, service=service)
    assert again.out() == running.out()
    assert again.get("")["ends_refused"] == running.get("")["ends_refused"]


def test_what_a_server_has_had_is_not_sent_again_once_that_is_noted(
    serve: Callable[..., Running], after_crash: After, receiver: Receiver
) -> None:
    service = f"tenants: [{{name: shop, http: [{{url: '{receiver.url}'}}]}}]"
    running = serve(service=service)
    running.send([click("ann")])
    (_, log), *_ = numbered(running.state / "log" / "shop", "log")
    wait_for(lambda: Taken({receiver.url: 2}) in [record for record, _ in read_log(log)])
    again = after_crash(running, service=service)
    again.send([click("ann")])
    wait_for(lambda: len(receiver.events()) == 3)
    assert [each.get("_type", "event") for each in receiver.events()] == ["VisitBegin", "event", "event"]


def test_a_source_goes_on_behind_what_was_taken(running: Running, after_crash: After) -> None:
    host, loop = running.service.host, running.service._loop
    assert loop is not None
    line = lines_of([click("ann")]).strip()
    offered = host.offer(host.tenants["shop"], [line], len(line), "a topic", first_line=7, position=8)
    assert asyncio.run_coroutine_threadsafe(offered, loop).result(20).accepted == 1
    assert snapshot_now(running)
    again = after_crash(running)
    assert again.service.host.tenants["shop"].positions == {"a topic": 8}


def test_each_batch_is_on_the_disk(serve: Callable[..., Running], after_crash: After) -> None:
    running = serve(service="durability: {sync: each_batch}")
    for _ in range(3):
        running.send([click("ann")])
    assert visit(after_crash(running), "ann")["events"] == 3


def test_lines_are_not_swallowed_when_a_power_cut_took_what_caused_others(running: Running, after_crash: After) -> None:
    running.send([click("ann")])
    running.send([click("bob", n=1), click("bob", n=2)])

    def lose_the_end_of_the_log(state: Path) -> None:
        _, path = numbered(state / "log" / "shop", "log")[-1]
        places = [place for record, place in read_log(path) if not isinstance(record, Tick)]
        path.write_bytes(path.read_bytes()[: places[0]])

    again = after_crash(running, lose_the_end_of_the_log)
    again.send([click("eve")])
    assert [each["user"] for each in again.out() if "user" in each] == ["ann", "bob", "bob", "eve"]
    assert len({json.dumps(each) for each in again.out()}) == len(again.out())


def test_nothing_is_acknowledged_while_the_disk_is_full(running: Running, after_crash: After) -> None:
    acknowledged = 0
    with full_after(6000):
        for _ in range(60):
            body = lines_of([click("ann", page="x" * 100)])
            answer = running.ingest.post("/v1/events/shop", content=body, headers=NDJSON)
            acknowledged += answer.status_code == 200
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "its log cannot be written" in answer.json()["error"]

        def is_told() -> bool:
            # A tick looks whether there is room again, and its note is so small that it may just fit.
            answer = running.ingest.post("/v1/events/shop", content=body, headers=NDJSON)
            tenant = running.get("")
            return answer.status_code == 503 and tenant["state"] == "stuck" and "its log cannot" in tenant["problem"]

        wait_for(is_told)
    wait_for(lambda: running.get("")["state"] == "running")
    running.send([click("ann")])
    assert 0 < acknowledged < 60
    assert visit(running, "ann")["events"] == acknowledged + 1
    again = after_crash(running)
    assert visit(again, "ann")["events"] == acknowledged + 1
    assert again.out() == running.out()
