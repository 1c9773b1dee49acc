"""Where a tenant's lines go, as the driver sees it: a way that may be stuck, and says so instead of raising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.rules import TenantRules


@dataclass(slots=True)
class Health:
    """How a way in or out is doing: lines that it was given, failures so far, and what is wrong right now."""

    lines: int = 0
    failures: int = 0
    problem: str | None = None

    def failed(self, problem: str) -> None:
        """Counts a failure."""
        self.failures += 1
        self.problem = problem

    def went_well(self) -> None:
        """What was wrong is over."""
        self.problem = None


class Delivery(Protocol):
    """Takes lines in order and delivers each at least once, or keeps it until it can.

    Lines are numbered by their order, from the tenant's beginning on, through all runs of the service. While it is not
    `is_ready`, no more events of its tenant are taken in, and its sessions do not end.
    """

    name: str
    health: Health

    @property
    def is_ready(self) -> bool:
        """True when it may be given more."""

    @property
    def waiting_bytes(self) -> int:
        """What it was given and could not deliver yet."""

    @property
    def taken(self) -> int:
        """The number of the first line that is not delivered for good; all before are."""

    def resume(self, taken: int) -> int:
        """Lines before that number are known to be delivered. Called once, before the first `write`.

        The number of the first line that it wants: `taken`, or a later one where it can tell for itself.
        """

    def waiting_lines(self) -> list[bytes]:
        """What it was given and has not delivered, from `taken` on: a snapshot keeps it."""

    def go_by(self, rules: TenantRules) -> None:
        """Lines come by other rules of the tenant from here on."""

    def write(self, lines: list[bytes]) -> None:
        """Takes the lines, whatever its state."""

    def tick(self) -> None:
        """About a second has passed."""

    async def drain(self, seconds: float) -> None:
        """Delivers what waits, for as long as it may take."""

    def close(self) -> None:
        """Lets go of everything; a snapshot has what still waits, or a log that makes it come again."""
