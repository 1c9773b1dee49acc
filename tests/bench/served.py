"""A service as a process of its own, for whoever measures it from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

HEADERS = {"Content-Type": "application/x-ndjson"}


class Served:
    """`sojourn serve` of tenants' folders, by their options; it is ended with SIGTERM where nothing else has ended it.

    Ready when it is made; `ready_s` is what it took. With `processors` it has only these, which needs Linux.
    """

    def __init__(self, *options: str | Path, state: Path, processors: Iterable[int] = ()) -> None:
        began = time.perf_counter()
        ports = ["--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.cli", "serve", *map(str, options), "--state", str(state), *ports],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if processors:
            os.sched_setaffinity(self._process.pid, processors)
        assert self._process.stdout is not None
        greeting = "".join(self._process.stdout.readline() for _ in range(2))
        self.ready_s = time.perf_counter() - began
        first, self._monitor = re.findall(r"http://\S+", greeting)
        self._ingest = first.rpartition("/")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end(signal.SIGTERM)

    def events(self, tenant: str) -> str:
        """Where the events of a tenant are sent."""
        return f"{self._ingest}/{tenant}"

    def monitor(self, path: str) -> str:
        """Where it is asked about itself."""
        return self._monitor.rstrip("/") + path

    def end(self, by: signal.Signals) -> float:
        """Ends it, if it is there; after how many seconds it had."""
        began = time.perf_counter()
        self._process.send_signal(by)
        self._process.wait()
        return time.perf_counter() - began
