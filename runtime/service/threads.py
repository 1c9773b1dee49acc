"""Work that blocks, such as a client library's own loop, beside the service's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_thread(name: str, do: Callable[[], T]) -> T:
    """What a function gives that runs in a thread of its own, which does not keep the process alive.

    The threads of asyncio's executor do: a client that hangs as it closes would hold up the end of the service.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(do())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    # Whoever waits may be cancelled; the thread goes on.
    return await asyncio.shield(asyncio.wrap_future(result))
