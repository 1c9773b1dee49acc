"""Services that are killed at any moment, and started again: nothing is lost, nothing is doubled, everything ends.

`SOJOURN_SEEDS` says how many lives are rehearsed; `make test-chaos` takes a hundred.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from .killing import Killable, Sender, Zygote, change_rules, end_in_peace, judge, killed_after, tenant_of
from .running import Receiver, wait_for

pytestmark = pytest.mark.chaos

KILLED = (signal.SIGKILL,)
WAYS = (KILLED, KILLED, KILLED, (signal.SIGTERM,), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGKILL))
SEEDS = int(os.environ.get("SOJOURN_SEEDS", "5"))


@pytest.fixture(scope="module")
def zygotes() -> Iterator[tuple[Zygote, ...]]:
    """What services are forked from."""
    made = Zygote(1), Zygote(2)
    yield made
    for each in made:
        each.close()


def write_configuration(random: Random, folder: Path, receiver: Receiver | None, followed: Path | None) -> bool:
    """Writes a tenant and a service's configuration; True when the tenant has sub-sessions."""
    tenant = tenant_of(random)
    (folder / "shop").mkdir()
    (folder / "shop" / "sessionizer.yaml").write_text(json.dumps(tenant))
    shop = {"name": "shop", "files": {"rotate_size": random.choice(("20KiB", "64MiB"))}}
    if receiver is not None:
        shop["http"] = [{"url": receiver.url, "batch": random.choice((7, 500)), "timeout": "500ms"}]
    if followed is not None:
        shop["follow"] = [{"file": str(followed)}]
    service = {
        "durability": {
            "sync": random.choice(("each_second", "each_batch")),
            "snapshot_every": random.choice(("20ms", "300ms", "1m")),
        },
        "stop_time": "1s",
        "tenants": [shop],
    }
    (folder / "service.yaml").write_text(json.dumps(service))
    return bool(tenant["profiles"][0]["sub_sessions"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_at_any_moment(seed: int, tmp_path: Path, zygotes: tuple[Zygote, ...], receiver: Receiver) -> None:
    random = Random(seed)
    server = receiver if random.random() < 0.5 else None
    followed = tmp_path / "events.ndjson" if random.random() < 0.5 else None
    carts = write_configuration(random, tmp_path, server, followed)
    sender = Sender(random)
    are_changed = random.random() < 0.5
    for life in range(4):
        if are_changed and random.random() < 0.5:
            change_rules(tmp_path, f"down{life}")
        service = Killable(random.choice(zygotes), tmp_path)
        if followed is not None:
            sender.append(followed)
        if random.random() < 0.3:
            killed_after(service, random.uniform(0, 0.3), signal.SIGKILL).join()
        else:
            service.wait_until_ready()
            receiver.status, receiver.delay_s = random.choice(((200, 0.0), (200, 0.2), (503, 0.0)))
            if are_changed:
                # Seen a moment later, and read in some tenths of a second.
                threading.Timer(random.uniform(0, 0.3), change_rules, (tmp_path, f"up{life}")).start()
            killed_after(service, random.uniform(0, 1.6 if are_changed else 0.8), *random.choice(WAYS))
            sender.send_until_it_dies(service)
        service.end()
    receiver.status, receiver.delay_s = 200, 0.0
    last = Killable(random.choice(zygotes), tmp_path)
    end_in_peace(last, sender)
    judge(sender, tmp_path / "state", server, carts=carts)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The state's folder, as a disk of two megabytes of its own."""
    state = tmp_path / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(state)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount a small disk here; test_durable has a limit of the size of files")
    yield state
    subprocess.run(["umount", "--lazy", str(state)], check=True)


def test_a_disk_that_is_full_for_a_while(small_disk: Path, zygotes: tuple[Zygote, ...], tmp_path: Path) -> None:
    random = Random(3)
    carts = write_configuration(random, tmp_path, None, None)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    sender = Sender(random)
    service = Killable(zygotes[0], tmp_path)
    service.wait_until_ready()
    wait_for(lambda: sender.send(service) == 503)
    assert {sender.send(service) for _ in range(5)} <= {200, 503}, "less may fit still"
    killed_after(service, 0, signal.SIGKILL)
    service.end()
    service = Killable(zygotes[1], tmp_path)
    service.wait_until_ready()
    ballast.unlink()
    wait_for(lambda: sender.send(service) == 200)
    end_in_peace(service, sender)
    judge(sender, small_disk, None, carts=carts)
