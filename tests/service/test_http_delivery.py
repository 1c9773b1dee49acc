"""Lines sent to a web server: each until it has been taken, in order, and sessions wait with their ends meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from .running import TENANT, Receiver, Running, click, wait_for


def sending_to(receiver: Receiver, more: str = "") -> str:
    """A service that sends to the receiver, and writes no files."""
    return f"tenants: [{{name: shop, http: [{{url: '{receiver.url}'{more}}}]}}]"


def test_lines_arrive(serve: Callable[..., Running], receiver: Receiver) -> None:
    running = serve(service=sending_to(receiver, ", token_file: shop.token"))
    running.send([click("ann")])
    wait_for(lambda: len(receiver.events()) == 2)
    assert [each.get("_type", "event") for each in receiver.events()] == ["VisitBegin", "event"]
    assert receiver.tokens == {"Bearer the-token-of-shop"}
    assert running.out() == []


def test_files_beside_it_when_asked_for(serve: Callable[..., Running], receiver: Receiver) -> None:
    running = serve(service=f"tenants: [{{name: shop, files: {{}}, http: [{{url: '{receiver.url}'}}]}}]")
    running.send([click("ann")])
    wait_for(lambda: len(receiver.events()) == 2)
    assert running.out() == receiver.events()


def test_batches_are_no_larger_than_asked_for(serve: Callable[..., Running], receiver: Receiver) -> None:
    running = serve(service=sending_to(receiver, ", batch: 3"))
    running.send([click("ann", n=number) for number in range(1, 10)])
    wait_for(lambda: len(receiver.events()) == 10)
    assert [body.count(b"\n") for body in receiver.bodies] == [3, 3, 3, 1]
    assert len(set(receiver.keys)) == 4


def test_a_batch_that_is_too_large_is_cut(serve: Callable[..., Running], receiver: Receiver) -> None:
    receiver.most_bytes = 300
    running = serve(service=sending_to(receiver))
    running.send([click("ann", n=number) for number in range(1, 21)])
    wait_for(lambda: len(receiver.events()) == 21)
    assert [each["n"] for each in receiver.events() if "n" in each] == list(range(1, 21))


def test_what_is_refused_comes_again_and_ends_wait(serve: Callable[..., Running], receiver: Receiver) -> None:
    receiver.status = 500
    running = serve(service=sending_to(receiver))
    running.send([click("ann")])
    wait_for(lambda: receiver.refusals >= 2)
    assert "it answered 500" in running.get("")["problem"]
    running.now_ms += 60_000
    wait_for(lambda: running.get("")["ends_refused"] >= 1)
    assert running.get("")["live_sessions"] == 1
    receiver.status = 200
    wait_for(lambda: running.get("")["state"] == "running")
    running.now_ms += 60_000
    wait_for(lambda: len(receiver.events()) == 3)
    assert [each.get("_type") for each in receiver.events()] == ["VisitBegin", None, "VisitEnd"]
    assert running.get("")["live_sessions"] == 0


def test_a_server_that_is_not_there(serve: Callable[..., Running], receiver: Receiver) -> None:
    running = serve(TENANT, service="tenants: [{name: shop, http: [{url: 'http://127.0.0.1:9/'}]}]\nstop_time: 1s")
    running.send([click("ann")])
    wait_for(lambda: "cannot be reached: Connection refused" in (running.get("")["problem"] or ""))
    assert running.stop() == 0, "what was not delivered is kept"


def test_what_was_not_delivered_is_delivered_by_the_next_run(serve: Callable[..., Running], receiver: Receiver) -> None:
    receiver.status = 503
    first = serve(service=sending_to(receiver) + "\nstop_time: 1s")
    first.send([click("ann")])
    wait_for(lambda: receiver.refusals)
    first.stop()
    receiver.status = 200
    second = serve(service=sending_to(receiver), state=first.state)
    second.send([click("ann")])
    wait_for(lambda: len(receiver.events()) == 3)
    assert [each.get("_type", "event") for each in receiver.events()] == ["VisitBegin", "event", "event"]
