"""Lines sent to a web server in batches, each until it has been taken.

Whatever is not answered with 2xx is sent again, with the same `Idempotency-Key`, after 0.5 s, then 1 s, up to 30 s, or
when the server says; nothing is dropped. A batch that is too large for the server (413) is cut in two. After a crash
what had been sent in the last second may be sent again, in batches of other lines: the ids of markers tell.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from uuid import uuid4

import urllib3

from runtime.config.service import HttpConfig
from runtime.rules import TenantRules
from runtime.service import spans
from runtime.service.delivery import Health

_log = logging.getLogger("sojourn.service.http")

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_TOO_LARGE = 413


class _Refused(Exception):
    """The server answered with another status than 2xx; `retry_after_s` is when it wants to be asked again."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(f"it answered {status}")
        self.status = status
        is_seconds = retry_after is not None and retry_after.isascii() and retry_after.isdigit()
        self.retry_after_s = float(retry_after) if is_seconds and retry_after is not None else 0.0


class HttpDelivery:
    """A `Delivery` to a web server; `wake` is called when one that was stuck is free again.

    It sends from a task of the running loop, which is made with the first lines; the waiting is done in a thread.
    """

    def __init__(self, config: HttpConfig, wake: Callable[[], None]) -> None:
        self.name = config.url
        self.health = Health()
        self._config = config
        self._wake = wake
        self._lines: deque[bytes] = deque()
        self._number = 0
        self._waiting_bytes = 0
        self._batch = config.batch
        self._at_once: list[bytes] = []
        self._key = ""
        self._has_lines = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sojourn-http")
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False)
        self._headers = {"Content-Type": "application/x-ndjson", "User-Agent": "sojourn"}
        if config.token is not None:
            self._headers["Authorization"] = f"Bearer {config.token}"

    @property
    def waiting_bytes(self) -> int:
        """What was not taken yet."""
        return self._waiting_bytes

    @property
    def is_ready(self) -> bool:
        """False while the server takes nothing, or less than comes."""
        return self.health.problem is None and self._waiting_bytes < self._config.max_waiting

    @property
    def taken(self) -> int:
        """The number of the first line that no server has answered for."""
        return self._number

    def resume(self, taken: int) -> int:
        """Goes on there: what servers have had, only they can tell."""
        self._number = taken
        return taken

    def waiting_lines(self) -> list[bytes]:
        """The lines that were not taken yet, those on their way too."""
        return list(self._lines)

    def go_by(self, rules: TenantRules) -> None:
        """Nothing: a line is a line."""

    def write(self, lines: list[bytes]) -> None:
        """Queues lines."""
        self._lines += lines
        self._waiting_bytes += sum(map(len, lines)) + len(lines)
        self.health.lines += len(lines)
        self._has_lines.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_all())

    def tick(self) -> None:
        """Nothing: the task waits by itself."""

    async def drain(self, seconds: float) -> None:
        """Waits until everything was taken, no longer than this."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._waiting_bytes and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Stops sending."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = _FIRST_WAIT_S
        while True:
            if not self._lines:
                self._has_lines.clear()
                await self._has_lines.wait()
            if not self._at_once:
                self._at_once = list(islice(self._lines, self._batch))
                self._key = uuid4().hex
            try:
                await loop.run_in_executor(self._thread, self._post, b"\n".join((*self._at_once, b"")), self._key)
            except _Refused as error:
                if error.status == _TOO_LARGE and len(self._at_once) > 1:
                    self._batch = len(self._at_once) // 2
                    self._at_once = []
                    continue
                self._failed(str(error))
                await asyncio.sleep(max(wait_s, min(error.retry_after_s, _LONGEST_WAIT_S)))
            except (urllib3.exceptions.HTTPError, OSError) as error:
                self._failed(f"it cannot be reached: {_reason(error)}")
                await asyncio.sleep(wait_s)
            else:
                wait_s = _FIRST_WAIT_S
                self._taken()
                continue
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _taken(self) -> None:
        was_ready = self.is_ready
        for line in self._at_once:
            self._lines.popleft()
            self._waiting_bytes -= len(line) + 1
        self._number += len(self._at_once)
        self._at_once = []
        if self.health.problem is not None:
            _log.info("lines are taken again", extra={"incident": {"sink": self.name}})
        self.health.went_well()
        if not was_ready and self.is_ready:
            self._wake()

    def _failed(self, problem: str) -> None:
        if self.health.problem is None:
            _log.warning("lines are not taken", extra={"incident": {"sink": self.name, "problem": problem}})
        self.health.failed(problem)

    def _post(self, body: bytes, key: str) -> None:
        with spans.sent("deliver", {**self._headers, "Idempotency-Key": key}) as headers:
            answer = self._pool.request(
                "POST",
                self._config.url,
                body=body,
                headers=headers,
                timeout=self._config.timeout_ms / 1000,
                redirect=False,
            )
            spans.answered(answer.status)
        if not 200 <= answer.status < 300:
            raise _Refused(answer.status, answer.headers.get("Retry-After"))


def _reason(error: BaseException) -> str:
    """What the system said, if it is that, else what kind of error it is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "no answer in time" if isinstance(error, urllib3.exceptions.TimeoutError) else type(error).__name__
