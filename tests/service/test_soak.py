"""A service that works for long keeps no more than it needs: memory, files, threads and logs stay as they were.

`SOJOURN_SOAK_S` says for how many seconds; `make test-chaos` takes ten minutes.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from .killing import Killable, Zygote, killed_after
from .running import NDJSON, TENANT, lines_of, wait_for

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process has is read from /proc"),
]

SOAK_S = float(os.environ.get("SOJOURN_SOAK_S", "10"))
BATCH, PAUSE_S = 100, 0.05
NEEDS = 1.1
"""How much more of anything the last third may have than the second, ..."""
BYTES, COUNT = 8 << 20, 8
"""... and what is noise: bytes of memory and of logs, files and threads."""
TENANTS = ("shop", "app")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a service has at a moment."""

    resident_bytes: int
    files: int
    threads: int
    log_bytes: int

    @classmethod
    def of(cls, pid: int, state: Path) -> Sample:
        """That of a process with its state."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        sizes = []
        for file in (state / "log").rglob("*"):
            try:
                sizes.append(file.stat().st_size)
            except FileNotFoundError:  # its snapshot has come
                continue
        files = len(os.listdir(f"/proc/{pid}/fd"))
        return cls(int(status["VmRSS"].split()[0]) << 10, files, int(status["Threads"]), sum(sizes))


def write_tenant(folder: Path, name: str, counter: str) -> None:
    """A tenant whose sessions end after seconds; its rules count by some name."""
    profile: dict[str, Any] = {**TENANT["profiles"][0], "gap": "2s"}
    profile["sub_sessions"] = [{**profile["sub_sessions"][0], "gap": "1s"}]
    profile["rules_text"] += f"@UpdateCounter('{counter}') select 1 from Click;"
    config = {**TENANT, "tenant": name, "profiles": [profile], "cache": {"hot": 50}}
    (folder / name).mkdir(exist_ok=True)
    beside = folder / name / "new.yaml"
    beside.write_text(json.dumps(config))
    beside.replace(folder / name / "sessionizer.yaml")


def write_configuration(folder: Path) -> None:
    """Two tenants, snapshots and small files all the time."""
    for name in TENANTS:
        write_tenant(folder, name, "first")
    small = {"rotate_size": "1MiB"}
    service = {
        "durability": {"snapshot_every": "1s"},
        "versions": {"keep": 3},
        "tenants": [{"name": name, "files": small} for name in TENANTS],
    }
    (folder / "service.yaml").write_text(json.dumps(service))


class Visitors:
    """Sends the events of visitors who come and go, at a pace, and counts what was taken."""

    def __init__(self, service: Killable, tenant: str) -> None:
        self.taken = 0
        self.refused = 0
        self._url = f"{service.ingest}/v1/events/{tenant}"
        self._random = Random(tenant)
        self._newest = 0

    def run(self, until_s: float) -> None:
        """One batch after the other."""
        with httpx.Client(timeout=60) as client:
            while time.monotonic() < until_s:
                body = lines_of([self._event() for _ in range(BATCH)]) + b'{"user": 7}\n'
                answer = client.post(self._url, content=body, headers=NDJSON)
                assert answer.status_code == 200, answer.text
                self.taken += answer.json()["accepted"]
                self.refused += answer.json()["dead_lettered"]
                time.sleep(PAUSE_S)

    def _event(self) -> dict[str, Any]:
        random = self._random
        self._newest += random.random() < 0.1
        user = f"user-{max(0, self._newest - random.randrange(30))}"
        return {"user": user, "n": random.randrange(9), "cart": random.choice((None, "a", "b")), "page": "/"}


def read(service: Killable, client: httpx.Client) -> None:
    """Looks at all that an operator looks at."""
    assert client.get(f"{service.monitor}/metrics").status_code == 200
    for name in TENANTS:
        for path in ("", "/rules", "/sessions", "/ends", "/dead-letters", "/series", "/versions"):
            assert client.get(f"{service.monitor}/api/v1/tenants/{name}{path}").status_code == 200
        assert client.get(f"{service.monitor}/tenants/{name}").status_code == 200


def at_rest(service: Killable, name: str) -> dict[str, Any] | None:
    """The counters of a tenant, when all its sessions have ended."""
    found: dict[str, Any] = httpx.get(f"{service.monitor}/api/v1/tenants/{name}").json()
    return None if found["live_sessions"] else found


@contextmanager
def at_work(visitors: list[Visitors], until_s: float) -> Iterator[None]:
    """All of them, until the time is over."""
    threads = [threading.Thread(target=each.run, args=(until_s,)) for each in visitors]
    for each in threads:
        each.start()
    yield
    for each in threads:
        each.join()


def most(samples: list[Sample], third: int) -> Sample:
    """The most of each in the second or last third of the time."""
    size = len(samples) // 3
    part = samples[third * size : (third + 1) * size]
    return Sample(*(max(getattr(each, name) for each in part) for name in Sample.__slots__))


def test_what_it_has_does_not_grow(tmp_path: Path) -> None:
    write_configuration(tmp_path)
    zygote = Zygote(1)
    service = Killable(zygote, tmp_path, tenants=TENANTS)
    service.wait_until_ready()
    visitors = [Visitors(service, name) for name in TENANTS]
    samples = []
    ends_s = time.monotonic() + SOAK_S
    with at_work(visitors, ends_s), httpx.Client(timeout=60) as client:
        while time.monotonic() < ends_s:
            samples.append(Sample.of(service.pid, tmp_path / "state"))
            if len(samples) % 5 == 0:
                write_tenant(tmp_path, "shop", f"counter{len(samples)}")
                read(service, client)
            time.sleep(0.5)
    totals = [wait_for(lambda name=name: at_rest(service, name), 30) for name in TENANTS]
    version = httpx.get(f"{service.monitor}/api/v1/tenants/shop/versions").json()["version"]
    killed_after(service, 0, signal.SIGTERM)
    assert service.end() == 0
    zygote.close()
    before, after = most(samples, 1), most(samples, 2)
    taken = sum(each.taken for each in visitors)
    print(f"{taken:,} events, {version} versions of rules in {SOAK_S:.0f} s; {before}, then {after}")
    assert version > len(samples) // 10, "a change of rules every other time at least"
    for each, total in zip(visitors, totals, strict=True):
        assert total["outcomes"]["ok"] == each.taken
        assert total["dead_letters"] == each.refused > 0
    assert after.resident_bytes <= before.resident_bytes * NEEDS + BYTES
    assert after.log_bytes <= before.log_bytes * NEEDS + BYTES
    assert after.files <= before.files + COUNT
    assert after.threads <= before.threads + COUNT
