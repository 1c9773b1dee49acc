"""How long a service is away: a start from a snapshot, and from the log after a kill; how long it pauses for one.

Not part of the tests: machines are noisy. Nothing is sent while it starts.

    python tests/bench/restart.py [--sessions 1000000]

The tenant is the shop, with so many open sessions. The state goes to a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import yaml

SHOP = Path(__file__).parents[2] / "examples" / "shop"
HEADERS = {"Content-Type": "application/x-ndjson"}
BATCH = 1000
_OFTEN = {"durability": {"snapshot_every": "10s"}}
_NEVER = {"durability": {"snapshot_every": "1h", "snapshot_size": "64GiB"}}


class Served:
    """A service of a folder, as a process of its own; `ready_s` is from its start until it takes events."""

    def __init__(self, folder: Path) -> None:
        began = time.perf_counter()
        command = ["serve", str(folder / "shop"), "--state", str(folder / "state")]
        command += ["--config", str(folder / "service.yaml"), "--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.cli", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        greeting = "".join(self._process.stdout.readline() for _ in range(2))
        self.ready_s = time.perf_counter() - began
        self.events, self.monitor = re.findall(r"http://\S+", greeting)

    def send(self, visitors: range) -> float:
        """An event of each; how many a second were taken, making them included."""
        began = time.perf_counter()
        with httpx.Client(timeout=60) as client:
            for start in range(visitors.start, visitors.stop, BATCH):
                now_ms = time.time_ns() // 1_000_000
                lines = [
                    json.dumps(
                        {"user_id": f"visitor-{each:07}", "ts": now_ms, "et": "view", "url": f"/p/{each % 5000}"}
                    )
                    for each in range(start, min(start + BATCH, visitors.stop))
                ]
                client.post(self.events, content="\n".join(lines), headers=HEADERS).raise_for_status()
        return len(visitors) / (time.perf_counter() - began)

    def metric(self, name: str) -> float:
        """What the service says of itself."""
        text = httpx.get(f"{self.monitor}/metrics").text
        return float(re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)[0])

    def end(self, by: signal.Signals) -> float:
        """Ends it; after how many seconds it had."""
        began = time.perf_counter()
        self._process.send_signal(by)
        self._process.wait()
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1_000_000)
    count: int = parser.parse_args().sessions
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(SHOP, folder / "shop")
        config = folder / "shop" / "sessionizer.yaml"
        tenant = yaml.safe_load(config.read_text())
        config.write_text(yaml.safe_dump({**tenant, "cache": {"memory": "4GiB", "hot": 10_000}}))
        (folder / "service.yaml").write_text(json.dumps(_OFTEN))
        first = Served(folder)
        taken = first.send(range(count))
        print(f"{count:,} sessions opened, {taken:,.0f} events/s; started empty in {first.ready_s:.1f} s")
        print(f"the latest snapshot paused it for {first.metric('sojourn_snapshot_pause_seconds') * 1000:.0f} ms")
        print(f"SIGTERM: gone after {first.end(signal.SIGTERM):.1f} s")
        size = sum(file.stat().st_size for file in (folder / "state").rglob("*.snapshot"))
        (folder / "service.yaml").write_text(json.dumps(_NEVER))
        second = Served(folder)
        print(f"from a snapshot of {size / 1e6:,.0f} MB: ready after {second.ready_s:.1f} s")
        second.send(range(count // 5))
        second.end(signal.SIGKILL)
        size = sum(file.stat().st_size for file in (folder / "state").rglob("*.log"))
        third = Served(folder)
        more_s = third.ready_s - second.ready_s
        print(f"killed, and {size / 1e6:,.0f} MB of log beside it: ready after {third.ready_s:.1f} s")
        print(f"the log again: {count // 5 / more_s:,.0f} events/s")
        live = third.metric("sojourn_sessions_active")
        third.end(signal.SIGKILL)
        print(f"{live:,.0f} sessions")


if __name__ == "__main__":
    main()
