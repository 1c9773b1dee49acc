"""Taps and traces of sessions on a service at work: what is told, to whom, and that it costs others nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from runtime.cli import main
from runtime.engine import Engine
from runtime.protocol import MONITOR, described
from runtime.service import watching
from runtime.tenants import TenantEngine

from .running import TENANT, Running, click, wait_for

TAP = "/api/v1/tenants/shop/tap"


def engine_of(running: Running) -> Engine:
    return running.service.host.tenants["shop"].tenant.engine


@contextmanager
def tapping(running: Running, query: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    """A reader of what a tap tells, once it listens."""
    with running.monitor.stream("GET", f"{TAP}?{query}") as response:
        assert response.status_code == 200, response.read()
        wait_for(lambda: type(engine_of(running)) is not TenantEngine)
        yield (json.loads(line) for line in response.iter_lines())


def kinds(told: dict[str, Any]) -> list[str]:
    return [step["kind"] for step in told["steps"]]


def test_an_event_and_what_each_rule_did(running: Running) -> None:
    with tapping(running) as told:
        running.send([click("ann", cart="c1", page="/home")])
        first = next(told)
    assert (first["outcome"], first["keys"]) == ("ok", [{"profile": "Visit", "key": "ann"}])
    assert kinds(first) == ["rules", "began", "rules", "marker", "began", "marker"]
    assert first["steps"][0]["of"] == "controller"
    rules = {seen["rule"]: seen for seen in first["steps"][2]["rules"]}
    assert rules["landing"]["row"] == {"landing": "/home"}
    assert (rules["never"]["matched"], rules["never"]["failed"]) == (False, "n > 1000000")
    assert {"name": "session.clicks", "before": None, "after": 1} in first["steps"][2]["changes"]
    assert [step["marker"] for step in first["steps"] if step["kind"] == "marker"] == running.out_of(
        "VisitBegin", "CartBegin"
    )


def test_what_is_told_has_its_shape(running: Running) -> None:
    document = described(MONITOR)
    schema = {"$ref": "#/components/schemas/Traced", "components": document["components"]}
    with tapping(running) as told:
        running.send([click("ann", cart="c1", n=0)])
        running.now_ms += 20_000
        found = [next(told) for _ in range(3)]
    for each in found:
        Draft202012Validator(schema).validate(each)
    assert [each["line"] for each in found] == [1, None, None]
    assert kinds(found[2]) == ["marker", "ended"]


def test_readers_choose(running: Running) -> None:
    events = [click("ann"), {"_type": "Other", "user": "x"}, click("bob"), click("ann")]
    for query, expected in (("key=ann", [1, 4]), ("type=Click", [1, 3, 4]), ("limit=2", [1, 2])):
        with tapping(running, query) as told:
            running.send(events)
            assert [next(told)["line"] for _ in expected] == expected, query
    with tapping(running, "sample=1/1000000") as told:
        running.send(events * 10)
        assert running.get("")["events"] == 52
    # A tap that has what it wanted ends.
    with tapping(running, "limit=1") as told:
        running.send(events)
        assert len(list(told)) == 1


def test_an_event_that_is_refused_is_told_too(running: Running) -> None:
    with tapping(running) as told:
        running.send([{"user": 1}])
        assert next(told)["outcome"].startswith("refused, bad_type: ")


@pytest.mark.parametrize("query", ["sample=2", "sample=1/0", "limit=many"])
def test_what_cannot_be_chosen(running: Running, query: str) -> None:
    assert running.monitor.get(f"{TAP}?{query}").status_code == 400


def test_when_nobody_looks_the_engine_is_what_it_was(running: Running) -> None:
    engine = engine_of(running)
    before = {type(each) for each in (engine, *engine.profiles)}
    with tapping(running) as told:
        running.send([click("ann")])
        next(told)
    wait_for(lambda: type(engine) is TenantEngine)
    assert {type(each) for each in (engine, *engine.profiles)} == before
    assert engine.profiles[0].handlers == {
        engine.decoder.classes["Click"]: engine.rules.profiles[0].compiled.handlers["Click"]
    }


def test_no_more_are_traced_than_may_be(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    monkeypatch.setattr(watching, "MOST_A_SECOND", 3)
    with tapping(running) as told:
        running.send([click(f"user-{number}") for number in range(50)])
        assert sum(each.get("missed", 0) + ("line" in each) for each in (next(told) for _ in range(4))) == 50


def test_a_slow_reader_holds_no_memory(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    monkeypatch.setattr(watching, "MOST_A_SECOND", 10**9)
    monkeypatch.setattr(watching, "_MOST_RECORDS", 10)
    address = urlsplit(running.service.monitor_url)
    with socket.create_connection((address.hostname, address.port)) as slow:
        slow.sendall(f"GET {TAP} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_for(lambda: type(engine_of(running)) is not TenantEngine)
        for _ in range(20):
            running.send([click(f"user-{number}", page="x" * 5000) for number in range(100)])
        assert running.get("")["events"] == 2000
        slow.settimeout(20)
        received = b""
        while b'"missed"' not in received:
            received = received[-100:] + slow.recv(1 << 20)
    wait_for(lambda: type(engine_of(running)) is TenantEngine)


def test_as_many_tap_as_may(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    monkeypatch.setattr(watching, "MOST_TAPS", 1)
    with tapping(running):
        response = running.monitor.get(TAP)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "60")


def test_a_service_that_stops_ends_its_taps(serve: Callable[..., Running]) -> None:
    running = serve()
    with tapping(running) as told:
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        assert list(told) == []
        stopping.join(20)
    assert running.left == 0


def test_a_session_is_traced_from_when_it_is_looked_at(running: Running) -> None:
    running.send([click("ann", page="/home"), click("bob")])
    path = "/session?profile=Visit&key=ann&trace=on"
    assert "trace" not in running.get("/session?profile=Visit&key=ann")
    assert running.get(path)["trace"] == []
    running.send([click("bob"), click("ann", cart="c1"), click("ann", n=2)])
    found = running.get(path)["trace"]
    assert [each["line"] for each in found] == [3, 2]
    assert [step["of"] for step in found[1]["steps"] if step["kind"] == "began"] == ["Visit/Cart"]


def test_its_end_is_traced_as_well(running: Running) -> None:
    running.send([click("ann")])
    path = "/session/trace?profile=Visit&key=ann"
    assert running.get(path) == {"profile": "Visit", "key": "ann", "live": True, "trace": []}
    running.now_ms += 20_000
    wait_for(lambda: running.out_of("VisitEnd"))
    found = running.get(path)
    assert (found["live"], found["trace"][0]["steps"][-1]["why"].partition(":")[0]) == (False, "gap")


def test_looking_ends_by_itself(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    monkeypatch.setattr(watching, "_LOOKED_AT_S", 0.1)
    running.send([click("ann")])
    running.get("/session/trace?profile=Visit&key=ann")
    wait_for(lambda: type(engine_of(running)) is TenantEngine)


def test_several_profiles_and_taps_see_the_same(serve: Callable[..., Running]) -> None:
    (visit,) = TENANT["profiles"]
    other = {**visit, "name": "Again", "type": 2, "begin_marker": "AB", "end_marker": "AE", "sub_sessions": []}
    other["rules_text"] = "@Name('clicks') @UpdateCounter('clicks') select 1 from Click;"
    both = TENANT["controller_text"] + "@Session('Again') select page as _pk_ from Click(page is not null);"
    running = serve({**TENANT, "controller_text": both, "profiles": [visit, other]})
    with tapping(running, "key=/home") as one, running.monitor.stream("GET", TAP) as response:
        running.send([click("ann", page="/home")])
        assert next(one) == json.loads(next(response.iter_lines()))


def test_on_the_command_line(running: Running) -> None:
    answers = []

    def tap(*options: str) -> None:
        answers.append(
            CliRunner().invoke(
                main, ["tap", "shop", "--monitor", running.service.monitor_url, "--limit", "1", *options]
            )
        )

    for options in ((), ("--format", "json", "--key", "ann")):
        reader = threading.Thread(target=tap, args=options)
        reader.start()
        wait_for(lambda: type(engine_of(running)) is not TenantEngine)
        running.send([click("ann", cart="c1", page="/home")])
        reader.join(20)
        wait_for(lambda: type(engine_of(running)) is TenantEngine)
    text, as_json = answers
    assert text.exit_code == 0 and "✓ landing" in text.output and 'landing = "/home"' in text.output
    assert "sent " in text.output and '"VisitBegin"' in text.output
    assert json.loads(as_json.output)["keys"] == [{"profile": "Visit", "key": "ann"}]


@pytest.mark.parametrize(
    ("options", "said"),
    [(("shop", "--sample", "7"), "one in so many"), (("nobody",), "there is no tenant `nobody`")],
)
def test_what_cannot_be_tapped(running: Running, options: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["tap", *options, "--monitor", running.service.monitor_url])
    assert (result.exit_code, said in result.output) == (2, True), result.output
