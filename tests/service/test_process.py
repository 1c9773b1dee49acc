"""`sojourn serve` as a process: what it says, how it stops, and what it refuses to begin with."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from runtime.cli import main

from .killing import Zygote
from .running import NDJSON, TENANT, Receiver, click, lines_of, wait_for

FREE = ("--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0")
PATIENT = {**TENANT, "profiles": [{**profile, "gap": "30m"} for profile in TENANT["profiles"]]}
"""On a busy machine a start may take longer than a gap of seconds."""


class Process:
    """A service of the tenant `shop`, which has said where it listens. Its stdin is open."""

    def __init__(self, zygote: Zygote, folder: Path, *options: str, tenant: dict[str, Any] | None = PATIENT) -> None:
        self.state = folder / "state"
        if tenant is not None:  # else as it was
            (folder / "shop").mkdir(exist_ok=True)
            (folder / "shop" / "sessionizer.yaml").write_text(json.dumps(tenant))
        for name in ("stdin", "stdout", "stderr"):
            (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / "stdin")
        self._zygote, self._folder = zygote, folder
        self.is_over = False
        self._pid = zygote.ask(serve=["serve", "shop", "--state", "state", *FREE, *options], folder=str(folder))
        self.stdin = (folder / "stdin").open("w")  # waits until the other end is open

        def greeting() -> list[str]:
            text = (folder / "stdout").read_text() if (folder / "stdout").exists() else ""
            return re.findall(r"http://127\.0\.0\.1:\d+", text) if text.count("\n") > 2 else []

        self.ingest, self.monitor = wait_for(greeting, 60)

    def send(self, *users: str) -> None:
        """Sends an event of each user."""
        body = lines_of([click(user) for user in users])
        answer = httpx.post(f"{self.ingest}/v1/events/shop", content=body, headers=NDJSON)
        assert answer.json()["accepted"] == len(users)

    def session(self, user: str) -> dict[str, Any]:
        """The live session of a user."""
        found: dict[str, Any] = httpx.get(f"{self.monitor}/api/v1/tenants/shop/session?profile=Visit&key={user}").json()
        return found

    def signal(self, number: int) -> None:
        """Sends a signal."""
        os.kill(self._pid, number)

    def stop(self, number: int) -> tuple[int, list[dict[str, Any]]]:
        """Sends a signal, and waits for its end; its exit code, and what it has logged."""
        self.signal(number)
        patience = Timer(60, self.signal, (signal.SIGKILL,))
        patience.start()
        code = self._zygote.ask(wait=self._pid)
        patience.cancel()
        self.is_over = True
        self.stdin.close()
        return code, [json.loads(line) for line in (self._folder / "stderr").read_text().splitlines()]


@pytest.fixture
def start(tmp_path: Path, zygote: Zygote, receiver: Receiver) -> Iterator[Callable[..., Process]]:
    """Starts processes, which are gone at the end."""
    started: list[Process] = []

    def start_one(*options: str, **given: Any) -> Process:
        started.append(Process(zygote, tmp_path, *options, **given))
        return started[-1]

    yield start_one
    for each in started:
        if not each.is_over:
            each.stop(signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_the_next_start_goes_on(number: int, start: Callable[..., Process]) -> None:
    running = start()
    running.send("ann", "bob")
    code, logged = running.stop(number)
    assert code == 0
    assert [each["incident"] for each in logged] == ["ready", "stopped"]
    assert [each.name for each in (running.state / "log" / "shop").glob("*.snapshot")] == ["0000000002.snapshot"]
    again = start()
    again.send("ann")
    assert again.session("ann")["events"] == 2
    code, logged = again.stop(number)
    assert (code, [each["incident"] for each in logged]) == (0, ["recovered", "ready", "stopped"])
    assert (logged[0]["live_sessions"], logged[0]["lines_again"]) == (2, 0)
    out = [json.loads(line) for line in (running.state / "out" / "shop.ndjson").read_text().splitlines()]
    assert [each.get("_type") for each in out] == ["VisitBegin", None, "VisitBegin", None, None]


def test_a_process_that_is_killed_loses_nothing(start: Callable[..., Process]) -> None:
    running = start()
    running.send("ann", "bob")
    running.stop(signal.SIGKILL)
    again = start()
    again.send("ann")
    assert again.session("ann")["events"] == 2
    _, logged = again.stop(signal.SIGTERM)
    assert (logged[0]["incident"], logged[0]["lines_again"]) == ("recovered", 2)
    out = [json.loads(line) for line in (running.state / "out" / "shop.ndjson").read_text().splitlines()]
    assert [each.get("_type") for each in out] == ["VisitBegin", None, "VisitBegin", None, None]


def test_a_state_that_is_damaged_is_not_begun_with(
    start: Callable[..., Process], zygote: Zygote, tmp_path: Path
) -> None:
    first = start()
    first.send("ann")
    first.stop(signal.SIGTERM)
    (snapshot,) = (first.state / "log" / "shop").glob("*.snapshot")
    snapshot.write_bytes(snapshot.read_bytes()[:-1])
    told = refused_start(zygote, tmp_path)
    assert "it ends within frame" in told and "begins anew" in told


def test_a_log_whose_rules_are_gone_is_not_begun_with(
    start: Callable[..., Process], zygote: Zygote, tmp_path: Path
) -> None:
    first = start()
    first.send("ann")
    first.stop(signal.SIGTERM)
    versions = first.state / "versions" / "shop"
    (versions / "1").rename(versions / "2")
    told = refused_start(zygote, tmp_path)
    assert "the rules that it goes by cannot be used: there is no version 1" in told


def refused_start(zygote: Zygote, folder: Path) -> str:
    """What a service says that does not begin."""
    for name in ("stdin", "stderr"):
        (folder / name).unlink()
    number = zygote.ask(serve=["serve", "shop", "--state", "state", *FREE], folder=str(folder))
    assert zygote.ask(wait=number) == 2
    said = (folder / "stderr").read_text()
    assert "Traceback" not in said
    return said


def test_sighup_reloads_all_rules(start: Callable[..., Process], tmp_path: Path) -> None:
    running = start()
    running.send("ann")

    def last() -> Any:
        return httpx.get(f"{running.monitor}/api/v1/tenants/shop/versions").json()["last"]

    running.signal(signal.SIGHUP)
    wait_for(last)
    assert (last()["result"], last()["trigger"], last()["version"]) == ("unchanged", "signal", 1)
    (tmp_path / "shop" / "sessionizer.yaml").write_text("tenant: shop\n")
    running.signal(signal.SIGHUP)
    wait_for(lambda: last()["result"] == "bad_rules")
    running.send("ann", "bob")
    tenant = httpx.get(f"{running.monitor}/api/v1/tenants/shop").json()
    assert (tenant["events"], tenant["live_sessions"]) == (3, 2), "sessions of before are open, and events come"
    code, logged = running.stop(signal.SIGTERM)
    assert code == 0
    assert {each["incident"] for each in logged} == {"ready", "rules not reloaded", "stopped"}
    (problem, *_) = next(each["problems"] for each in logged if each["incident"] == "rules not reloaded")
    assert problem.startswith("shop/sessionizer.yaml:1:1: ")


def test_while_it_stops_it_is_not_ready_and_a_second_signal_hurries(
    start: Callable[..., Process], receiver: Receiver, tmp_path: Path
) -> None:
    receiver.status = 503
    (tmp_path / "service.yaml").write_text(
        f"tenants: [{{name: shop, http: [{{url: '{receiver.url}'}}]}}]\nstop_time: 5m"
    )
    running = start("--config", "service.yaml")
    running.send("ann")
    wait_for(lambda: httpx.get(f"{running.monitor}/api/v1/service").json()["tenants"][0]["state"] == "stuck")
    waiting = socket.create_connection(("127.0.0.1", httpx.URL(running.ingest).port or 0))
    waiting.settimeout(20)
    body = lines_of([click("bob")])
    head = f"POST /v1/events/shop HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON['Content-Type']}\r\n"
    waiting.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    wait_for(lambda: httpx.get(f"{running.monitor}/api/v1/service").json()["tenants"][0]["waiting_batches"])
    running.signal(signal.SIGTERM)
    wait_for(lambda: httpx.get(f"{running.monitor}/readyz").status_code == 503)
    assert httpx.get(f"{running.monitor}/readyz").text == "stopping"
    assert httpx.get(f"{running.monitor}/livez").status_code == 200
    code, logged = running.stop(signal.SIGTERM)
    assert code == 0, "what was not delivered is kept"
    assert [each["incident"] for each in logged] == ["ready", "lines are not taken", "stopped"]
    assert logged[-1]["undelivered"] == 1
    assert waiting.recv(1000).startswith(b"HTTP/1.1 503"), "who waits is told that nothing came of it"
    waiting.close()


def test_what_waits_is_done_before_it_stops(start: Callable[..., Process]) -> None:
    running = start()
    body = lines_of([click(f"user-{number % 500}") for number in range(20_000)])
    with socket.create_connection(("127.0.0.1", httpx.URL(running.ingest).port or 0)) as sender:
        head = f"POST /v1/events/shop HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON['Content-Type']}\r\n"
        sender.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_for(lambda: httpx.get(f"{running.monitor}/api/v1/service").json()["tenants"][0]["events"] > 0)
        code, _ = running.stop(signal.SIGTERM)
        sender.settimeout(20)
        answer = sender.recv(10_000)
    assert code == 0
    assert answer.startswith(b"HTTP/1.1 200") and b'"accepted":20000' in answer


def test_a_rule_that_would_run_for_hours_is_stopped(start: Callable[..., Process]) -> None:
    (profile,) = PATIENT["profiles"]
    slow = {**profile, "rules_text": "@Name('slow') @UpdateCounter('x') select 1 from Click(page regexp '(a+)+b');"}
    running = start(tenant={**TENANT, "limits": {"rule_time": "200ms"}, "profiles": [{**slow, "sub_sessions": []}]})
    body = lines_of([click("ann", page="a" * 60), click("ann", page="aab")])
    answer = httpx.post(f"{running.ingest}/v1/events/shop", content=body, headers=NDJSON, timeout=60)
    assert answer.json()["accepted"] == 2
    session = running.session("ann")
    assert (session["events"], session["state"]) == (2, {"x": 1})
    _, logged = running.stop(signal.SIGKILL)
    assert (logged[1]["incident"], logged[1]["rule"]) == ("a rule failed", "slow")
    again = start(tenant=None)
    later = {"now_ms": session["now_ms"]}
    assert {**again.session("ann"), **later} == session, "it is stopped again where it was"
    code, logged = again.stop(signal.SIGTERM)
    assert (code, [each["incident"] for each in logged]) == (0, ["a rule failed", "recovered", "ready", "stopped"])


def test_logs_hold_no_events(start: Callable[..., Process]) -> None:
    running = start()
    body = b'{"user": "secret-user", "n": 0}\nsecret nonsense\n'
    httpx.post(f"{running.ingest}/v1/events/shop", content=body, headers=NDJSON)
    code, logged = running.stop(signal.SIGTERM)
    assert code == 0
    assert "secret" not in json.dumps(logged)
    (failed,) = [each for each in logged if each["incident"] == "a rule failed"]
    assert (failed["level"], failed["rule"], failed["error"]) == ("warning", "a bad cast", "RuleError")


def test_lines_from_stdin(start: Callable[..., Process]) -> None:
    running = start("--stdin", "shop")
    running.stdin.write(lines_of([click("ann"), click("bob")]).decode() + '{"user": "eve"}')
    running.stdin.flush()

    def live() -> int:
        tenants = httpx.get(f"{running.monitor}/api/v1/service").json()["tenants"]
        return int(tenants[0]["live_sessions"])

    wait_for(lambda: live() == 2)
    running.stdin.close()
    wait_for(lambda: live() == 3)
    code, logged = running.stop(signal.SIGTERM)
    assert (code, [each["incident"] for each in logged]) == (0, ["ready", "stdin has ended", "stopped"])


def test_stdin_that_does_not_end_stops_nobody(start: Callable[..., Process]) -> None:
    code, _ = start("--stdin", "shop").stop(signal.SIGTERM)
    assert code == 0


def test_two_services_do_not_share_a_state(start: Callable[..., Process], tmp_path: Path) -> None:
    start()
    command = ["serve", str(tmp_path / "shop"), "--state", str(tmp_path / "state"), *FREE]
    refused = CliRunner().invoke(main, command)
    assert (refused.exit_code, "another service uses it" in refused.output) == (2, True)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = CliRunner().invoke(main, ["serve", "pulsar", "--state", str(tmp_path), "--ingest", address])
    assert result.exit_code == 2
    assert f"{address}: Address already in use" in result.output


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("pulsar", "--ingest", "nowhere"), 2, "`nowhere` is no address and port such as 127.0.0.1:9999"),
        (("pulsar", "--config", "no.yaml"), 1, "`no.yaml` cannot be read"),
        (("pulsar", "--stdin", "shop"), 2, "no tenant that is served is called `shop`"),
        (("no-such-tenant",), 1, "there is no such file or folder"),
        (("pulsar", "pulsar"), 2, "are both called `pulsar`"),
        (("pulsar", "--monitor", "0.0.0.0:0"), 1, "can be reached from other machines, and monitoring has no"),
    ],
)
def test_what_it_does_not_begin_with(
    options: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["serve", "--state", "state", *options])
    assert (result.exit_code, said in " ".join(result.output.split())) == (code, True), result.output


def test_a_tenant_whose_clock_nobody_sets(tmp_path: Path) -> None:
    (tmp_path / "sessionizer.yaml").write_text(json.dumps({**TENANT, "time": {"domain": "event"}}))
    result = CliRunner().invoke(main, ["serve", str(tmp_path), "--state", str(tmp_path / "state"), *FREE])
    assert result.exit_code == 2
    assert "tenant `shop` goes by the times of its events, and nothing tells them" in result.output


def test_rules_with_problems_are_shown(tmp_path: Path) -> None:
    (tmp_path / "sessionizer.yaml").write_text(json.dumps({**TENANT, "controller_text": "select 1 from Nothing;"}))
    result = CliRunner().invoke(main, ["serve", str(tmp_path), "--state", str(tmp_path / "state")])
    assert result.exit_code == 1
    assert "error[E" in result.output


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("runtime.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(main, ["serve", "pulsar", "--state", str(tmp_path)])
    assert result.exit_code == 2
    assert "pip install 'sojourn[service]'" in result.output
