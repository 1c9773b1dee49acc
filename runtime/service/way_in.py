"""What has come in for a tenant, for monitoring: counted where the listeners and the sources are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.service.latency import Latency
from runtime.service.source import Source


@dataclass(frozen=True, slots=True)
class WayIn:
    """What comes in for a tenant.

    `problem` is what keeps its events from being taken, in words. `responses` counts requests by HTTP status,
    `received_bytes` as they came; `waiting_*` is what has had no answer yet.
    """

    is_paused: bool
    problem: str | None
    responses: Mapping[int, int]
    received_bytes: int
    waiting_batches: int
    waiting_bytes: int
    latency: Latency
    sources: Sequence[Source]
