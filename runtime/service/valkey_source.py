"""Events from a stream of Valkey or Redis, as one consumer of a group.

An entry is acknowledged when it was taken. What a run before took and did not acknowledge is known by our position,
the ids of the entries taken last, which is written together with what they did: it is acknowledged and not taken again.
Entries that another consumer holds for too long are taken over.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.config import Start
from runtime.config.connectors import ValkeyInConfig
from runtime.io import RAW_LIMIT_BYTES, DeadLetter
from runtime.letters import too_long_letter
from runtime.service.batches import FIRST_WAIT_S, LONGEST_WAIT_S
from runtime.service.host import SLICE
from runtime.service.intake import NotTaken
from runtime.service.taker import Fed, Taker
from runtime.service.trouble import Trouble
from runtime.service.valkey_client import ERRORS, connection, reason

_log = logging.getLogger("sojourn.service.valkey")

_LOOK_MS = 200
_LAG_S = 1.0
_AGAIN_S = 0.5

Entry = tuple[bytes, Mapping[bytes, bytes] | None]
"""An id, and the fields; None where the stream does not have them any more."""


class ValkeySource:
    """A `Source`."""

    def __init__(self, host: Taker, served: Fed, config: ValkeyInConfig) -> None:
        self.name = f"valkey:{config.stream}"
        self.lags: dict[str, int] = {}
        self._host = host
        self._served = served
        self._config = config
        self._trouble = Trouble(_log, "source", self.name)
        self.health = self._trouble.health
        self._consumer = config.consumer or socket.gethostname()
        self._field = config.field.encode()
        self._start = "$" if config.start is Start.LATEST else "0"
        self._is_stopping = asyncio.Event()
        self._client: Any = connection(config.url, config.password)
        """Its commands are typed for clients that wait and for those that do not, at once."""

    def stop(self) -> None:
        """Fetches no more."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Fetches until it is told to stop."""
        wait_s = FIRST_WAIT_S
        while not self._is_stopping.is_set():
            try:
                await self._fetch()
            except ERRORS as error:
                wait_s = FIRST_WAIT_S if self.health.problem is None else min(wait_s * 2, LONGEST_WAIT_S)
                self._trouble.failed(reason(error))
                await self._pause(wait_s)
        await self._client.aclose()

    async def _fetch(self) -> None:
        await self._make_group()
        await self._take_ours()
        loop = asyncio.get_running_loop()
        next_claim_s = next_lag_s = 0.0
        while not self._is_stopping.is_set():
            if loop.time() >= next_claim_s:
                await self._take_over()
                next_claim_s = loop.time() + self._config.claim_after_ms / 2000
            if loop.time() >= next_lag_s:
                await self._see_lag()
                next_lag_s = loop.time() + _LAG_S
            await self._take(await self._read(">"))
            self._trouble.went_well()

    async def _make_group(self) -> None:
        try:
            await self._client.xgroup_create(self._config.stream, self._config.group, id=self._start, mkstream=True)
        except ERRORS as error:
            if "BUSYGROUP" not in str(error):
                raise
        # Should it vanish with its stream while we are here, all that a new one has is news.
        self._start = "0"

    async def _read(self, after: str) -> list[Entry]:
        """Entries of the group that nobody has, for `>`, waited for; else those of ours that come after an id."""
        found = await self._client.xreadgroup(
            self._config.group,
            self._consumer,
            {self._config.stream: after},
            count=SLICE,
            block=_LOOK_MS if after == ">" else None,
        )
        return [entry for _, entries in found or () for entry in entries]

    async def _take_ours(self) -> None:
        """What was given to us before and is not acknowledged; what was taken is."""
        # First of all, and for the whole group: this machine may have had another name as a consumer.
        await self._acknowledge(str(self._served.positions.get(self.name, "")).encode().split())
        after = "0"
        while (entries := await self._read(after)) and not self._is_stopping.is_set():
            after = entries[-1][0].decode()
            await self._take(entries)

    async def _take_over(self) -> None:
        """What another consumer, which may be dead, has had for too long."""
        after = b"0-0"
        while not self._is_stopping.is_set():
            answer = await self._client.xautoclaim(
                self._config.stream, self._config.group, self._consumer, self._config.claim_after_ms, after, SLICE
            )
            after, entries = answer[0], answer[1]
            if entries:
                incident = {"source": self.name, "entries": len(entries)}
                _log.info("entries of another consumer are taken over", extra={"incident": incident})
                await self._take(entries)
            if after == b"0-0":
                return

    async def _take(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        first = self.health.lines + 1
        letters: list[DeadLetter] = []
        lines = [self._line_of(entry, number, letters) for number, entry in enumerate(entries, first)]
        ids = [entry_id for entry_id, _ in entries]
        position = b" ".join(ids).decode()
        while True:
            offer = asyncio.ensure_future(
                self._host.offer(
                    self._served,
                    lines,
                    sum(map(len, lines)),
                    self.name,
                    first_line=first,
                    letters=letters,
                    position=position,
                )
            )
            await self._keep(ids, offer)
            try:
                await offer
            except NotTaken:
                if self._is_stopping.is_set():
                    return
                await self._pause(_AGAIN_S)
            else:
                self.health.lines += len(lines)
                await self._acknowledge(ids)
                return

    async def _keep(self, ids: list[bytes], offer: asyncio.Future[Any]) -> None:
        """While they wait for their turn, nobody else is to take them over."""
        while not (await asyncio.wait([offer], timeout=self._config.claim_after_ms / 3000))[0]:
            try:
                await self._client.xclaim(self._config.stream, self._config.group, self._consumer, 0, ids, justid=True)
            except ERRORS as error:
                # The offer stands: to fetch the same again now would be to take it twice.
                self._trouble.failed(reason(error))

    def _line_of(self, entry: Entry, number: int, letters: list[DeadLetter]) -> bytes:
        """The event of an entry; where there is none, a blank line, which the engine passes over, and a letter."""
        entry_id, fields = entry
        if fields is None:
            return b""  # there is nothing to tell of, either
        value = fields.get(self._field, b"")
        if not value or value.isspace():
            nothing = f"entry {entry_id.decode()} has nothing in the field `{self._config.field}`"
            letters.append(DeadLetter(nothing, "bad_json", self._served.name, self.name, number, value))
            return b""
        limit = self._served.rules.config.limits.max_line_bytes
        if len(value) > limit:
            head = value[:RAW_LIMIT_BYTES]
            letters.append(too_long_letter(self._served.name, self.name, number, len(value), head, limit))
            return b""
        # In JSON a line break stands between tokens only.
        return value.replace(b"\n", b" ") if b"\n" in value else value

    async def _acknowledge(self, ids: Sequence[bytes]) -> None:
        if ids:
            await self._client.xack(self._config.stream, self._config.group, *ids)

    async def _see_lag(self) -> None:
        for group in await self._client.xinfo_groups(self._config.stream):
            # A server before Redis 7 does not say; none does after entries were deleted in between.
            if group["name"] == self._config.group.encode() and group.get("lag") is not None:
                self.lags = {"0": group["lag"] + group["pending"]}

    async def _pause(self, seconds: float) -> None:
        """Waits, but not when it is time to stop."""
        try:
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        except TimeoutError:
            return
