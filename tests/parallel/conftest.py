"""Tenants, and replays of them by one process and by several."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.rules import TenantRules, compile_tenant

from .sides import Sides


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


@pytest.fixture(scope="session")
def rules_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], TenantRules]:
    """Compiles a configuration, each once."""

    @lru_cache(maxsize=64)
    def compiled(text: str) -> TenantRules:
        folder = tmp_path_factory.mktemp("tenant")
        (folder / "sessionizer.yaml").write_text(text)
        return compile_tenant(load_tenant(folder))

    return lambda config: compiled(json.dumps({"tenant": "test", **config}))
