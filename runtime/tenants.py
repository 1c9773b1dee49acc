"""Many tenants in one process: an engine for each, and none that can do harm to another.

Events of one tenant reach its own engine only, so whatever it gets, whatever its rules do and whoever refuses its ends,
the others send what they would send alone. Should its engine raise, which is a defect of ours, it alone is switched
off; its events are handed back as refused, and nothing of it is lost but the sessions it had open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from runtime.engine import Engine
from runtime.event import Refused
from runtime.output import Output
from runtime.reorder import Refuse, Reorder, Taken
from runtime.row import Line, raw_line
from runtime.rules import TenantRules
from runtime.timeline import Partition


class TenantTwice(Exception):
    """Two configurations have the same tenant's name; the message names both folders."""


@dataclass(frozen=True, slots=True)
class UnknownTenant:
    """Nobody has this name: none of the events was taken."""

    tenant: str

    @property
    def reason(self) -> str:
        """The same in words."""
        return f"there is no tenant `{self.tenant}`"


@dataclass(frozen=True, slots=True)
class Disabled:
    """A tenant that was switched off, since its engine raised `error`; `live_sessions` it had open, and lost."""

    tenant: str
    error: Exception
    live_sessions: int

    @property
    def reason(self) -> str:
        """The same in words."""
        return f"the tenant is switched off after a defect of Sojourn: {type(self.error).__name__}: {self.error}"


class TenantEngine(Engine):
    """An engine that knows which event it has at hand, so that none is lost when it raises."""

    _at_hand: Taken | None = None

    def leave(self) -> Iterator[Taken]:
        """The events that it took and did not finish: the one at hand, then those that wait for their turn.

        What it had at hand may have left already, so it may come twice; it cannot get lost.
        """
        if self._at_hand is not None:
            yield self._at_hand
            self._at_hand = None
        for partition in self._partitions.values():
            if partition.reorder is not None:
                yield from partition.reorder.flush()

    def _process(
        self, at_work: Partition, lines: Iterable[tuple[int, Line]], refuse: Refuse, latest_ms: int, wall_ms: int
    ) -> None:
        if at_work.reorder is None:
            noted = self._noted(Taken(number, line, refuse, latest_ms, wall_ms) for number, line in lines)
            lines = ((taken.number, taken.line) for taken in noted)
        super()._process(at_work, lines, refuse, latest_ms, wall_ms)

    def _process_in_order(self, at_work: Partition, reorder: Reorder, turns: Iterable[Taken]) -> None:
        super()._process_in_order(at_work, reorder, self._noted(turns))

    def _noted(self, turns: Iterable[Taken]) -> Iterator[Taken]:
        for taken in turns:
            self._at_hand = taken
            yield taken
        self._at_hand = None


@dataclass(slots=True)
class Tenant:
    """One of them. `disabled` is None while it works."""

    engine: TenantEngine
    disabled: Disabled | None = None


class _RefuseFailed(Exception):
    """Whoever takes refused events raised: no fault of the tenant's."""


def check_names(rules: Iterable[TenantRules]) -> None:
    """Raises TenantTwice when two tenants have one name."""
    found: dict[str, TenantRules] = {}
    for each in rules:
        name = each.config.tenant
        if name in found:
            raise TenantTwice(f"{found[name].config.folder} and {each.config.folder} are both called `{name}`")
        found[name] = each


