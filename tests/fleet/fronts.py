"""A real service of several processes: the front in a thread, its workers as they always are."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx

from runtime.config import load_tenant
from runtime.config.service import Address, load_service
from runtime.fleet.front import Front
from runtime.rules import compile_tenant
from tests.service.killing import written
from tests.service.running import NDJSON, TENANT, lines_of, wait_for

SHORT: dict[str, Any] = {
    **TENANT,
    "profiles": [
        {
            **TENANT["profiles"][0],
            "gap": "1s",
            "rules_text": """\
@DecorateEvent select session.eventCount as clicks from Click;
""",
            "sub_sessions": [],
        }
    ],
}
"""The shop with sessions that end soon, of which each event says how many its session has had."""
LONG: dict[str, Any] = {**SHORT, "profiles": [{**SHORT["profiles"][0], "gap": "30m"}]}
"""The same with sessions that stay open."""


class Fleet:
    """A front at work with its workers, for the tenants of a folder."""

    def __init__(self, folder: Path, service_yaml: str, workers: int) -> None:
        self.folder, self.state = folder, folder / "state"
        rules = [compile_tenant(load_tenant(each.parent)) for each in sorted(folder.glob("*/sessionizer.yaml"))]
        (folder / "service.yaml").write_text(service_yaml)
        free = Address("127.0.0.1", 0)
        config = load_service(folder / "service.yaml").listening(free, free)
        self.front = Front(rules, config, self.state, workers)
        self.left: int | None = None
        self.error: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(30)
        self.ingest = httpx.Client(base_url=self.front.ingest_url, timeout=60)
        self.monitor = httpx.Client(base_url=self.front.monitor_url, timeout=60)

    def _run(self) -> None:
        try:
            self.left = asyncio.run(self.front.run(self._ready.set))
        except Exception as error:
            self.error = error
        finally:
            self._ready.set()

    def send(self, events: list[dict[str, Any]], tenant: str = "shop", status: int = 200) -> dict[str, Any]:
        """Sends events; the answer, which has this status."""
        response = self.ingest.post(f"/v1/events/{tenant}", content=lines_of(events), headers=NDJSON)
        assert response.status_code == status, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def out(self, tenant: str = "shop") -> list[dict[str, Any]]:
        """What has left so far, of all workers."""
        return [line for each in range(len(self.front.controls.workers())) for line in self.out_of(each, tenant)]

    def out_of(self, worker: int, tenant: str = "shop") -> list[dict[str, Any]]:
        """What one worker has written so far."""
        file = self.state / "workers" / str(worker) / "out" / f"{tenant}.ndjson"
        text = file.read_bytes() if file.exists() else b""
        # The last line may be on its way.
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters of all workers."""
        return [json.loads(line) for line in written(self.state, "dead-letters")]

    def kill(self, worker: int) -> None:
        """Kills a worker, and waits until another process is in its place and ready."""
        pid = self.front.controls.workers()[worker].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.front.controls.workers()[worker].pid not in (None, pid))
        wait_for(lambda: self.front.controls.workers()[worker].state == "ready")

    def order(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
        """What the API answers to an order about the shop, with this status."""
        response = self.monitor.post(f"/api/v1/tenants/shop{path}", json=body or {})
        assert response.status_code == status, response.text
        found: dict[str, Any] = response.json()
        return found

    def stop(self) -> int:
        """Stops it, and waits; how many parts failed."""
        if self._thread.is_alive():
            self.front.stop()
        self._thread.join(60)
        if self.error is not None:
            raise self.error
        assert self.left is not None
        return self.left

    def close(self) -> None:
        """Stops it if it runs."""
        self.ingest.close()
        self.monitor.close()
        if self._thread.is_alive():
            self.stop()


def write_tenant(folder: Path, config: dict[str, Any]) -> None:
    """Writes a tenant's folder, as editors save."""
    place = folder / config["tenant"]
    place.mkdir(exist_ok=True)
    beside = place / "sessionizer.yaml~"
    beside.write_text(json.dumps(config))
    os.replace(beside, place / "sessionizer.yaml")
