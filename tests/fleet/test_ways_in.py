"""Ways in that the front has as one process has them: many tenants, plain lines, stdin, tokens; and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.service.killing import written
from tests.service.running import NDJSON, Receiver, click, lines_of, wait_for

from .fronts import LONG, Fleet, write_tenant
from .test_front import USERS

Start = Callable[..., Fleet]
PROJECT = Path(__file__).parents[2]
FREE = ("--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0")


@contextmanager
def command(folder: Path, *more: str, stdin: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`sojourn serve` of the shop in a folder, which is ended at last."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", "serve", "shop", "--state", "state", *more, *FREE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def greeting(process: subprocess.Popen[bytes]) -> list[str]:
    """Where it says that it listens."""
    assert process.stdout is not None
    said = b"".join(process.stdout.readline() for _ in range(3)).decode()
    return re.findall(r"http://127\.0\.0\.1:\d+", said)


def test_tenants_are_by_themselves(start: Start) -> None:
    fleet = start(LONG, {**LONG, "tenant": "app"}, workers=3)
    for tenant in ("shop", "app"):
        fleet.send([click(user) for user in USERS], tenant)
    assert len(fleet.out("shop")) == len(fleet.out("app"))
    fleet.send([click("ann")], "nobody", status=404)


def test_a_token_is_asked_for_as_by_one_process(start: Start, tmp_path: Path) -> None:
    (tmp_path / "shop.token").write_text("the-token-of-the-shop\n")
    (tmp_path / "admin.token").write_text("the-token-of-the-admin\n")
    fleet = start(LONG, service="{monitor: {token_file: admin.token}, tenants: [{name: shop, token_file: shop.token}]}")
    fleet.send([click("ann")], status=401)
    body, headers = lines_of([click("ann")]), {**NDJSON, "Authorization": "Bearer the-token-of-the-shop"}
    assert fleet.ingest.post("/v1/events/shop", content=body, headers=headers).status_code == 200
    path = "/api/v1/tenants/shop"
    assert fleet.monitor.get(path).status_code == 401
    found = fleet.monitor.get(path, headers={"Authorization": "Bearer the-token-of-the-admin"}).json()
    assert (found["events"], found["live_sessions"]) == (1, 1)


def test_lines_over_tcp_reach_all_workers(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    fleet = start(LONG, service=f"ingest: {{lines: [{{listen: '127.0.0.1:{port}', tenant: shop}}]}}")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(lines_of([click(user) for user in USERS]))
    wait_for(lambda: sum("clicks" in each for each in fleet.out()) == len(USERS))
    assert all(fleet.out_of(worker) for worker in (0, 1))


def test_a_limit_of_events_a_second_is_the_whole_tenants(start: Start) -> None:
    fleet = start({**LONG, "limits": {"rate": 50}})
    while True:
        answer = fleet.ingest.post("/v1/events/shop", content=lines_of([click(each) for each in USERS]), headers=NDJSON)
        if answer.status_code != 200:
            break
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "50 events of this second" in answer.json()["error"]


def test_while_nobody_takes_what_leaves_events_wait_and_none_is_lost(start: Start, receiver: Receiver) -> None:
    receiver.status = 503
    sink = f"tenants: [{{name: shop, http: [{{url: '{receiver.url}', max_waiting: 1KiB}}]}}]"
    fleet = start(LONG, service=sink + "\ningest: {max_waiting: 20KiB}")
    body = lines_of([click(user, page="x" * 50) for user in USERS])

    def status_of_one_more() -> int:
        return fleet.ingest.post("/v1/events/shop", content=body, headers=NDJSON).status_code

    with ThreadPoolExecutor(50) as pool:
        sending: list[Future[int]] = []
        while not any(each.done() and each.result() == 429 for each in sending):
            sending.append(pool.submit(status_of_one_more))
            time.sleep(0.05)
        receiver.status = 200
        sent = sum(len(USERS) for each in sending if each.result() == 200)
    wait_for(lambda: sum("clicks" in each for each in receiver.events()) == sent, 60)


def test_stdin_is_read_and_a_signal_stops_all(tmp_path: Path) -> None:
    write_tenant(tmp_path, LONG)
    with command(tmp_path, "--workers", "2", "--stdin", "shop", stdin=subprocess.PIPE) as process:
        greeting(process)
        assert process.stdin is not None
        process.stdin.write(lines_of([click(user) for user in USERS]))
        process.stdin.flush()
        state = tmp_path / "state"
        wait_for(lambda: sum(b"clicks" in line for line in written(state, "out")) == len(USERS))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert len(list(state.glob("workers/*/log/shop/*.snapshot"))) == 2


def test_a_second_signal_hurries(tmp_path: Path, receiver: Receiver) -> None:
    write_tenant(tmp_path, LONG)
    receiver.status = 503
    service = f"{{stop_time: 60s, tenants: [{{name: shop, http: [{{url: '{receiver.url}'}}]}}]}}"
    (tmp_path / "service.yaml").write_text(service)
    with command(tmp_path, "--workers", "2", "--config", "service.yaml") as process:
        ingest, _ = greeting(process)
        httpx.post(f"{ingest}/v1/events/shop", content=lines_of([click("ann")]), headers=NDJSON)
        wait_for(lambda: receiver.refusals)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
