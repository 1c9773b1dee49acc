"""A tenant's queue and its limit of events a second: who is let in, and who has to come again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from runtime.service.intake import Intake, NotTaken

from .running import NDJSON, TENANT, Running, click, lines_of

TEN = [click(f"user-{number}") for number in range(10)]


def test_what_is_being_read_counts_as_what_came_last() -> None:
    """Else all that come while the first is read would be read in vain."""

    async def requests() -> None:
        intake = Intake("shop", max_waiting=1 << 20, rate=100)
        intake.put("http", [b"{}"] * 60, 120)
        intake.check()
        with intake.expecting(), pytest.raises(NotTaken, match="100 events of this second") as refused:
            intake.check()
        assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
        intake.check()

    asyncio.run(requests())


def test_one_that_is_long_on_its_way_keeps_no_other_from_coming() -> None:
    async def requests() -> None:
        intake = Intake("shop", max_waiting=1 << 20, rate=1000)
        intake.put("http", [b"{}"] * 1000, 2000)
        with intake.expecting():
            deadline_s = time.monotonic() + 10
            while intake.is_spent and time.monotonic() < deadline_s:
                await asyncio.sleep(0.1)
            intake.put("http", [b"{}"] * 1000, 2000)
        intake.put("http", [b"{}"] * 1000, 2000)
        assert intake.is_spent

    asyncio.run(requests())


def test_what_comes_to_nothing_gives_no_more_than_a_second_has() -> None:
    async def requests() -> None:
        intake = Intake("shop", max_waiting=1 << 20, rate=1000)
        intake.put("http", [b"{}"] * 100, 200)
        with intake.expecting():
            # By then all of the second is there again.
            await asyncio.sleep(0.3)
        intake.put("http", [b"{}"] * 1050, 2100)
        assert intake.is_spent

    asyncio.run(requests())


def test_without_a_limit_any_number_is_read_at_a_time() -> None:
    async def requests() -> None:
        intake = Intake("shop", max_waiting=1 << 20)
        intake.put("http", [b"{}"] * 60, 120)
        with ExitStack() as requests_at_work:
            for _ in range(1000):
                requests_at_work.enter_context(intake.expecting())
            intake.check()

    asyncio.run(requests())


def test_whoever_sends_too_much_waits_for_the_answer_and_nobody_else_does(serve: Callable[..., Running]) -> None:
    running = serve({**TENANT, "limits": {"rate": 2}}, {**TENANT, "tenant": "calm"})
    running.send(TEN)

    def refused() -> float:
        began_s = time.monotonic()
        response = running.ingest.post("/v1/events/shop", content=lines_of(TEN), headers=NDJSON)
        assert response.status_code == 429
        return time.monotonic() - began_s

    with ThreadPoolExecutor() as senders:
        waiting = [senders.submit(refused) for _ in range(8)]
        assert running.send(TEN, "calm")["accepted"] == 10
        waited_s = [each.result() for each in waiting]
    assert min(waited_s) >= 0.25
    assert max(waited_s) - min(waited_s) > 0.01, "those that were refused together come back one by one"
