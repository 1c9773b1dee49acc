"""Services that begin with another number of workers each time, and are killed at any moment, while they move, too.

`SOJOURN_SEEDS` says how many lives are rehearsed; `make test-chaos` takes a hundred.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.service.killing import Killable, Sender, Zygote, change_rules, end_in_peace, judge, killed_after
from tests.service.running import Receiver
from tests.service.test_kill import write_configuration

from .test_kill import children, kill

pytestmark = pytest.mark.chaos

SEEDS = int(os.environ.get("SOJOURN_SEEDS", "1"))


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """What services are forked from."""
    made = Zygote(1)
    yield made
    made.close()


def begun(zygote: Zygote, folder: Path, workers: int | None) -> Killable:
    """A service with so many workers, or without."""
    return Killable(zygote, folder, *(() if workers is None else ("--workers", str(workers))))


def end_at_once(service: Killable, random: Random) -> None:
    """Ends a service in one of several ways."""
    workers = children(service.pid) if random.random() < 0.5 else []
    killed_after(service, 0, random.choice((signal.SIGKILL, signal.SIGTERM))).join()
    kill(*workers)
    service.end()


def kill_while_it_moves(service: Killable, state: Path, random: Random) -> None:
    """Kills a service at some time after it has begun to move sessions, or a moment after it was begun."""
    deadline_s = time.monotonic() + 2
    while not any((state / name).exists() for name in ("moving", "moved")) and time.monotonic() < deadline_s:
        time.sleep(0.001)
    killed_after(service, random.choice((0, random.uniform(0, 0.1), random.uniform(0, 1))), signal.SIGKILL).join()
    service.end()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_sessions_move_to_one_number_after_the_other(
    seed: int, tmp_path: Path, zygote: Zygote, receiver: Receiver
) -> None:
    random = Random(seed)
    server = receiver if random.random() < 0.5 else None
    followed = tmp_path / "events.ndjson" if random.random() < 0.5 else None
    carts = write_configuration(random, tmp_path, server, followed)
    sender = Sender(random)
    for number, workers in enumerate((None, 3, 2, None)):
        for _ in range(random.choice((0, 1, 3))):
            service = begun(zygote, tmp_path, workers)
            kill_while_it_moves(service, tmp_path / "state", random)
        if random.random() < 0.3:
            change_rules(tmp_path, f"at{number}")
        service = begun(zygote, tmp_path, workers)
        service.wait_until_ready()
        if followed is not None:
            sender.append(followed)
        changer = threading.Timer(random.uniform(0, 1), change_rules, (tmp_path, f"in{number}"))
        if random.random() < 0.3:
            changer.start()
        until_s = time.monotonic() + random.uniform(0.1, 1)
        while time.monotonic() < until_s:
            sender.send(service)
        end_at_once(service, random)
        if changer.is_alive():
            changer.join()
    last = begun(zygote, tmp_path, random.choice((None, 2)))
    end_in_peace(last, sender)
    judge(sender, tmp_path / "state", server, carts=carts)
