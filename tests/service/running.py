"""A real service in a thread: real sockets, real files, a clock that tests move."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from runtime.config import load_tenant
from runtime.config.service import Address, load_service
from runtime.rules import compile_tenant
from runtime.service import Service

START_MS = 1_767_600_000_000
NDJSON = {"Content-Type": "application/x-ndjson"}
TENANT: dict[str, Any] = {
    "tenant": "shop",
    "events": {"Click": {"user": "string", "n": "int", "cart": "string", "page": "string"}},
    "controller_text": "@Session('Visit') select user as _pk_ from Click(user is not null);",
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "10s",
            "begin_marker": "VisitBegin",
            "end_marker": "VisitEnd",
            "rules_text": """\
@Name('clicks') @UpdateCounter('clicks') select 1 from Click;
@Name('landing') @UpdateMetadata select page as landing from Click(session.eventCount = 1);
@Name('never') @UpdateCounter('none') select 1 from Click(n > 1000000);
@Name('a bad cast') @UpdateState select 1 % n as rest from Click(n = 0);
@SubSession('Cart') select cart as _pk_ from Click(cart is not null);
""",
            "sub_sessions": [{"name": "Cart", "gap": "5s", "begin_marker": "CartBegin", "end_marker": "CartEnd"}],
        }
    ],
}


def click(user: str, **more: Any) -> dict[str, Any]:
    """An event."""
    return {"user": user, **more}


def lines_of(events: list[dict[str, Any]]) -> bytes:
    """Events as NDJSON."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def free_port() -> int:
    """A port that nobody has, for a server that looks for one where others look at the same time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true answer, asked for again and again."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Within: no file of this process grows beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class Running:
    """A service at work. `now_ms` is its clock, which stands still unless a test moves it.

    `positions` is how far a run before had come, by source.
    """

    def __init__(
        self,
        folder: Path,
        tenants: list[dict[str, Any]],
        service_yaml: str,
        state: Path,
        positions: Mapping[str, str | int] = MappingProxyType({}),
    ) -> None:
        self.now_ms = START_MS
        self.state = state
        compiled = []
        for number, config in enumerate(tenants):
            place = folder / f"tenant-{number}"
            place.mkdir(exist_ok=True)
            (place / "sessionizer.yaml").write_text(json.dumps(config))
            compiled.append(compile_tenant(load_tenant(place)))
        (folder / "service.yaml").write_text(service_yaml)
        free = Address("127.0.0.1", 0)
        config = load_service(folder / "service.yaml").listening(free, free)
        self.service = Service(compiled, config, self.state, clock_ms=lambda: self.now_ms)
        for served in self.service.host.tenants.values():
            served.positions.update(positions)
        self.left: int | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(20)
        self.ingest = httpx.Client(base_url=self.service.ingest_url, timeout=60)
        self.monitor = httpx.Client(base_url=self.service.monitor_url, timeout=60)

    def _run(self) -> None:
        self.left = asyncio.run(self.service.run(self._ready.set))

    def send(self, events: list[dict[str, Any]], tenant: str = "shop") -> dict[str, Any]:
        """Sends events, all of which are taken; the answer."""
        response = self.ingest.post(f"/v1/events/{tenant}", content=lines_of(events), headers=NDJSON)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def get(self, path: str, tenant: str = "shop") -> dict[str, Any]:
        """What the API says of a tenant."""
        response = self.monitor.get(f"/api/v1/tenants/{tenant}{path}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def out(self, tenant: str = "shop") -> list[dict[str, Any]]:
        """What has left so far."""
        file = self.state / "out" / f"{tenant}.ndjson"
        text = file.read_bytes() if file.exists() else b""
        # The last line may be on its way.
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def out_of(self, *types: str) -> list[dict[str, Any]]:
        """The markers of some types that have left so far."""
        return [each for each in self.out() if each.get("_type") in types]

    def stop(self) -> int:
        """Stops it, and waits; what was left."""
        self.service.stop()
        self._thread.join(60)
        assert self.left is not None
        return self.left

    def close(self) -> None:
        """Stops it if it runs."""
        self.ingest.close()
        self.monitor.close()
        if self._thread.is_alive():
            self.stop()


class Receiver:
    """A web server that takes lines, or answers with `status` where that is set."""

    def __init__(self) -> None:
        self.status = 200
        self.delay_s = 0.0
        self.most_bytes = 1 << 30
        self.headers: dict[str, str] = {}
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.refusals = 0
        self.tokens: set[str | None] = set()
        self.parents: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.parents |= {each for each in [self.headers["traceparent"]] if each}
                time.sleep(receiver.delay_s)
                receiver.tokens.add(self.headers["Authorization"])
                status = 413 if len(body) > receiver.most_bytes else receiver.status
                if status == 200:
                    receiver.bodies.append(body)
                    receiver.keys.append(self.headers["Idempotency-Key"])
                else:
                    receiver.refusals += 1
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Not here."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/lines"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def events(self) -> list[dict[str, Any]]:
        """What it has taken."""
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]

    def close(self) -> None:
        """Stops it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def snapshot_now(running: Running) -> bool:
    """Writes a snapshot; whether that came to anything."""
    loop = running.service._loop
    assert loop is not None
    return asyncio.run_coroutine_threadsafe(running.service.host.snapshots.take(), loop).result(20)


def visit(running: Running, user: str) -> dict[str, object]:
    """The live session of a user, without its times."""
    found = running.get(f"/session?profile=Visit&key={user}")
    return {"events": found["events"], "state": found["state"], "carts": len(found["sub_sessions"])}
