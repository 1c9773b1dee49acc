"""The driver by itself: whose turn it is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from runtime.config import load_service, load_tenant
from runtime.rules import TenantRules, compile_tenant
from runtime.service.host import Host

from .running import TENANT, click, lines_of


def rules_of(folder: Path, name: str) -> TenantRules:
    """The tenant of all these tests, by another name."""
    (folder / name).mkdir()
    (folder / name / "sessionizer.yaml").write_text(json.dumps({**TENANT, "tenant": name}))
    return compile_tenant(load_tenant(folder / name))


def test_one_tenants_flood_does_not_keep_another_waiting(tmp_path: Path) -> None:
    host = Host([rules_of(tmp_path, name) for name in ("flooding", "calm")], load_service(None), tmp_path)

    async def both() -> tuple[int, int]:
        flood = lines_of([click(f"user-{number}") for number in range(5_000)]).splitlines()
        few = lines_of([click("ann")]).splitlines()
        flooding = asyncio.create_task(host.offer(host.tenants["flooding"], flood, 1, "test"))
        calm = asyncio.create_task(host.offer(host.tenants["calm"], few, 1, "test"))
        await asyncio.sleep(0)
        working = asyncio.create_task(host.run())
        first, _ = await asyncio.wait((flooding, calm), return_when=asyncio.FIRST_COMPLETED)
        assert first == {calm}, "it came later, and is done earlier"
        answers = (await flooding).accepted, (await calm).accepted
        working.cancel()
        return answers

    assert asyncio.run(both()) == (5_000, 1)
    host.close()
