"""Another number of workers for a state, or one process: its sessions move to whoever owns them by then.

Each old part comes back as a start with the old number has it; the sessions are divided anew, and written as snapshots
of the new parts beside the old ones, which they take the place of all at once (`runtime.service.switch`). Whoever dies
before that leaves the old parts, and after it the new ones.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from runtime.cache.strange import pack_any
from runtime.config.service import ServiceConfig
from runtime.disk import sync
from runtime.engine import Engine
from runtime.fleet.beside import beside
from runtime.fleet.division import CannotDivide, divide
from runtime.fleet.journal import Journal, journal_folder
from runtime.fleet.parts import PartTaken, locked_part, part_of
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes
from runtime.fleet.settling import CannotMove, Settled
from runtime.frames import new_file
from runtime.output import NOWHERE
from runtime.rules import TenantRules
from runtime.service import switch
from runtime.service.host import wall_ms
from runtime.service.layout import Layout, StateTaken, is_of_one
from runtime.service.log import Log, NotLogged, snapshot_file
from runtime.service.records import Position
from runtime.service.run import loop_factory
from runtime.service.served import Served, clock_of, file_name, log_of
from runtime.service.service import locked
from runtime.service.snapshots import state_of
from runtime.service.versions import VersionError, Versions
from runtime.snapshot import write
from runtime.tenants import check_names

_log = logging.getLogger("sojourn.fleet")


def move(rules: Iterable[TenantRules], config: ServiceConfig, state: Path, workers: int | None) -> None:
    """Has a folder of state be for so many workers, or for one process where that is None.

    Raises StateTaken where it cannot, and InvalidInput, TenantTwice, NoClock, CannotConnect and StateDamaged as a start
    does; then the old number goes on with it.
    """
    given = list(rules)
    config.check(each.config.tenant for each in given)
    check_names(given)
    lock = locked(state)
    try:
        layout = Layout.read(state)
        before = None if layout is None else layout.workers
        if before == workers or (layout is None and not is_of_one(state)):
            return
        with ExitStack() as stack:
            try:
                for number in range(before or 0):
                    stack.callback(os.close, locked_part(part_of(state, number), config.stop_ms))
                moved = _Move(given, config, state, layout, workers)
                with asyncio.Runner(loop_factory=loop_factory()) as runner:
                    runner.run(moved.run())
            except (CannotMove, CannotDivide, PartTaken, VersionError, NotLogged) as error:
                raise StateTaken(
                    f"{state}: its sessions are those of {_called(before)}, and cannot move to {_called(workers)}: "
                    f"{error}; {_start(before)} goes on with them"
                ) from error
            except OSError as error:
                raise StateTaken(f"{state}: its sessions cannot move: {error.strerror or error}") from error
    finally:
        os.close(lock)


class _Move:
    """A move of all tenants of a state. What it raises is as `move` has it, before it is put in words."""

    def __init__(
        self,
        given: Sequence[TenantRules],
        config: ServiceConfig,
        state: Path,
        layout: Layout | None,
        workers: int | None,
    ) -> None:
        self._given = given
        self._config = config
        self._state = state
        self._layout = layout
        self._before = None if layout is None else layout.workers
        self._after = workers
        self._versions: dict[str, int] = {}
        self._folders = [state] if layout is None else [part_of(state, each) for each in range(layout.workers)]
        self._check_names()

    def _check_names(self) -> None:
        """Raises CannotMove where there are sessions of somebody who is not here."""
        places = [self._state / "front", *(folder / "log" for folder in self._folders)]
        names = {file_name(each.config.tenant) for each in self._given}
        for folder in (each for place in places if place.exists() for each in sorted(place.iterdir())):
            if folder.name not in names and any(folder.glob("*")):
                raise CannotMove(f"those of `{folder.name}` are there, too: serve it as well, or remove {folder}")

    async def run(self) -> None:
        """Moves all."""
        began_s = time.monotonic()
        told: dict[str, object] = {"from": _called(self._before), "to": _called(self._after)}
        _log.info("sessions move", extra={"incident": told})
        target = switch.Target(self._after, self._versions)
        sessions = 0
        try:
            making = switch.begin(self._state, target)
            for given in self._given:
                sessions += await self._tenant(given, making)
                gc.collect()  # engines lead back to themselves, and their pages are large
            for folder in self._folders:
                _sync_lines(folder)
            switch.commit(self._state, target)
        except BaseException:
            switch.abandon(self._state)
            raise
        switch.finish(self._state)
        told |= {"sessions": sessions, "seconds": round(time.monotonic() - began_s, 3)}
        _log.info("sessions have moved", extra={"incident": told})

    async def _tenant(self, given: TenantRules, making: Path) -> int:
        """Writes the new parts of one tenant; how many sessions it has."""
        name = given.config.tenant
        kept = Versions(self._state, name, self._config.versions_kept)
        runs = None
        positions: Mapping[str, Position] = {}
        if self._layout is not None:
            runs = self._layout.versions.get(name) or kept.add(given.config, wall_ms())
            kept.pin("running", runs)
            journal = Journal(journal_folder(self._state, name))
        version = None if runs is None else kept.folder / str(runs)
        async with Settled(name, self._config, self._folders, given, version) as settled:
            if self._layout is not None:
                await settled.take(handed for _, handed in journal.unfinished())
                positions = journal.positions
            else:
                await settled.take(())
                positions = settled.parts[0].positions
            runs = settled.parts[0].version
            if self._after is not None:
                fresh = Journal(journal_folder(making, name))
                fresh.begin_at(positions)
                fresh.close()
            if runs is None:
                return 0  # it has seen nothing yet
            self._versions[name] = runs
            return self._divided(settled.parts, making, partial(kept.load, runs), {} if self._after else positions)

    def _divided(
        self, old: Sequence[Served], making: Path, load: Callable[[], TenantRules], positions: Mapping[str, Position]
    ) -> int:
        rules = old[0].rules
        before, after = (_routes(rules, number) for number in (self._before, self._after))
        to = range(self._after or 1)
        clocks = old
        if after is not None and after.whole is not None:
            to = range(after.whole, after.whole + 1)
        if before is not None and before.whole is not None:
            clocks = old[before.whole : before.whole + 1]
        new = [Engine(each, NOWHERE, **clock_of(each)) for each in (load() for _ in to)]  # type: ignore[arg-type]
        sessions = divide(
            [each.tenant.engine for each in old],
            new,
            _nobody_else if before is None else before.owner,
            _nobody_else if after is None else lambda profile, key: after.owner(profile, key) - to.start,
            [each.tenant.engine for each in clocks],
        )
        states = beside([state_of(each) for each in old], len(new), positions)
        for number, engine, state in zip(to, new, states, strict=True):
            folder = making if self._after is None else part_of(making, number)
            assert old[0].version is not None
            _write(log_of(rules.config.tenant, folder), old[0].version, engine, state)
        return sessions


def _nobody_else(profile: str, key: str) -> int:
    """One process owns all sessions."""
    return 0


def _routes(rules: TenantRules, workers: int | None) -> Routes | None:
    return None if workers is None else Routes(rules, Ring(workers))


def _write(log: Log, version: int, engine: Engine, state: Mapping[str, Any]) -> None:
    """A part of which nothing has happened since its snapshot. Raises OSError."""
    log.version = version
    log.rotate()
    log.close()
    with _private(), new_file(snapshot_file(log.folder, log.number)) as writer:
        write(engine, writer, pack_any(state))


def _sync_lines(folder: Path) -> None:
    """What has left a part is on the disk, since its log will not make it again. Raises OSError."""
    for kind in ("out", "dead-letters"):
        for file in (folder / kind).glob("*.ndjson"):
            sync(file)


@contextmanager
def _private() -> Iterator[None]:
    """Within: files are for whom logs are, since they hold what events held."""
    before = os.umask(0o027)
    try:
        yield
    finally:
        os.umask(before)


def _called(workers: int | None) -> str:
    if workers is None:
        return "one process"
    return f"{workers} worker" if workers == 1 else f"{workers} workers"


def _start(workers: int | None) -> str:
    return "a start without --workers" if workers is None else f"a start with --workers {workers}"
