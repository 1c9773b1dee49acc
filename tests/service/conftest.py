"""Services at work, and a web server that they may send to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from .killing import Zygote
from .running import TENANT, Receiver, Running


@pytest.fixture
def serve(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[..., Running]]:
    """Starts services that are stopped at the end, while the receiver is still there."""
    with ExitStack() as stack:
        count = 0

        def start(
            *tenants: dict[str, Any],
            service: str = "",
            state: Path | None = None,
            positions: Mapping[str, str | int] = MappingProxyType({}),
        ) -> Running:
            nonlocal count
            count += 1
            folder = tmp_path / f"service-{count}"
            folder.mkdir(exist_ok=True)
            for name in ("admin", "shop"):
                (folder / f"{name}.token").write_text(f"the-token-of-{name}\n")
            running = Running(folder, list(tenants) or [TENANT], service, state or folder / "state", positions)
            stack.callback(running.close)
            return running

        yield start


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    """A service of one tenant, with defaults."""
    return serve()


@pytest.fixture
def quiet(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> Running:
    """A service that reloads when it is told to, and not since a file changes."""
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
    return serve()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server for what leaves."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """What processes of services are forked from: a start takes a tenth of the time."""
    made = Zygote(1)
    yield made
    made.close()


After = Callable[..., Running]


@pytest.fixture
def after_crash(serve: Callable[..., Running], tmp_path: Path) -> After:
    """Starts a service on a copy of the state of one that is running: what a crash would leave behind."""

    def start(
        crashed: Running, do: Callable[[Path], None] = lambda state: None, service: str = "", *tenants: dict[str, Any]
    ) -> Running:
        copy = tmp_path / "crashed"
        shutil.copytree(crashed.state, copy)
        do(copy)
        started = serve(*tenants, state=copy, service=service)
        started.now_ms = crashed.now_ms
        return started

    return start
