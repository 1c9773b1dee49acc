"""The driver by itself: whose turn it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from runtime.config import load_tenant
from runtime.config.service import load_service
from runtime.reorder import Taken
from runtime.rules import TenantRules, compile_tenant
from runtime.service.host import Host
from runtime.tenants import TenantEngine

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


class Defective(TenantEngine):
    """An engine that does not survive an event of `boom`."""

    def _noted(self, turns: Iterable[Taken]) -> Iterator[Taken]:
        for taken in super()._noted(turns):
            if b"boom" in taken.line:
                raise RuntimeError("a defect")
            yield taken


def test_a_tenant_that_a_defect_switched_off_goes_on_with_a_version_without_it(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, "shop")
    letters = tmp_path / "dead-letters" / "shop.ndjson"

    def host(engine: type[TenantEngine]) -> Host:
        made = Host([rules], load_service(None), tmp_path, clock_ms=lambda: 1_000_000, engine=engine)
        asyncio.run(made.recover())
        return made

    def accept(host: Host, *users: str) -> None:
        lines = lines_of([click(user) for user in users]).splitlines()
        host.accept(host.tenants["shop"], lines, "test", 1)

    first = host(Defective)
    accept(first, "ann", "ann")
    accept(first, "ann", "boom", "bob")
    accept(first, "bob")
    codes = [json.loads(line)["code"] for line in letters.read_bytes().splitlines()]
    assert codes == ["disabled"] * 3, "boom, and bob twice"
    first.close()
    again = host(Defective)
    assert again.tenants["shop"].disabled is not None
    again.close()
    mended = host(TenantEngine)
    assert len(letters.read_bytes().splitlines()) == 3, "none is written again"
    table = mended.tenants["shop"].tenant.engine.profiles[0].table
    found = {user: None if (session := table.find(user)) is None else session.count for user in ("ann", "bob")}
    assert found == {"ann": 3, "bob": 1}, "what came after the defect stays with the dead letters"
    accept(mended, "eve")
    assert len(letters.read_bytes().splitlines()) == 3
    mended.close()
