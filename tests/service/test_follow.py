"""Files that are followed: as they grow, are rotated and cut short, and from one run to the next."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .running import TENANT, Running, click, lines_of, wait_for


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file that is followed, not there yet."""
    return tmp_path / "events.ndjson"


@pytest.fixture
def follow(serve: Callable[..., Running], log: Path) -> Callable[..., Running]:
    """Starts a service that follows the file."""

    def start(state: Path | None = None, **more: object) -> Running:
        service = f"tenants: [{{name: shop, follow: [{{file: {log}}}]}}]"
        return serve({**TENANT, **more}, service=service, state=state)

    return start


def append(log: Path, *users: str) -> None:
    """Writes an event of each user."""
    with log.open("ab") as file:
        file.write(lines_of([click(user) for user in users]))


def users(running: Running) -> list[str]:
    """Whose events have come through."""
    return [each["user"] for each in running.out() if "user" in each]


def test_it_is_waited_for_and_followed_as_it_grows(follow: Callable[..., Running], log: Path) -> None:
    running = follow()
    append(log, "ann", "bob")
    wait_for(lambda: users(running) == ["ann", "bob"])
    with log.open("ab") as file:
        file.write(b'{"user": ')
        file.flush()
        file.write(b'"eve"}\n')
    wait_for(lambda: users(running) == ["ann", "bob", "eve"])


def test_it_is_rotated(follow: Callable[..., Running], log: Path) -> None:
    append(log, "ann")
    running = follow()
    wait_for(lambda: users(running) == ["ann"])
    with log.open("ab") as old:
        log.rename(log.with_suffix(".1"))
        old.write(b'{"user": "bob"}\n{"user": "the last, without an end"}')
    append(log, "eve")
    wait_for(lambda: users(running) == ["ann", "bob", "the last, without an end", "eve"])


def test_it_is_cut_short_and_begun_again(follow: Callable[..., Running], log: Path) -> None:
    append(log, "ann", "bob")
    running = follow()
    wait_for(lambda: users(running) == ["ann", "bob"])
    os.truncate(log, 0)
    append(log, "eve")
    wait_for(lambda: users(running) == ["ann", "bob", "eve"])


def test_the_next_run_goes_on(follow: Callable[..., Running], log: Path) -> None:
    append(log, "ann", "bob")
    first = follow()
    wait_for(lambda: users(first) == ["ann", "bob"])
    first.stop()
    append(log, "eve")
    second = follow(state=first.state)
    wait_for(lambda: users(second) == ["ann", "bob", "eve"])
    (position,) = second.service.host.tenants["shop"].positions.values()
    assert str(position).split()[2] == "4", "the next line"


def test_dead_letters_have_their_file_and_line(follow: Callable[..., Running], log: Path) -> None:
    log.write_bytes(lines_of([click("ann")]) + b"no\n" + b"x" * 500 + b"\n")
    running = follow(limits={"max_line": "100"})
    letters = wait_for(lambda: len(found := running.get("/dead-letters")["dead_letters"]) == 2 and found)
    assert sorted((each["line"], each["code"], each["source"]) for each in letters) == [
        (2, "bad_json", str(log)),
        (3, "too_long", str(log)),
    ]


def test_a_paused_tenant_loses_nothing(follow: Callable[..., Running], log: Path) -> None:
    running = follow()
    running.monitor.post("/api/v1/tenants/shop/pause", json={})
    append(log, "ann")
    running.monitor.post("/api/v1/tenants/shop/resume", json={})
    wait_for(lambda: users(running) == ["ann"])
