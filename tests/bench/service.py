"""The service beside the replay: events a second over HTTP, how long a batch takes at half of that, what logs cost.

Not part of the tests: machines are noisy, and the sender takes its share of the processor. What counts are ratios.

    python tests/bench/service.py EVENTS [--tenant FOLDER] [--batch 1000] [--seconds 20]

EVENTS is a file of NDJSON for the tenant, `tests/bench/job_p` when none is named. The state goes to a temporary folder.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from runtime.config import load_service, load_tenant
from runtime.rules import compile_tenant
from runtime.service.host import SLICE, Host
from runtime.service.log import Log
from runtime.service.records import Record

HERE = Path(__file__).parent
HEADERS = {"Content-Type": "application/x-ndjson"}


def replayed_per_second(tenant: Path, events: Path, folder: Path) -> float:
    """Events a second of `sojourn replay`, writing every event."""
    command = ["replay", str(tenant), str(events), "--out", str(folder / "replayed.ndjson"), "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "runtime.cli", *command], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["events_per_second"])


class NoLog(Log):
    """Keeps nothing."""

    def append(self, record: Record) -> None:
        """Nothing."""


def log_costs(tenant: Path, lines: list[bytes], folder: Path) -> str:
    """What the log adds to the way of events within the service, and how long a disk takes to have a batch.

    Two services take the same slices by turns, so that whatever else the machine does is felt by both.
    """
    hosts = [
        Host([compile_tenant(load_tenant(tenant))], load_service(None), folder / name) for name in ("kept", "not-kept")
    ]
    kept, not_kept = (next(iter(host.tenants.values())) for host in hosts)
    not_kept.log = NoLog(not_kept.log.folder)
    took_s = {id(kept): 0.0, id(not_kept): 0.0}
    synced_s = []
    for start in range(0, min(len(lines), 200_000), SLICE):
        slice_ = [line.rstrip(b"\n") for line in lines[start : start + SLICE]]
        for host, served in zip(hosts, (kept, not_kept), strict=True):
            began = time.perf_counter()
            host.accept(served, slice_, "bench", start + 1)
            took_s[id(served)] += time.perf_counter() - began
        if start % (20 * SLICE) == 0:
            handle = kept.log.handle()
            assert handle is not None
            began = time.perf_counter()
            os.fdatasync(handle)
            synced_s.append(time.perf_counter() - began)
            os.close(handle)
    for host in hosts:
        host.close()
    ratio = took_s[id(not_kept)] / took_s[id(kept)]
    return f"{ratio:.3f} of the rate without a log; a sync {sorted(synced_s)[len(synced_s) // 2] * 1000:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--tenant", type=Path, default=HERE / "job_p")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    lines = options.events.read_bytes().splitlines(keepends=True)
    batches = [b"".join(lines[start : start + options.batch]) for start in range(0, len(lines), options.batch)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        base = replayed_per_second(options.tenant, options.events, folder)
        print(f"replay              {base:10,.0f} events/s")
        command = ["serve", str(options.tenant), "--state", str(folder / "state")]
        command += ["--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
        service = subprocess.Popen([sys.executable, "-m", "runtime.cli", *command], stdout=subprocess.PIPE, text=True)
        assert service.stdout is not None
        greeting = "".join(service.stdout.readline() for _ in range(2))
        url = re.findall(r"http://\S+", greeting)[0]
        full = send(url, batches, options.batch, options.seconds, None)[0]
        print(f"service, full load  {full:10,.0f} events/s  {full / base:.2f} of the replay")
        half, times = send(url, batches, options.batch, options.seconds, full / 2)
        times.sort()
        p50_ms, p99_ms = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
        said = f"a batch of {options.batch}: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms"
        print(f"service, half load  {half:10,.0f} events/s  {said}")
        service.terminate()
        service.wait()
        print(f"the log             {log_costs(options.tenant, lines, folder)}")


def send(
    url: str, batches: list[bytes], size: int, seconds: float, per_second: float | None
) -> tuple[float, list[float]]:
    """Sends batches over one connection, as fast as they are taken or at a pace; events a second, seconds a batch."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    times: list[float] = []
    began = time.perf_counter()
    for number, batch in enumerate(cycle(batches)):
        if per_second is not None:
            time.sleep(max(0.0, began + number * size / per_second - time.perf_counter()))
        sent = time.perf_counter()
        if sent - began > seconds:
            break
        connection.request("POST", parts.path, batch, HEADERS)
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        times.append(time.perf_counter() - sent)
    return len(times) * size / (time.perf_counter() - began), times


if __name__ == "__main__":
    main()
