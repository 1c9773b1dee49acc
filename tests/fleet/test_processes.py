"""A worker's process that cannot begin, or dies again and again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runtime.config.service import load_service
from runtime.fleet.facts import WorkerState
from runtime.fleet.link import Link
from runtime.fleet.messages import Spec
from runtime.fleet.processes import WorkerProcess


def test_one_that_dies_again_and_again_is_down(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where a folder should be")
    spec = Spec(0, tmp_path / "state", tmp_path / "monitor.sock", load_service(None), {})
    process = WorkerProcess(Link(0), lambda: spec, lambda link: None)

    async def live() -> None:
        keeping = asyncio.create_task(process.keep())
        async with asyncio.timeout(120):
            while not process.is_down:
                assert process.facts().state is WorkerState.STARTING
                await asyncio.sleep(0.01)
        assert process.facts().state is WorkerState.DOWN
        assert process.problem is not None and "File exists" in process.problem
        assert process.restarts == 4
        assert not keeping.done()
        process.stop(1.0)
        await keeping

    asyncio.run(live())
