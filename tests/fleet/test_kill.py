"""Workers and the process in front of them are killed at any moment: nothing is lost, nothing is doubled, all ends.

`SOJOURN_SEEDS` says how many lives are rehearsed; `make test-chaos` takes a hundred.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.service.killing import Killable, Sender, Zygote, change_rules, end_in_peace, judge, killed_after
from tests.service.running import Receiver
from tests.service.test_kill import write_configuration

pytestmark = pytest.mark.chaos

SEEDS = int(os.environ.get("SOJOURN_SEEDS", "2"))
WORKERS = 2


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """What services are forked from."""
    made = Zygote(1)
    yield made
    made.close()


def children(pid: int) -> list[int]:
    """The processes that a process has begun."""
    with suppress(OSError):
        return [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]
    return []


def kill(*pids: int) -> None:
    """Ends processes, those that are there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def killing_workers(random: Random, service: Killable, seconds: float) -> threading.Thread:
    """Ends a worker now and then, for so many seconds, and then the service in one of many ways."""
    deadline = time.monotonic() + seconds
    pauses = [random.uniform(0, 1.5) for _ in range(20)]
    choices = [random.randrange(WORKERS) for _ in pauses]
    last = random.choice(("front", "all", "all", "term"))

    def work() -> None:
        for pause, choice in zip(pauses, choices, strict=True):
            time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
            if time.monotonic() >= deadline:
                break
            workers = children(service.pid)
            kill(*workers[choice : choice + 1])
        workers = children(service.pid) if last == "all" else []
        os.kill(service.pid, signal.SIGTERM if last == "term" else signal.SIGKILL)
        kill(*workers)
        service.is_over = True

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("seed", range(SEEDS))
def test_workers_and_the_front_are_killed_at_any_moment(
    seed: int, tmp_path: Path, zygote: Zygote, receiver: Receiver
) -> None:
    random = Random(seed)
    server = receiver if random.random() < 0.5 else None
    followed = tmp_path / "events.ndjson" if random.random() < 0.7 else None
    carts = write_configuration(random, tmp_path, server, followed)
    sender = Sender(random)
    are_changed = random.random() < 0.5
    for life in range(3):
        service = Killable(zygote, tmp_path, "--workers", str(WORKERS))
        if followed is not None:
            sender.append(followed)
        if random.random() < 0.2:
            killed_after(service, random.uniform(0, 2), signal.SIGKILL).join()
        else:
            service.wait_until_ready()
            if are_changed:
                threading.Timer(random.uniform(0, 1), change_rules, (tmp_path, f"life{life}")).start()
            killer = killing_workers(random, service, random.uniform(0.5, 3))
            sender.send_until_it_dies(service)
            killer.join()
        service.end()
    last = Killable(zygote, tmp_path, "--workers", str(WORKERS))
    end_in_peace(last, sender)
    judge(sender, tmp_path / "state", server, carts=carts)
