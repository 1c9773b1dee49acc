"""Who takes events, as those see it who bring them: the driver of this process, or one that hands them on to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from runtime.config.service import ServedTenant, ServiceConfig
from runtime.io import DeadLetter
from runtime.rules import TenantRules
from runtime.service.intake import Answer, Intake
from runtime.service.records import Position
from runtime.service.source import Source


class Fed(Protocol):
    """A tenant for which events come."""

    received_bytes: int
    """As they came."""
    sources: list[Source]
    """From where they are fetched."""

    @property
    def name(self) -> str:
        """The tenant's name."""

    @property
    def rules(self) -> TenantRules:
        """Its rules of now."""

    @property
    def config(self) -> ServedTenant:
        """What the service knows of it."""

    @property
    def intake(self) -> Intake:
        """How much of it waits, and whether more is taken."""

    @property
    def positions(self) -> dict[str, Position]:
        """Where each source goes on, by its name: what it gave before is taken for good."""

    @property
    def responses(self) -> dict[int, int]:
        """Requests by HTTP status."""


class Taker(Protocol):
    """Takes events of tenants."""

    @property
    def config(self) -> ServiceConfig:
        """The configuration of the service."""

    @property
    def clock_ms(self) -> Callable[[], int]:
        """What time it is."""

    @property
    def tenants(self) -> Mapping[str, Fed]:
        """The tenants by name."""

    async def offer(
        self,
        served: Fed,
        lines: Sequence[bytes],
        size: int,
        source: str,
        *,
        first_line: int = 1,
        letters: Sequence[DeadLetter] = (),
        position: Position | None = None,
        partition: int = 0,
    ) -> Answer:
        """Takes lines of a tenant, and says what became of them; as `Host.offer`. Raises NotTaken."""
