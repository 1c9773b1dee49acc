"""Tenants written as a mapping, and an engine whose output is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.engine import Engine
from runtime.output import decorated, to_json
from runtime.rules import TenantRules, compile_tenant


class Sent:
    """An output that keeps what leaves and when, decoded."""

    wants_events = True

    def __init__(self) -> None:
        self.sent: list[tuple[int, dict[str, Any]]] = []

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        self.sent.append((now_ms, json.loads(decorated(raw, decorations) if decorations else raw)))

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        self.marker(fields, now_ms)
        return True

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        self.sent.append((now_ms, json.loads(to_json(fields))))


@pytest.fixture(scope="session")
def compile_text(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], TenantRules]:
    """Compiles the tenant of a configuration (JSON is YAML). Raises InvalidInput."""

    def compile_config(config: dict[str, Any]) -> TenantRules:
        folder: Path = tmp_path_factory.mktemp("tenant")
        (folder / "sessionizer.yaml").write_text(json.dumps({"tenant": "test", **config}))
        return compile_tenant(load_tenant(folder))

    return compile_config


@pytest.fixture(scope="session")
def engine_of(compile_text: Callable[[dict[str, Any]], TenantRules]) -> Callable[..., tuple[Engine, Sent]]:
    """The engine of a configuration, and what leaves it. Many examples of one test share what is compiled."""

    @lru_cache(maxsize=64)
    def rules(text: str) -> TenantRules:
        return compile_text(json.loads(text))

    def engine(config: dict[str, Any], **options: Any) -> tuple[Engine, Sent]:
        output = Sent()
        return Engine(rules(json.dumps(config)), output, **options), output

    return engine
