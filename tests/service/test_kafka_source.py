"""Events from Kafka, against librdkafka's mock brokers: taken once, committed when taken, whatever happens between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from .brokers import OPTIONS, Cluster
from .running import START_MS, TENANT, Running, click, wait_for


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.make("clicks", 2)
    yield made
    made.close()


@pytest.fixture
def read(cluster: Cluster, serve: Callable[..., Running]) -> Callable[..., Running]:
    """Starts a service that reads the topic."""

    def start(more: str = "", positions: Mapping[str, str | int] = MappingProxyType({}), **tenant: Any) -> Running:
        kafka_in = f"{{brokers: '{cluster.brokers}', topic: clicks, group: sojourn, options: {OPTIONS}{more}}}"
        service = f"tenants: [{{name: shop, kafka_in: [{kafka_in}]}}]"
        return serve({**TENANT, **tenant}, service=service, positions=positions)

    return start


def message(user: str, **more: object) -> bytes:
    """An event as a message."""
    return json.dumps(click(user, **more)).encode()


def users(running: Running) -> list[str]:
    """Whose events have come through."""
    return [each["user"] for each in running.out() if "user" in each]


def has_come(running: Running, user: str) -> bool:
    """True when an event of a user has come through."""
    return user in users(running)


def source(running: Running) -> Any:
    """What the API says of it."""
    return running.get("")["sources"][0]


def test_messages_are_events(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"), message("bob"))
    running = read()
    wait_for(lambda: users(running) == ["ann", "bob"])
    cluster.send("clicks", message("eve"), partition=1)
    wait_for(lambda: users(running) == ["ann", "bob", "eve"])
    assert running.service.host.tenants["shop"].positions == {"kafka:clicks/0": 2, "kafka:clicks/1": 1}


def test_only_what_comes_from_now_on(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"))
    running = read(", start: latest")
    wait_for(lambda: source(running)["lags"].get("0") == 0)
    cluster.send("clicks", message("bob"))
    wait_for(lambda: users(running) == ["bob"])


def test_what_was_taken_is_committed(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"), message("bob"))
    running = read()
    cluster.wait_for_commit("clicks", "sojourn", 2)
    running.stop()
    cluster.send("clicks", message("eve"))
    second = read()
    wait_for(lambda: users(second) == ["eve"])


def test_a_stop_commits_what_was_taken_last(read: Callable[..., Running], cluster: Cluster) -> None:
    running = read()
    cluster.send("clicks", *(message(f"user {number}") for number in range(700)))
    wait_for(lambda: len(users(running)) == 700)
    running.stop()
    assert cluster.committed("clicks", "sojourn") == 700


def test_our_own_position_counts_where_it_is_ahead(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"), message("bob"), message("eve"))
    running = read(positions={"kafka:clicks/0": 2})
    wait_for(lambda: users(running) == ["eve"])


def test_a_machine_without_state_reads_the_gap_again(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"), message("bob"))
    running = read(", commit_gap: 1h")
    wait_for(lambda: users(running) == ["ann", "bob"])
    running.stop()
    cluster.send("clicks", message("eve"))
    second = read(", commit_gap: 1h")
    wait_for(lambda: users(second) == ["ann", "bob", "eve"])


def test_committed_offsets_stay_behind_by_the_gap(read: Callable[..., Running], cluster: Cluster) -> None:
    for minute in range(5):
        cluster.send("clicks", message(f"user {minute}"), time_ms=START_MS + minute * 60_000)
        if minute == 0:
            running = read(", commit_gap: 2m")
        wait_for(partial(has_come, running, f"user {minute}"))
    cluster.wait_for_commit("clicks", "sojourn", 3)


def test_messages_that_are_no_events_become_dead_letters(read: Callable[..., Running], cluster: Cluster) -> None:
    long = message("x" * 300)
    cluster.send("clicks", message("ann"), None, b"{", long, b'{\n"user": "bob"\n}', b"")
    running = read(limits={"max_line": "200"})
    wait_for(lambda: users(running) == ["ann", "bob"])
    letters = running.get("/dead-letters")["dead_letters"]
    found = {(each["source"], each["line"], each["code"]) for each in letters}
    codes = {1: "bad_json", 2: "bad_json", 3: "too_long", 5: "bad_json"}
    assert found == {("kafka:clicks/0", offset, code) for offset, code in codes.items()}
    assert running.service.host.tenants["shop"].positions["kafka:clicks/0"] == 6


def test_each_partition_has_a_clock_where_events_tell_the_time(read: Callable[..., Running], cluster: Cluster) -> None:
    events = {"Click": {"user": "string", "at": "long"}}
    controller = "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);"
    profile = {**TENANT["profiles"][0], "rules_text": "", "sub_sessions": []}
    tenant = {"events": events, "controller_text": controller, "profiles": [profile], "time": {"domain": "event"}}
    running = read(**tenant)
    cluster.send("clicks", message("ann", at=START_MS), partition=0)
    wait_for(lambda: users(running) == ["ann"])
    cluster.send("clicks", message("bob", at=START_MS + 3_600_000), partition=1)
    wait_for(lambda: users(running) == ["ann", "bob"])
    assert running.get("")["live_sessions"] == 2, "an hour later it is in the other partition only"
    cluster.send("clicks", message("eve", at=START_MS + 60_000), partition=0)
    wait_for(lambda: [each["user"] for each in running.out() if "user" in each] == ["ann", "bob", "eve"])
    assert len(running.out_of("VisitEnd")) == 1


def test_a_cluster_that_goes_away_and_comes_back(read: Callable[..., Running], cluster: Cluster) -> None:
    running = read()
    cluster.send("clicks", message("ann"))
    wait_for(lambda: users(running) == ["ann"])
    cluster.down()
    wait_for(lambda: "it cannot be reached" in (source(running)["problem"] or ""))
    assert "kafka:clicks: it cannot be reached" in running.get("")["problem"]
    assert "it cannot be reached" in running.monitor.get("/tenants/shop").text
    cluster.up()
    wait_for(lambda: source(running)["problem"] is None)
    cluster.send("clicks", message("bob"))
    wait_for(lambda: users(running) == ["ann", "bob"])


def test_while_nothing_is_taken_nothing_is_lost(read: Callable[..., Running], cluster: Cluster) -> None:
    running = read()
    cluster.send("clicks", message("ann"))
    wait_for(lambda: users(running) == ["ann"])
    running.monitor.post("/api/v1/tenants/shop/pause", json={})
    cluster.send("clicks", *(message(f"user {number}") for number in range(1200)))
    wait_for(lambda: source(running)["lags"].get("0") == 1200)
    running.monitor.post("/api/v1/tenants/shop/resume", json={})
    wait_for(lambda: len(users(running)) == 1201)
    assert users(running)[1:] == [f"user {number}" for number in range(1200)]
    wait_for(lambda: source(running)["lags"].get("0") == 0)


def test_partitions_go_to_another_member_and_come_back(read: Callable[..., Running], cluster: Cluster) -> None:
    running = read()
    for partition in (0, 1):
        cluster.send("clicks", message("ann"), partition=partition)
    for partition in (0, 1):
        # Mock brokers refuse commits while members come and go; Kafka does not.
        cluster.wait_for_commit("clicks", "sojourn", 1, partition)
    other = cluster.member("clicks", "sojourn")
    wait_for(lambda: (other.poll(0.1), len(other.assignment()) == 1)[1])
    (gone,) = other.assignment()
    cluster.send("clicks", message("bob"), partition=gone.partition)
    received = wait_for(lambda: other.poll(0.1))
    assert received.value() == message("bob"), "what we have taken does not come again"
    other.commit(message=received, asynchronous=False)
    other.close()
    cluster.send("clicks", message("eve"), partition=gone.partition)
    wait_for(lambda: "eve" in users(running))
    assert users(running) == ["ann", "ann", "eve"], "what another has taken does not come to us"


def test_metrics(read: Callable[..., Running], cluster: Cluster) -> None:
    cluster.send("clicks", message("ann"), message("bob"))
    running = read()
    wait_for(lambda: source(running)["lags"].get("0") == 0)
    text = running.monitor.get("/metrics").text
    about = 'source="kafka:clicks",tenant="shop"'
    assert f'sojourn_source_lag{{partition="0",{about}}} 0.0' in text
    assert f"sojourn_source_events_total{{{about}}} 2.0" in text
    assert f"sojourn_source_ready{{{about}}} 1.0" in text
    assert "kafka:clicks" in running.monitor.get("/tenants/shop").text
