"""The front's end of the way to a worker: what is sent, in which order, and what after the worker has died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from runtime.fleet.link import Given, Link, NotDone
from runtime.fleet.messages import Answered, Order, Part, Ready, Reply, decode_order, pickled


class Worker:
    """The other end: notes what it was sent."""

    def __init__(self, link: Link, taken: int = 0) -> None:
        self.sent: list[Any] = []
        link.connected(lambda data: self.sent.append(decode_order(data[4:])))
        link.ready(Ready({"shop": taken}, []))

    @property
    def numbers(self) -> list[int]:
        """The parts that it was sent."""
        return [each.number for each in self.sent]


def give(link: Link, *lines: bytes, is_due: bool = True) -> Given:
    """Gives a part of these lines."""
    part = Part("shop", link.next_number("shop"), b"test", 1, list(lines or [b"{}"]), None, [], 0)
    return link.give(part, is_due=is_due)


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that is a coroutine."""

    def run() -> None:
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@in_loop
async def test_an_answer_is_that_of_its_part() -> None:
    link = Link(0)
    Worker(link)
    first, second = give(link, b"{}", b"{}"), give(link)
    assert link.waiting_lines == 3
    link.hear(Answered("shop", 2, 0, 1, [(7, "bad_json", b"why")]))
    assert second.answered.done() and not first.answered.done()
    answer = second.answered.result()
    assert (answer.refused, answer.letters[0].line, answer.letters[0].reason) == (1, 7, "why")
    assert link.waiting_lines == 2


@in_loop
async def test_what_a_worker_had_not_taken_is_sent_again_in_order() -> None:
    link = Link(0)
    before = Worker(link)
    given = [give(link, b"{}", b" ") for _ in range(4)]
    assert before.numbers == [1, 2, 3, 4]
    link.disconnected()
    given.append(give(link))
    after = Worker(link, taken=2)
    assert after.numbers == [3, 4, 5]
    assert [each.answered.done() for each in given] == [True, True, False, False, False]
    assert given[0].answered.result().accepted == 1


@in_loop
async def test_numbers_go_on_behind_those_that_the_worker_knows() -> None:
    link = Link(0)
    worker = Worker(link, taken=41)
    give(link)
    assert worker.numbers == [42]


@in_loop
async def test_a_part_that_is_not_due_holds_up_those_behind_it() -> None:
    link = Link(0)
    worker = Worker(link)
    first = give(link, is_due=False)
    give(link)
    assert worker.numbers == []
    first.is_due()
    assert worker.numbers == [1, 2]


@in_loop
async def test_an_order_is_answered_or_comes_to_nothing() -> None:
    link = Link(3)
    with pytest.raises(NotDone, match="worker 3 is not there"):
        await link.ask("pause", "shop")
    worker = Worker(link)
    asked = [asyncio.ensure_future(link.ask("pause", "shop")) for _ in range(3)]
    await asyncio.sleep(0)
    orders = [each for each in worker.sent if isinstance(each, Order)]
    link.hear(Reply(orders[0].call, pickled({"a": 1})))
    link.hear(Reply(orders[1].call, b"", "it cannot"))
    link.disconnected()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(each) for each in found] == ["{'a': 1}", "worker 3: it cannot", "worker 3 ended"]
