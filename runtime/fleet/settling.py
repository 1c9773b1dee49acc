"""One tenant in the old parts of a state, before its sessions go to others: as a start with the old number has it.

Each part comes back by its snapshot and its log, goes over to the rules that all run, and takes what the front had
handed on and it had not taken; what left is delivered. All of it is in the old parts' own logs, so whoever dies in
here, or finds that the sessions cannot go, leaves a state with which the old number goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from epl import InvalidInput
from runtime.config.service import ServiceConfig
from runtime.fleet.clocks import Clocks
from runtime.fleet.taking import FRONT
from runtime.rules import TenantRules
from runtime.service.host import Host
from runtime.service.log import NotLogged
from runtime.service.records import Handed, letter_of_record, unpacked
from runtime.service.reload import Reloader
from runtime.service.served import Served
from runtime.service.versions import VersionError, Versions


class CannotMove(Exception):
    """The sessions of a state have to stay where they are; the message says why."""


class Settled:
    """A tenant in the old parts, each in a folder of its own. Within: they are there to be looked at.

    Raises CannotMove and StateDamaged. `version` is that of the rules which all workers run; for one process, None: its
    log knows. Within a loop.
    """

    def __init__(
        self, name: str, config: ServiceConfig, folders: Sequence[Path], given: TenantRules, version: Path | None
    ) -> None:
        self._name = name
        self._config = config
        self._folders = folders
        self._given = given
        self._version = version
        self._hosts: list[Host] = []

    @property
    def parts(self) -> list[Served]:
        """The tenant in each part."""
        return [host.tenants[self._name] for host in self._hosts]

    async def __aenter__(self) -> Self:
        try:
            for folder in self._folders:
                await self._bring_back(folder)
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        for host in self._hosts:
            host.close()

    async def _bring_back(self, folder: Path) -> None:
        reloader = None
        try:
            rules = self._given
            if self._version is not None:
                kept = Versions(folder, self._name, self._config.versions_kept)
                number = int(self._version.name)
                kept.adopt(number, self._version)
                rules = kept.load(number)
            host = Host([rules], self._config, folder)
            self._hosts.append(host)
            if self._version is not None:
                reloader = Reloader(host, {self._name: number})
            await host.recover()
            if reloader is not None:
                await reloader.catch_up()
        except VersionError as error:
            raise CannotMove(str(error)) from error
        except InvalidInput as error:
            problem = error.diagnostics[0].message
            raise CannotMove(f"the rules of tenant `{self._name}` that ran cannot be used: {problem}") from error
        finally:
            if reloader is not None:
                reloader.close()

    async def take(self, handed: Iterable[Handed]) -> None:
        """Has each part take what was handed on to it and it has not taken, once what left it before is delivered."""
        await self._deliver()
        try:
            for each in handed:
                for share in each.shares:
                    host, served = self._hosts[share.worker], self.parts[share.worker]
                    if share.number > int(served.positions.get(FRONT, 0)):
                        source = unpacked(each.source)
                        host.accept(
                            served,
                            share.lines,
                            source,
                            share.first_line,
                            letters=[letter_of_record(letter, self._name, source) for letter in share.letters],
                            position=share.number,
                            partition=each.partition,
                            numbers=share.numbers,
                            counted_by=FRONT,
                            heard=share.heard,
                        )
            self._bring_together()
        except NotLogged as error:
            raise CannotMove(f"tenant `{self._name}`: {error}") from error
        await self._deliver()

    def _bring_together(self) -> None:
        """Has each part hear how far the events of all have come: what is due by that leaves where it is.

        Raises NotLogged.
        """
        clocks = Clocks()
        for served in self.parts:
            clocks.learn(served.tenant.engine.come_to())
        for number, heard in clocks.all_untold(range(len(self.parts))).items() if len(self.parts) > 1 else ():
            self._hosts[number].accept(self.parts[number], (), "", 1, heard=heard)

    async def _deliver(self) -> None:
        """Has what left delivered, as long as somebody takes some of it. Raises CannotMove where nobody does."""
        patience_s = self._config.stop_ms / 2000
        before = None
        while before != (delivered := [each.outlet.sequence.taken for each in self.parts]):
            before = delivered
            await asyncio.gather(*(host.drain(patience_s) for host in self._hosts))
        for served in self.parts:
            if served.disabled is not None:
                raise CannotMove(served.disabled.reason.replace("the tenant", f"tenant `{self._name}`", 1))
            for delivery in served.deliveries:
                if delivery.waiting_bytes or not delivery.is_ready:
                    why = f": {delivery.health.problem}" if delivery.health.problem else ""
                    raise CannotMove(f"what left tenant `{self._name}` is not delivered to {delivery.name}{why}")