class Tenants:
    """Engines by the name of their tenant; `output` makes the output of each, `on_disabled` is told of a defect.

    `options` of a tenant are those of its `Engine`. Raises TenantTwice. An output that raises counts as a defect of its
    tenant; what `refuse` raises comes through.
    """

    def __init__(
        self,
        rules: Iterable[TenantRules],
        output: Callable[[TenantRules], Output],
        *,
        options: Callable[[TenantRules], Mapping[str, Any]] = lambda rules: {},
        engine: type[TenantEngine] = TenantEngine,
        on_disabled: Callable[[Disabled], None] = lambda disabled: None,
    ) -> None:
        self.by_name: dict[str, Tenant] = {}
        self._on_disabled = on_disabled
        self._output, self._options, self._engine_class = output, options, engine
        given = list(rules)
        check_names(given)
        for each in given:
            self.by_name[each.config.tenant] = Tenant(self.engine_for(each))

    @property
    def disabled(self) -> list[Disabled]:
        """The tenants that are switched off."""
        return [tenant.disabled for tenant in self.by_name.values() if tenant.disabled is not None]

    def engine_for(self, rules: TenantRules) -> TenantEngine:
        """An engine for other rules of a tenant, to take the place of its own (`replace`)."""
        return self._engine_class(rules, self._output(rules), **self._options(rules))

    def replace(self, engine: TenantEngine, waiting: Iterable[tuple[int, list[Taken]]] = ()) -> None:
        """Puts another engine in the place of a tenant's, which works again if it was disabled.

        `waiting` are the first events that it takes.
        """
        tenant = self.by_name[engine.rules.config.tenant]
        tenant.engine, tenant.disabled = engine, None
        self._guarded(tenant, lambda engine: engine.take_waiting(waiting))

    def process(
        self,
        tenant: str,
        lines: Sequence[bytes],
        now_ms: int | None = None,
        *,
        partition: int = 0,
        wall_ms: int | None = None,
        first_line: int = 1,
        refuse: Refuse = lambda refused: None,
    ) -> UnknownTenant | Disabled | None:
        """Takes events of one tenant, as `Engine.process` does; None when it took them.

        An unknown tenant takes none of them, and `refuse` hears nothing. Those of a disabled one, and those that were
        not finished when it became so, go to `refuse` with the code `disabled`.
        """
        found = self.by_name.get(tenant)
        if found is None:
            return UnknownTenant(tenant)
        if found.disabled is not None:
            _give_back(found.disabled, enumerate(lines, first_line), refuse)
            return found.disabled

        def pass_on(refused: Refused) -> None:
            try:
                refuse(refused)
            except Exception as error:
                raise _RefuseFailed from error

        # The engine goes over the lines once, so what is left in an iterator is what it never saw.
        rest = iter(lines)
        failed = self._guarded(
            found,
            lambda engine: engine.process(
                cast("Sequence[bytes]", rest),
                now_ms,
                partition=partition,
                wall_ms=wall_ms,
                first_line=first_line,
                refuse=pass_on,
            ),
        )
        if failed is not None:
            left = list(rest)
            _give_back(failed, enumerate(left, first_line + len(lines) - len(left)), refuse)
        return failed

    def hear(self, tenant: str, partition: int, highest_ms: int | None, heard_ms: int) -> None:
        """Tells one tenant how far its events have come elsewhere, as `Engine.hear` does."""
        self._for_each(lambda engine: engine.hear(partition, highest_ms, heard_ms), tenant)

    def advance(self, now_ms: int, tenant: str | None = None) -> None:
        """Moves the time of one tenant, or of each, on, as `Engine.advance` does."""
        self._for_each(lambda engine: engine.advance(now_ms), tenant)

    def close_idle(self, wall_ms: int, tenant: str | None = None) -> None:
        """Judges quiet partitions of one tenant, or of all, by the wall clock."""
        self._for_each(lambda engine: engine.close_idle(wall_ms), tenant)

    def end_session(self, tenant: str, profile: str, key: str) -> bool | None:
        """Ends a session of a tenant, as `Engine.end_session` does."""
        ended: bool | None = None

        def end(engine: TenantEngine) -> None:
            nonlocal ended
            ended = engine.end_session(profile, key)

        self._for_each(end, tenant)
        return ended

    def drain(self, tenant: str | None = None) -> None:
        """Lets the time of one tenant, or of each, run on until all its sessions have ended."""
        self._for_each(Engine.drain, tenant)

    def _for_each(self, do: Callable[[TenantEngine], object], only: str | None = None) -> None:
        for name, tenant in self.by_name.items():
            if tenant.disabled is None and only in (None, name):
                self._guarded(tenant, do)

    def _guarded(self, tenant: Tenant, do: Callable[[TenantEngine], object]) -> Disabled | None:
        """Does something with a tenant's engine; a defect disables the tenant and gives back what it held."""
        engine = tenant.engine
        try:
            do(engine)
        except _RefuseFailed as error:
            assert error.__cause__ is not None
            raise error.__cause__ from None
        except Exception as error:
            tenant.disabled = Disabled(engine.rules.config.tenant, error, engine.live_sessions)
            try:
                for taken in engine.leave():
                    _give_back(tenant.disabled, [(taken.number, raw_line(taken.line))], taken.refuse)
            except _RefuseFailed as failed:
                assert failed.__cause__ is not None
                raise failed.__cause__ from None
            self._on_disabled(tenant.disabled)
            return tenant.disabled
        return None


def _give_back(disabled: Disabled, events: Iterable[tuple[int, bytes]], refuse: Refuse) -> None:
    for number, line in events:
        if line.strip():
            refuse(Refused(number, "disabled", disabled.reason, line))
