"""Reloads of the shop under load: how long events wait for one, and whether all of them are there afterwards.

Not part of the tests: machines are noisy, and the sender takes its share of the processor.

    python tests/bench/reload.py [--sessions 100000] [--reloads 5]

Each reload adds a rule, by which open sessions get one more counter. The state goes to a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from served import HEADERS, Served

SHOP = Path(__file__).parents[2] / "examples" / "shop"
BATCH = 200
RULE = "\n@Name('extra {0}') @UpdateCounter('extra{0}') select 1 from ShopEvent;\n"


class Sender:
    """Sends events of visitors whose sessions are open, one batch after the other; `waits_s` of each its answer."""

    def __init__(self, url: str, sessions: int) -> None:
        self.sent = 0
        self.waits_s: list[float] = []
        self._url, self._sessions = url, sessions
        self._client = httpx.Client(timeout=60)
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def open(self) -> None:
        """Opens all sessions."""
        for start in range(0, self._sessions, BATCH):
            self._send(range(start, min(start + BATCH, self._sessions)))

    def start(self) -> None:
        """Sends until it is ended."""
        self._thread.start()

    def end(self) -> None:
        """Returns when the last batch was answered."""
        self._is_done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_done.is_set():
            self._send(random.randrange(self._sessions) for _ in range(BATCH))

    def _send(self, visitors: Iterable[int]) -> None:
        now_ms = time.time_ns() // 1_000_000
        events = [
            {
                "user_id": f"visitor-{each:07}",
                "ts": now_ms,
                "et": "view",
                "url": f"/p/{each % 5000}",
                "device": "mobile",
            }
            for each in visitors
        ]
        body = b"\n".join(json.dumps(event).encode() for event in events)
        began = time.perf_counter()
        self._client.post(self._url, content=body, headers=HEADERS).raise_for_status()
        self.waits_s.append(time.perf_counter() - began)
        self.sent += len(events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--reloads", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(SHOP, folder / "shop")
        with Served(folder / "shop", state=folder / "state") as service:
            measure(folder / "shop" / "visit.epl", service, options)


def measure(rules: Path, service: Served, options: argparse.Namespace) -> None:
    """Reloads now and then while events come, and prints what is found."""
    sender = Sender(service.events("shop"), options.sessions)
    tenant = service.monitor("/api/v1/tenants/shop")
    sender.open()
    sender.waits_s.clear()
    sender.start()
    time.sleep(3)
    before = sorted(sender.waits_s)
    for number in range(options.reloads):
        sender.waits_s.clear()
        version = ask(tenant)["version"]
        began = time.perf_counter()
        rules.write_text(rules.read_text() + RULE.format(number))
        while (found := ask(tenant))["version"] == version:
            time.sleep(0.02)
        took_s = time.perf_counter() - began
        last = found["last"]
        slowest_ms = max(sender.waits_s) * 1000
        print(
            f"{last['sessions']:,} sessions: {took_s:.1f} s from the change of the file, events waited "
            f"{last['pause_ms']:.1f} ms, slowest answer meanwhile {slowest_ms:.0f} ms"
        )
        time.sleep(1)
    sender.end()
    taken = sum(httpx.get(tenant).json()["outcomes"].values())
    print(f"answers before: p50 {before[len(before) // 2] * 1000:.0f} ms, slowest {before[-1] * 1000:.0f} ms")
    print(f"sent {sender.sent:,}, taken {taken:,}")


def ask(tenant: str) -> Any:
    """What the API says of the versions."""
    return httpx.get(f"{tenant}/versions").json()


if __name__ == "__main__":
    main()
