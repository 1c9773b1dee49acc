"""Where a tenant's events are fetched from, as the service sees it: something that runs until it is told to stop."""

from __future__ import annotations

from typing import Protocol

from runtime.service.delivery import Health


class Source(Protocol):
    """Fetches events and acknowledges those that were taken; what goes wrong is told by `health`, and tried again.

    `lags` says for each partition how many events wait there; those of which it is not known are left out.
    """

    name: str
    health: Health
    lags: dict[str, int]

    async def run(self) -> None:
        """Fetches until it is told to stop."""

    def stop(self) -> None:
        """Fetches no more; what was taken is acknowledged."""
