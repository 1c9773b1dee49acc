"""Reloads that nobody asks for by name: a file of a tenant has changed, or the process got SIGHUP."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, awatch

from runtime.lint_toml import TOML_NAME
from runtime.service.outcomes import Trigger
from runtime.service.taker import Fed, Taker

_SUFFIXES = (".epl", ".yaml", ".yml", ".py")
_QUIET_MS = 100
"""Changes that follow one another so closely are one: an editor writes, renames and writes again."""
_LATEST_MS = 1_000
_LOOK_MS = 1_000
_log = logging.getLogger("sojourn.service")


class Watcher:
    """Watches the files that each tenant's rules were read from, and reloads the tenants whose files have changed.

    What is looked at is the folder of each file, since editors put another file in its place.
    """

    def __init__(
        self,
        taker: Taker,
        sources: Mapping[str, Path],
        reload: Callable[[str, Trigger], Awaitable[object]],
        state: Path,
    ) -> None:
        self._taker = taker
        self._sources = sources
        """By tenant the YAML that its rules are read from."""
        self._reload_tenant = reload
        self._state = Path(os.path.realpath(state))
        self._stop = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._again: set[str] = set()
        self._named: set[str] = set()
        self.is_watching = asyncio.Event()
        """Set when a change will be noticed."""

    async def run(self) -> None:
        """Watches until it is stopped. A reload may bring files in other folders, which are watched from then on."""
        try:
            while not self._stop.is_set():
                await self._watch()
        except (OSError, RuntimeError) as error:
            # The system may have too few watches to give.
            _log.exception("files are not watched", extra={"incident": {"reason": str(error)}})
        await self._stop.wait()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _watch(self) -> None:
        """Watches the folders of now until others should be."""
        folders, places = self._folders(), self._places()
        self._named = {file for served in self._taker.tenants.values() for file in self._files(served)}
        if not folders:
            await asyncio.sleep(_LOOK_MS / 1000)
            return
        if self.is_watching.is_set():
            # Something may have changed while nobody looked.
            for served in self._taker.tenants.values():
                self._reload(served, Trigger.FILE)
        async for changes in awatch(
            *folders,
            watch_filter=self._matters,
            debounce=_LATEST_MS,
            step=_QUIET_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,  # the first comes when the watch is set up
            stop_event=self._stop,
        ):
            self.is_watching.set()
            if changes:
                self._changed({path for _, path in changes})
            if self._places() != places:
                return

    def stop(self) -> None:
        """Ends `run`."""
        self._stop.set()

    def reload_all(self) -> None:
        """As if files of all tenants had changed."""
        for served in self._taker.tenants.values():
            self._reload(served, Trigger.SIGNAL)

    def _changed(self, paths: Iterable[str]) -> None:
        changed = {os.path.realpath(path) for path in paths}
        for served in self._taker.tenants.values():
            if any(_concerns(self._root(served), self._files(served), path) for path in changed):
                self._reload(served, Trigger.FILE)

    def _reload(self, served: Fed, trigger: Trigger) -> None:
        """Reloads a tenant, once more when it is reloading: what it has read may be out of date."""
        if served.name in self._tasks:
            self._again.add(served.name)
        else:
            self._tasks[served.name] = asyncio.create_task(self._reload_now(served, trigger))

    async def _reload_now(self, served: Fed, trigger: Trigger) -> None:
        try:
            while True:
                self._again.discard(served.name)
                await self._reload_tenant(served.name, trigger)
                if served.name not in self._again:
                    return
        finally:
            del self._tasks[served.name]

    # ---- what is watched

    def _root(self, served: Fed) -> Path:
        return Path(os.path.realpath(self._sources[served.name])).parent

    def _files(self, served: Fed) -> set[str]:
        """The rule files that a tenant's YAML names."""
        root = self._root(served)
        return {os.path.realpath(root / name) for name in served.rules.config.files}

    def _places(self) -> list[object]:
        """Changes where other folders should be watched: names of files, what links lead to, a folder made anew."""
        found: list[object] = []
        for served in self._taker.tenants.values():
            source = self._sources[served.name]
            with suppress(OSError):
                found.append(source.parent.stat().st_ino)
            found += [frozenset(served.rules.config.files), os.path.realpath(source)]
        return found

    def _folders(self) -> list[Path]:
        """Tenants' folders, and those of rule files that are elsewhere."""
        found: set[Path] = set()
        for served in self._taker.tenants.values():
            root = self._root(served)
            found.add(root)
            found |= {Path(file).parent for file in self._files(served)}
        return sorted(
            folder for folder in found if folder.is_dir() and not any(other in folder.parents for other in found)
        )

    def _matters(self, change: Change, path: str) -> bool:
        name, place = os.path.basename(path), os.path.realpath(path)
        is_ours = (name.endswith(_SUFFIXES) or name == TOML_NAME) and not name.startswith(".")
        return place in self._named or (is_ours and not Path(place).is_relative_to(self._state))


def _concerns(root: Path, files: set[str], path: str) -> bool:
    """True when a file is one that a tenant's rules name, or is in its folder, where modules are."""
    return path in files or Path(path).is_relative_to(root)
