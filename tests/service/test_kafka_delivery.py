"""Lines to Kafka, against librdkafka's mock brokers: all of them, in order, and sessions wait while none are taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError

from .brokers import OPTIONS, Cluster
from .running import TENANT, Running, click, wait_for


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.make("out")
    yield made
    made.close()


@pytest.fixture
def sending(cluster: Cluster, serve: Callable[..., Running]) -> Callable[..., Running]:
    """Starts a service that sends to the topic."""

    def start(more: str = "", **tenant: Any) -> Running:
        kafka_out = f"{{brokers: '{cluster.brokers}', topic: out, options: {OPTIONS}{more}}}"
        service = f"tenants: [{{name: shop, kafka_out: [{kafka_out}]}}]\nstop_time: 2s"
        return serve({**TENANT, **tenant}, service=service)

    return start


def delivery(running: Running) -> Any:
    """What the API says of it."""
    return running.get("")["deliveries"][0]


def out(cluster: Cluster) -> list[dict[str, Any]]:
    """The lines of the topic."""
    return [json.loads(message.value() or b"") for message in cluster.messages("out")]


def test_lines_arrive_in_order(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending()
    running.send([click("ann", n=number) for number in range(1, 3001)])
    wait_for(lambda: delivery(running)["waiting_bytes"] == 0)
    begin, *events = out(cluster)
    assert begin["_type"] == "VisitBegin"
    assert [each["n"] for each in events] == list(range(1, 3001))
    assert running.service.host.tenants["shop"].deliveries[0].taken == 3001


def test_markers_have_the_key_of_their_session(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending()
    running.send([click("ann"), click("bob")])
    running.now_ms += 60_000
    wait_for(lambda: len(cluster.messages("out")) == 6)
    keys: dict[str, list[bytes | None]] = {}
    for message in cluster.messages("out"):
        type_name = json.loads(message.value() or b"").get("_type", "event")
        keys.setdefault(type_name, []).append(message.key())
    assert keys["event"] == [None, None]
    assert sorted(keys["VisitBegin"], key=str) == sorted(keys["VisitEnd"], key=str)
    assert {(key or b"")[:3] for key in keys["VisitEnd"]} == {b"ann", b"bob"}


def test_a_field_as_key(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending(", key: n")
    running.send([click("ann", n=7), click("bob")])
    wait_for(lambda: len(cluster.messages("out")) == 4)
    assert sorted(str(message.key()) for message in cluster.messages("out")) == ["None", "None", "None", "b'7'"]


def test_a_cluster_that_goes_away_and_comes_back(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending()
    running.send([click("ann")])
    wait_for(lambda: delivery(running)["waiting_bytes"] == 0)
    cluster.down()
    wait_for(lambda: running.get("")["state"] == "stuck")
    assert "kafka:out: it cannot be reached" in running.get("")["problem"]
    running.now_ms += 60_000
    wait_for(lambda: running.get("")["ends_refused"] >= 1)
    cluster.up()
    wait_for(lambda: running.get("")["state"] == "running")

    def is_over() -> bool:
        # An end that was refused is tried again some seconds later.
        running.now_ms += 1000
        return running.get("")["live_sessions"] == 0 and delivery(running)["waiting_bytes"] == 0

    wait_for(is_over)
    assert [each.get("_type") for each in out(cluster)] == ["VisitBegin", None, "VisitEnd"]


def test_what_is_refused_for_good_is_sent_again(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending()
    cluster.refuse("out", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    running.send([click("ann", n=number) for number in range(1, 11)])
    wait_for(lambda: delivery(running)["failures"] >= 2)
    assert "authorization failed" in running.get("")["problem"]
    cluster.refuse("out", KafkaError.NO_ERROR)
    wait_for(lambda: delivery(running)["waiting_bytes"] == 0)
    assert [each.get("n") for each in out(cluster)] == [None, *range(1, 11)]
    assert running.get("")["state"] == "running"


def test_a_line_that_is_too_long_waits(sending: Callable[..., Running]) -> None:
    running = sending()
    running.send([click("x" * 1_010_000)])
    wait_for(lambda: running.get("")["state"] == "stuck")
    assert "is not taken: " in running.get("")["problem"]
    assert delivery(running)["waiting_bytes"] > 1_000_000, "it is not dropped"


def test_its_queue_is_bounded(sending: Callable[..., Running], cluster: Cluster) -> None:
    running = sending(", max_waiting: 1KiB")
    cluster.refuse("out", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    running.send([click("ann", n=number) for number in range(100)])
    wait_for(lambda: running.get("")["state"] == "stuck")
    assert delivery(running)["waiting_bytes"] > 1024
    cluster.refuse("out", KafkaError.NO_ERROR)
    wait_for(lambda: running.get("")["state"] == "running")


def test_from_topic_to_topic(cluster: Cluster, serve: Callable[..., Running]) -> None:
    cluster.make("clicks")
    kafka = f"brokers: '{cluster.brokers}', options: {OPTIONS}"
    way = f"kafka_in: [{{{kafka}, topic: clicks, group: sojourn}}], kafka_out: [{{{kafka}, topic: out}}]"
    cluster.send("clicks", *(json.dumps(click("ann", n=number)).encode() for number in range(1, 2001)))
    running = serve(service=f"tenants: [{{name: shop, {way}}}]")
    wait_for(lambda: delivery(running)["lines"] == 2001 and delivery(running)["waiting_bytes"] == 0)
    assert [each.get("n") for each in out(cluster)] == [None, *range(1, 2001)]
    cluster.wait_for_commit("clicks", "sojourn", 2000)
