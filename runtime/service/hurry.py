"""What a stop waits for, until a second signal says that it is to hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

LAST_S = 0.2
"""What a stop in a hurry has left for delivering."""


async def unless_hurried(
    hurry: asyncio.Event, patient: Coroutine[Any, Any, Any], otherwise: Coroutine[Any, Any, Any] | None = None
) -> None:
    """Waits for something, until it is time to hurry: then for something else, or for nothing."""
    task = asyncio.ensure_future(patient)
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait((task, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not task.done():
        task.cancel()
    with suppress(asyncio.CancelledError, TimeoutError):
        await task
    if otherwise is not None and hurry.is_set():
        await otherwise
    elif otherwise is not None:
        otherwise.close()
