"""What monitoring is told by the process in front: which workers there are, and what it counts itself.

Everything else it asks the workers for, over their sockets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from runtime.config.service import ServiceConfig
from runtime.protocol import reload_answers
from runtime.service.outcomes import Outcome
from runtime.service.reload import History
from runtime.service.way_in import WayIn

__all__ = ["Fleet", "WayIn", "WorkerFacts", "WorkerState"]


class WorkerState(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker as the front has it.

    `socket` is where its own monitoring listens, `pid` None while there is no process. `waiting_lines` were given to it
    and are not answered yet, or wait until it is back.
    """

    number: int
    socket: Path
    state: WorkerState
    pid: int | None
    restarts: int
    waiting_lines: int


class Fleet(Protocol):
    """The process in front, as monitoring needs it. A tenant is given by its name, which is one of `tenants`."""

    @property
    def config(self) -> ServiceConfig:
        """The configuration of the service."""

    @property
    def started_ms(self) -> int:
        """When the process began."""

    @property
    def beat_s(self) -> float:
        """When its loop last came round, by the monotonic clock."""

    @property
    def illness(self) -> str | None:
        """What only a restart may help, in words: a worker that dies again and again. None when nothing is wrong."""

    @property
    def tenants(self) -> Collection[str]:
        """The names of all tenants."""

    def workers(self) -> list[WorkerFacts]:
        """All workers, by number."""

    def owner(self, tenant: str, profile: str, key: str) -> int:
        """The number of the worker whose a session is, live or not."""

    def way_in(self, tenant: str) -> WayIn:
        """What comes in for a tenant."""

    def history(self, tenant: str) -> History:
        """The versions of its rules, and what came of reloads."""

    def version(self, tenant: str) -> int:
        """The version that all workers run."""

    async def pause(self, tenant: str) -> None:
        """Takes no more events of a tenant; time goes on."""

    async def resume(self, tenant: str) -> None:
        """Takes its events again."""

    async def reload(self, tenant: str, force: bool) -> Outcome:
        """Has all workers run what the tenant's folder has now, or none; `force`: also where sessions lose something.

        What came of it, with the sessions of all workers.
        """

    async def rollback(self, tenant: str, version: int, force: bool) -> Outcome:
        """The same with a version that is kept."""

    def shadow(self, tenant: str) -> int | None:
        """The version that all workers have begun to run beside the tenant's rules; None where there is none."""

    async def cast_shadow(self, tenant: str, version: int | None) -> Mapping[int, reload_answers.Shadow] | Outcome:
        """Has all workers begin one with a version, or with what the tenant's folder has now, or none.

        What each has then by its number, or what it came to where it came to nothing.
        """

    async def end_shadow(self, tenant: str) -> Mapping[int, reload_answers.Shadow | None]:
        """Ends it in all workers; what each of them had that are there."""
