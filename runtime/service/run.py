"""A service as a process: its loop and its signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from runtime.config.service import ServiceConfig
from runtime.service.facts import sojourn_version
from runtime.service.spans import exported


class Runnable(Protocol):
    """What runs as a process."""

    config: ServiceConfig

    def stop_on_signals(self) -> None:
        """Has signals stop it."""

    async def run(self, on_ready: Callable[[], None]) -> int:
        """Serves until it is told to stop; how many parts of it have failed."""


def run(service: Runnable, on_ready: Callable[[], None]) -> int:
    """Serves until SIGTERM or SIGINT; how many parts have failed. Raises NoTelemetry, and what the service raises."""

    async def main() -> int:
        service.stop_on_signals()
        return await service.run(on_ready)

    with exported(service.config.traces, sojourn_version()), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop in C where it is installed."""
    try:
        uvloop = import_module("uvloop")  # an extra
    except ImportError:
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made
