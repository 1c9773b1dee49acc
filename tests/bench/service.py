"""The service beside the replay: events a second over HTTP, how long a batch takes at half of that, what logs cost.

Not part of the tests: machines are noisy, and the sender takes its share of the processor. What counts are ratios.

    python tests/bench/service.py EVENTS [--tenant FOLDER] [--batch 1000] [--seconds 20] [--flood | --workers 2]

EVENTS is a file of NDJSON for the tenant, `tests/bench/job_p` when none is named. The state goes to a temporary folder.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from multiprocessing import Pool
from pathlib import Path
from random import random
from statistics import median
from urllib.parse import urlsplit

import yaml
from served import HEADERS, Served

from runtime.config import load_tenant
from runtime.config.service import load_service
from runtime.rules import compile_tenant
from runtime.service.host import SLICE, Host
from runtime.service.log import Log
from runtime.service.records import Record

HERE = Path(__file__).parent
_FLOODS = 4
"""Processes that flood."""
_TURNS = 12
"""How often each kind of flood comes, each time for a quarter of the seconds."""
_BEFORE_S = 1.5
"""A flood has begun by then, and all its connections are made."""
_MANY = 100
"""Connections over which ten times the limit comes all the same: each waits half a second for an answer of 429."""


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
    parser.add_argument(
        "--flood", action="store_true", help="what a tenant feels of another that sends ten times its limit"
    )
    parser.add_argument("--workers", type=int, help="one process, then so many workers, by turns")
    options = parser.parse_args()
    lines = options.events.read_bytes().splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        base = replayed_per_second(options.tenant, options.events, folder)
        print(f"replay              {base:10,.0f} events/s")
        if options.workers:
            by_turns(options.tenant, lines, options.workers, options.batch, options.seconds, folder)
        elif options.flood:
            flooded(options.tenant, lines, base, options.seconds, folder)
        else:
            alone(options.tenant, lines, base, options.batch, options.seconds, folder)


def batches_of(lines: list[bytes], size: int) -> list[bytes]:
    """The lines as bodies of requests."""
    return [b"".join(lines[start : start + size]) for start in range(0, len(lines), size)]


def alone(tenant: Path, lines: list[bytes], base: float, size: int, seconds: float, folder: Path) -> None:
    """One tenant, at full and at half load."""
    batches = batches_of(lines, size)
    with Served(tenant, state=folder / "state") as service:
        url = service.events(load_tenant(tenant).tenant)
        full = send(url, batches, size, seconds, None)[0]
        print(f"service, full load  {full:10,.0f} events/s  {full / base:.2f} of the replay")
        half, times = send(url, batches, size, seconds, full / 2)
        p50_ms, p99_ms = quantiles_ms(times)
        said = f"a batch of {size}: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms"
        print(f"service, half load  {half:10,.0f} events/s  {said}")
    print(f"the log             {log_costs(tenant, lines, folder)}")


def by_turns(tenant: Path, lines: list[bytes], workers: int, size: int, seconds: float, folder: Path) -> None:
    """One process, and one in front of workers, three times each; both have as many senders as there are workers.

    All of them share the processors: what more of these would give is not seen where there are fewer than processes.
    """
    batches = batches_of(lines, size)
    name = load_tenant(tenant).tenant
    rates: tuple[list[float], list[float]] = [], []
    for turn in range(3):
        for found, more in zip(rates, ((), ("--workers", str(workers))), strict=True):
            with Served(tenant, *more, state=folder / f"{turn}-{len(more)}") as service, Pool(workers) as senders:
                orders = [(service.events(name), batches, size, seconds, None)] * workers
                load = os.getloadavg()[0]
                found.append(sum(rate for rate, _ in senders.starmap(send, orders)))
                called = f"{workers} workers" if more else "one process"
                print(f"{called:18}  {found[-1]:10,.0f} events/s; {load:.1f} processes were busy before")
    print(f"the best of three beside the best of three: {max(rates[1]) / max(rates[0]):.2f} times as many")


def flooded(tenant: Path, lines: list[bytes], base: float, seconds: float, folder: Path) -> None:
    """A calm tenant by itself, then beside one that would send as many events as a replay reads: ten times its limit.

    Over a connection of each process, and over many. By turns, and medians of them: machines have moods. Senders have
    no processor of the service's, as if they were elsewhere; else who is answered waits there until it has paused. That
    needs Linux, and two processors.
    """
    limit = int(base / 10)
    calm, flooding = (with_name(tenant, folder / name, rate) for name, rate in (("calm", 0), ("flooding", limit)))
    few, many = batches_of(lines, 100), batches_of(lines, 1000)
    processors = os.sched_getaffinity(0)
    with Served(calm, flooding, state=folder / "state", processors={min(processors)}) as service:
        os.sched_setaffinity(0, processors - {min(processors)})
        send(service.events("calm"), few, 100, 2, base / 20)
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(_TURNS):
            for title, connections in (
                ("calm", 0),
                (f"{_FLOODS} connections flood", _FLOODS),
                (f"{_MANY} connections flood", _MANY),
            ):
                order = (service.events("flooding"), many, seconds / 4 + _BEFORE_S, limit * 10, connections)
                with Pool(_FLOODS) as processes:
                    floods = processes.starmap_async(_flood, [order] * (_FLOODS if connections else 0))
                    time.sleep(_BEFORE_S)
                    took = quantiles_ms(send(service.events("calm"), few, 100, seconds / 4, base / 20)[1])
                    times = sum(floods.get()) / limit
                print(
                    "{:21}  a batch of 100: p50 {:.1f} ms, p99 {:.1f} ms; {:.1f} times the limit".format(
                        title, *took, times
                    ),
                    flush=True,
                )
                found.setdefault(title, []).append(took)
    p50_ms, p99_ms = map(median, zip(*found.pop("calm"), strict=True))
    for title, all_took in found.items():
        p50, p99 = map(median, zip(*all_took, strict=True))
        print(f"{title:21}  medians: p50 {p50 / p50_ms:.2f}, p99 {p99 / p99_ms:.2f} times as long as when calm")


def _flood(url: str, batches: list[bytes], seconds: float, per_second: float, connections: int) -> float:
    """One process's share of a flood; events a second. It comes from elsewhere: it takes the processor from nobody."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    period_s = 1000 * connections / per_second

    def sender() -> float:
        # Else all of them would send in the same moment, and again in the same moment.
        time.sleep(random() * period_s)
        return send(url, batches, 1000, seconds, per_second / connections)[0]

    with ThreadPoolExecutor(connections // _FLOODS) as senders:
        sending = [senders.submit(sender) for _ in range(connections // _FLOODS)]
        return sum(each.result() for each in sending)


def with_name(tenant: Path, folder: Path, rate: int) -> Path:
    """The tenant by the name of a folder, and with a limit of so many events a second."""
    shutil.copytree(tenant, folder)
    config = yaml.safe_load((folder / "sessionizer.yaml").read_text())
    config["tenant"] = folder.name
    config["limits"] = {**config.get("limits", {}), "rate": rate}
    (folder / "sessionizer.yaml").write_text(yaml.safe_dump(config))
    return folder


def quantiles_ms(times: list[float]) -> tuple[float, float]:
    """The median, and what 99 of 100 do not exceed."""
    times = sorted(times)
    p50_ms, p99_ms = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return p50_ms, p99_ms


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
        assert response.status in (200, 429)
        times.append(time.perf_counter() - sent)
    return len(times) * size / (time.perf_counter() - began), times


if __name__ == "__main__":
    main()
