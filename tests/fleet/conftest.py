"""Fleets at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.service.running import TENANT

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
