"""What serves until somebody stops it: from a thread, or by a signal; who stops it twice is in a hurry."""

from __future__ import annotations

import asyncio
import signal

from runtime.service.watch import Watcher


class Stoppable:
    """A service, or the process in front of several. `run` sets `_loop`, and waits for `_stop` and for `_hurry`."""

    _watcher: Watcher

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_watching(self) -> bool:
        """True when a change of a tenant's files is noticed."""
        return self._watcher.is_watching.is_set()

    def stop(self) -> None:
        """Stops; told again, it hurries. Safe to call from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_stop)

    def _on_stop(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT stop it, SIGHUP reloads all rules. In the main thread, within the loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._watcher.reload_all)
