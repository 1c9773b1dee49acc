"""The API of all workers, asked at once: whoever does not answer is named, and holds nobody up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException

from runtime.fleet.client import PATIENCE_S, Headers, NoAnswer, TooLate, ask
from runtime.fleet.facts import Fleet, WorkerFacts, WorkerState
from runtime.output import to_json
from runtime.protocol import Operation
from runtime.service.api import Query, no_tenant

_LEFT_ALONE_S = 3.0
"""How long a worker that was too late is not asked: a page asks several times, and waits for it once."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one worker said."""

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class Parts:
    """What workers said of one thing, by their numbers; those that are `missing` could not be asked.

    None stands for one that has no such thing, where that may be.
    """

    by_worker: Mapping[int, Any]
    missing: list[int]

    @property
    def all(self) -> list[Any]:
        """What was said, in the order of workers."""
        return list(self.by_worker.values())

    def whole(self, answer: Any) -> Any:
        """An answer made of all parts, which says what is missing from it."""
        return {**answer, "missing": self.missing} if self.missing else answer


class Workers:
    """The workers of a fleet, to be asked."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        token = fleet.config.monitor.token
        self._left_alone_until_s: dict[int, float] = {}
        self.headers: Headers = () if token is None else (("Authorization", f"Bearer {token}"),)

    def facts(self) -> list[WorkerFacts]:
        """All of them, as the front has them."""
        return self._fleet.workers()

    async def every(
        self, operation: Operation, tenant: str = "", query: Query | None = None, *, may_be_none: bool = False
    ) -> Parts:
        """What all say. Raises HTTPException where one says that it cannot be: they would all say so.

        `may_be_none`: where one says that it has no such thing, others may.
        """
        said = await self.each(operation, tenant, query or {}, PATIENCE_S)
        known: dict[int, Any] = {}
        for number, each in said.items():
            # While it starts it answers with 503, whatever it is asked.
            if each is None or each.status == 503:
                continue
            has_none = may_be_none and each.status == 404
            if each.status != 200 and not has_none:
                raise refused(operation, each)
            known[number] = None if has_none else each.data
        return Parts(known, [number for number in said if number not in known])

    async def each(self, operation: Operation, tenant: str, query: Query, patience_s: float) -> dict[int, Said | None]:
        """What each says, asked at once; None where it does not answer."""
        workers = self._fleet.workers()
        asked = [self._one(worker, operation, tenant, query, b"", patience_s) for worker in workers]
        return dict(zip((worker.number for worker in workers), await asyncio.gather(*asked), strict=True))

    async def owner(
        self, operation: Operation, tenant: str, profile: str, key: str, query: Query | None = None, body: Any = None
    ) -> Said:
        """What the one says whose a session is. Raises HTTPException (503) where it does not answer."""
        number = self._fleet.owner(tenant, profile, key)
        said = await self.one(number, operation, tenant, query or {}, b"" if body is None else to_json(body))
        if said is None:
            reason = f"worker {number}, whose session this is, does not answer"
            raise HTTPException(503, reason, {"Retry-After": "1"})
        return said

    async def one(self, number: int, operation: Operation, tenant: str, query: Query, body: bytes = b"") -> Said | None:
        """What the worker of a number says; None where it does not answer."""
        return await self._one(self.named(number), operation, tenant, query, body, PATIENCE_S)

    async def texts(self, operation: Operation) -> dict[int, str]:
        """The texts that those give who answer."""
        workers = [worker for worker in self._fleet.workers() if can_be_asked(worker)]
        found = await asyncio.gather(*(self._text(worker, operation.path) for worker in workers))
        return {worker.number: text for worker, text in zip(workers, found, strict=True) if text is not None}

    def named(self, number: int) -> WorkerFacts:
        """The worker of a number. Raises HTTPException (404)."""
        for worker in self._fleet.workers():
            if worker.number == number:
                return worker
        raise HTTPException(404, f"there is no worker {number}")

    def check(self, tenant: str) -> None:
        """Raises HTTPException (404) where no tenant has this name."""
        if tenant not in self._fleet.tenants:
            raise no_tenant(tenant)

    async def _one(
        self, worker: WorkerFacts, operation: Operation, tenant: str, query: Query, body: bytes, patience_s: float
    ) -> Said | None:
        found = await self._answer(worker, target_of(operation, tenant, query), operation.method, body, patience_s)
        if found is None:
            return None
        status, text = found
        try:
            # Not by msgspec: rules make numbers and half characters that only this reads.
            return Said(status, json.loads(text))
        except ValueError:
            return None

    async def _text(self, worker: WorkerFacts, target: str) -> str | None:
        found = await self._answer(worker, target)
        return found[1].decode() if found is not None and found[0] == 200 else None

    async def _answer(
        self,
        worker: WorkerFacts,
        target: str,
        method: str = "GET",
        body: bytes = b"",
        patience_s: float = PATIENCE_S,
    ) -> tuple[int, bytes] | None:
        """Status and body; None where there is no answer in time, and for a while after that."""
        now_s = time.monotonic()
        if not can_be_asked(worker) or now_s < self._left_alone_until_s.get(worker.number, now_s):
            return None
        try:
            return await ask(
                worker.socket, target, method=method, headers=self.headers, body=body, patience_s=patience_s
            )
        except TooLate:
            self._left_alone_until_s[worker.number] = time.monotonic() + _LEFT_ALONE_S
            return None
        except NoAnswer:
            return None


def can_be_asked(worker: WorkerFacts) -> bool:
    """Whether it is any use to ask a worker: while it starts or is down, nothing is known of its tenants."""
    return worker.state in (WorkerState.READY, WorkerState.STOPPING)


def target_of(operation: Operation, tenant: str, query: Query) -> str:
    """The path and the query of an operation."""
    path = operation.path.replace("{tenant}", quote(tenant, safe=""))
    return f"{path}?{urlencode(query, errors='replace')}" if query else path


def no_workers() -> HTTPException:
    """Nobody answers who could say it."""
    return HTTPException(503, "no worker answers", {"Retry-After": "1"})


def refused(operation: Operation, said: Said) -> HTTPException:
    """What a worker has refused, as it is said to whoever asked."""
    reason = said.data.get("error") if isinstance(said.data, dict) else None
    return HTTPException(said.status, str(reason or f"a worker answered {said.status} to {operation.name}"))
