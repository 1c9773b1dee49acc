"""Stops a rule that takes too long for one event, such as a regular expression that backtracks for hours.

A timer interrupts the process every so often and looks at what is running. The same call of generated code at work for
longer than the limit is a rule that will not come back: it fails with an error, as if it had divided by zero. Nothing
is asked of the code itself, so watching costs nothing.
"""

from __future__ import annotations

import linecache
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

from epl.errors import RuleError

_GENERATED = "<sojourn "
_LOOKS = 4
"""Looks within the limit, so that it is kept to a quarter."""


class Watchdog:
    """Watches the rules that run in the main thread while it is entered; a limit of 0 watches nothing.

    Timers are signals, which only the main thread takes and which some systems do not have: elsewhere it does nothing.
    """

    def __init__(self, limit_ms: int) -> None:
        self.stopped = 0
        """Rules that were stopped."""
        self._limit_s = limit_ms / 1000
        self._frame: FrameType | None = None
        self._since = 0.0
        self._before: Any = None
        self._is_on = (
            limit_ms > 0 and hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        )

    def __enter__(self) -> Self:
        if self._is_on:
            self._before = signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, self._limit_s / _LOOKS, self._limit_s / _LOOKS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_on:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
        self._frame = None

    def _look(self, number: int, frame: FrameType | None) -> None:
        while frame is not None and not frame.f_code.co_filename.startswith(_GENERATED):
            frame = frame.f_back
        now = time.monotonic()
        if frame is None or frame is not self._frame:
            self._frame, self._since = frame, now
        elif now - self._since >= self._limit_s and _is_guarded(frame):
            # Whatever comes after it in the same call has the whole time again.
            self._since = now
            self.stopped += 1
            raise RuleError(f"it took longer than {self._limit_s:g} s")


def _is_guarded(frame: FrameType) -> bool:
    """True where generated code catches what a rule raises: within `try`."""
    lines = linecache.getlines(frame.f_code.co_filename)
    place = frame.f_lineno - 1
    indent = _indent(lines[place])
    for line in reversed(lines[:place]):
        if line.strip() and _indent(line) < indent:
            indent = _indent(line)
            if line.strip() == "try:":
                return True
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
