"""A worker that hears how far the events of others have come: its log, and a shadow, have all of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from runtime.config import load_tenant
from runtime.config.service import load_service
from runtime.rules import compile_tenant
from runtime.service.host import Host
from runtime.service.records import Heard, Mark
from runtime.service.reload import Reloader
from runtime.service.shadow import Shadow
from tests.service.running import click, lines_of

from .test_front import BY_EVENTS

WALL_MS = 5_000_000


def host_of(folder: Path) -> Host:
    """A worker's host, for a state that may be there already."""
    (folder / "sessionizer.yaml").write_text(json.dumps(BY_EVENTS))
    rules = compile_tenant(load_tenant(folder))
    return Host([rules], load_service(None), folder / "state", clock_ms=lambda: WALL_MS + 1000)


def take(host: Host) -> None:
    """Events of ann, among which the clock goes on elsewhere: one is late by that, and her first session ends."""
    marks = [Mark(0, 1, 500, WALL_MS), Mark(1, 0, 20_000, WALL_MS), Mark(3, 0, 40_000, WALL_MS)]
    lines = lines_of([click("ann", at=at) for at in (10_000, 17_999, 19_000)]).splitlines()
    host.accept(host.tenants["shop"], lines, "test", 1, heard=Heard(WALL_MS, marks))


def test_what_was_heard_is_heard_again_after_a_crash(tmp_path: Path) -> None:
    async def run() -> None:
        first, second = host_of(tmp_path), None
        await first.recover()
        take(first)
        first.close()
        second = host_of(tmp_path)
        await second.recover()
        before, after = (each.tenants["shop"] for each in (first, second))
        assert after.tenant.engine.clocks_state() == before.tenant.engine.clocks_state()
        assert after.outlet.sequence.number == before.outlet.sequence.number
        assert after.letters.counts == before.letters.counts == {"late": 1}
        assert after.tenant.engine.come_to() == {0: (40_000, WALL_MS), 1: (500, WALL_MS)}
        second.close()

    asyncio.run(run())


def test_a_shadow_hears_what_the_running_one_hears(tmp_path: Path) -> None:
    async def run() -> None:
        host = host_of(tmp_path)
        await host.recover()
        served = host.tenants["shop"]
        reloader = Reloader(host, {"shop": served.versions.add(served.rules.config, WALL_MS)})
        await reloader.catch_up()
        shadow = await reloader.cast_shadow(served, served.version)
        assert isinstance(shadow, Shadow)
        take(host)
        compared = shadow.data()["comparison"]
        assert (compared["events"]["same"], compared["events"]["different"]) == (2, 0)
        assert (compared["ends"]["same"], compared["ends"]["only_running"], compared["ends"]["only_shadow"]) == (
            2,
            0,
            0,
        )
        assert shadow.data()["problem"] is None
        reloader.close()
        host.close()

    asyncio.run(run())
