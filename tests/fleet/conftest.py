"""Fleets at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.service.running import TENANT, Receiver

from . import fronts
from .hosts import Fleet


@pytest.fixture
def gather(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts fleets that are stopped at the end."""
    with ExitStack() as stack:

        def start(*tenants: dict[str, Any], workers: int = 2, service: str = "") -> Fleet:
            (tmp_path / "admin.token").write_text("the-token-of-admin\n")
            fleet = Fleet(tmp_path, list(tenants) or [TENANT], workers, service)
            stack.callback(fleet.close)
            return fleet

        yield start


@pytest.fixture
def fleet(gather: Callable[..., Fleet]) -> Fleet:
    """Two workers, one tenant, defaults."""
    return gather()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., fronts.Fleet]]:
    """Starts real services with workers, which are stopped at the end."""
    with ExitStack() as stack:

        def started(*tenants: dict[str, Any], service: str = "", workers: int = 2) -> fronts.Fleet:
            for each in tenants:
                fronts.write_tenant(tmp_path, each)
            fleet = fronts.Fleet(tmp_path, service, workers)
            stack.callback(fleet.close)
            return fleet

        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server for what leaves."""
    made = Receiver()
    yield made
    made.close()
