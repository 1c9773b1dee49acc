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
import tempfile
import time
from pathlib import Path

import httpx
import yaml
from served import HEADERS, Served

SHOP = Path(__file__).parents[2] / "examples" / "shop"
BATCH = 1000
OFTEN = {"snapshot_every": "10s"}
NEVER = {"snapshot_every": "1h", "snapshot_size": "64GiB"}


def send(service: Served, visitors: range) -> float:
    """An event of each; how many a second were taken, making them included."""
    began = time.perf_counter()
    with httpx.Client(timeout=60) as client:
        for start in range(visitors.start, visitors.stop, BATCH):
            now_ms = time.time_ns() // 1_000_000
            lines = [
                json.dumps({"user_id": f"visitor-{each:07}", "ts": now_ms, "et": "view", "url": f"/p/{each % 5000}"})
                for each in range(start, min(start + BATCH, visitors.stop))
            ]
            client.post(service.events("shop"), content="\n".join(lines), headers=HEADERS).raise_for_status()
    return len(visitors) / (time.perf_counter() - began)


def metric(service: Served, name: str) -> float:
    """What the service says of itself."""
    text = httpx.get(service.monitor("/metrics")).text
    return float(re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)[0])


def serve(folder: Path, durability: dict[str, str]) -> Served:
    """The shop of the folder, from the state that is there."""
    (folder / "service.yaml").write_text(json.dumps({"durability": durability}))
    return Served(folder / "shop", "--config", folder / "service.yaml", state=folder / "state")


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
        first = serve(folder, OFTEN)
        taken = send(first, range(count))
        print(f"{count:,} sessions opened, {taken:,.0f} events/s; started empty in {first.ready_s:.1f} s")
        print(f"the latest snapshot paused it for {metric(first, 'sojourn_snapshot_pause_seconds') * 1000:.0f} ms")
        print(f"SIGTERM: gone after {first.end(signal.SIGTERM):.1f} s")
        size = sum(file.stat().st_size for file in (folder / "state").rglob("*.snapshot"))
        second = serve(folder, NEVER)
        print(f"from a snapshot of {size / 1e6:,.0f} MB: ready after {second.ready_s:.1f} s")
        send(second, range(count // 5))
        second.end(signal.SIGKILL)
        size = sum(file.stat().st_size for file in (folder / "state").rglob("*.log"))
        third = serve(folder, NEVER)
        more_s = third.ready_s - second.ready_s
        print(f"killed, and {size / 1e6:,.0f} MB of log beside it: ready after {third.ready_s:.1f} s")
        print(f"the log again: {count // 5 / more_s:,.0f} events/s")
        live = metric(third, "sojourn_sessions_active")
        third.end(signal.SIGKILL)
        print(f"{live:,.0f} sessions")


if __name__ == "__main__":
    main()
