"""Replay of several tenants: each event goes to the tenant that it names, and dead letters to the one that they had.

Every tenant has its own clock, that of its own events, so each gives what it would give if it were replayed alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby

import msgspec

from epl.layout import slot_name
from runtime.clocks import NoClock, clock_options
from runtime.event import BAD_LINE, Refused
from runtime.io import LONG_LINE_HEAD, DeadLetter, DeadLetterWriter, LineSink
from runtime.letters import letter_of, source_label, too_long_letter
from runtime.output import LineOutput
from runtime.reading import OnProgress, field_types, read_blocks
from runtime.reorder import Refuse
from runtime.replay import Placed, Refusals, Replayed, Workers, relayed
from runtime.rules import TenantRules
from runtime.tenants import Disabled, TenantEngine, Tenants
from runtime.watchdog import Watchdog

DEFAULT_TENANT_FIELD = "tenant"

_LETTERS_AT_ONCE = 1000

_Addressed = tuple[str, Placed] | DeadLetter
"""An event with the name of its tenant, or why it has none."""


@dataclass(slots=True)
class ReplayedTenants:
    """What a replay of several tenants did; `nobodys` are the events that no tenant was found for."""

    tenants: dict[str, Replayed]
    nobodys: Refusals = field(default_factory=Refusals)
    disabled: list[Disabled] = field(default_factory=list)
    seconds: float = 0.0
    workers: Workers | None = None

    @property
    def refused(self) -> int:
        """Events that became dead letters, in all."""
        return self.nobodys.refused.total() + sum(each.refused.total() for each in self.tenants.values())


@dataclass(slots=True)
class Redelivered:
    """What became of dead letters: those taken through the rules again, and those that could not be."""

    replayed: ReplayedTenants
    taken: int = 0
    cut: list[DeadLetter] = field(default_factory=list)
    """Letters that hold only the head of their event; without it, to be shown."""
    foreign: list[DeadLetter] = field(default_factory=list)
    """Letters of tenants that are not replayed here; without their event, to be shown."""

    @property
    def refused(self) -> int:
        """Letters whose event was refused again."""
        return self.replayed.refused

    @property
    def accepted(self) -> int:
        """Letters whose event is no dead letter any more."""
        return self.taken - self.refused


class TenantsReplay:
    """One replay of several tenants. Raises NoClock and TenantTwice.

    `sink` gives the sink of each tenant by its name, once, and may give the same one to several.
    """

    def __init__(
        self,
        tenants: Sequence[TenantRules],
        sink: Callable[[str], LineSink | None],
        dead_letters: DeadLetterWriter | None = None,
        *,
        tenant_field: str = DEFAULT_TENANT_FIELD,
        markers_only: bool = False,
        now_field: str | None = None,
        time_field: str | None = None,
        engine: type[TenantEngine] = TenantEngine,
    ) -> None:
        clocks = {}
        for rules in tenants:
            try:
                clocks[rules.config.tenant] = clock_options(rules, now_field=now_field, time_field=time_field)
            except NoClock as error:
                raise NoClock(f"tenant `{rules.config.tenant}`: {error}") from error
        self._rules = {rules.config.tenant: rules for rules in tenants}
        self._sinks = {name: sink(name) for name in self._rules}
        self._outputs = {
            name: LineOutput(wants_events=sink is not None and not markers_only) for name, sink in self._sinks.items()
        }
        self._tenants = Tenants(
            tenants,
            lambda rules: self._outputs[rules.config.tenant],
            options=lambda rules: clocks[rules.config.tenant],
            engine=engine,
        )
        self._dead_letters = dead_letters
        self._refusers: dict[tuple[str, str], Refuse] = {}
        self._watching = ExitStack()
        self._watched_ms = 0
        self._tenant_field = tenant_field
        self._decode = msgspec.json.Decoder(
            msgspec.defstruct(
                "Addressed",
                [(slot_name(tenant_field), str | None, None)],
                rename={slot_name(tenant_field): tenant_field},
                gc=False,
            )
        ).decode
        self._slot = slot_name(tenant_field)
        self._result = ReplayedTenants(
            {name: Replayed(tenant.engine) for name, tenant in self._tenants.by_name.items()}
        )

    def run(self, sources: Sequence[str], on_progress: OnProgress | None = None) -> ReplayedTenants:
        """Reads the sources one after the other, then lets time run on until every session has ended.

        Raises SourceError and SinkError; what was read before is processed.
        """
        began = time.perf_counter()
        try:
            limit = max(rules.config.limits.max_line_bytes for rules in self._rules.values())
            types = field_types(list(self._rules.values()))
            for name in sources:
                label = source_label(name)

                def refuse_long(line: int, size: int, head: bytes, label: str = label) -> None:
                    self._refuse(too_long_letter("", label, line, size, head, limit))

                for lines, first_line in read_blocks(name, types, limit, refuse_long, on_progress):
                    self._process(
                        self._addressed((line, number, label) for number, line in enumerate(lines, first_line))
                    )
            self._drain()
        finally:
            self._watching.close()
            self._result.seconds = time.perf_counter() - began
        return self._result

    def run_letters(self, letters: Iterable[DeadLetter]) -> Redelivered:
        """Takes the events of dead letters through the rules, in their order, as `run` does with those of files.

        What is refused again keeps the source and line of its letter. Letters that cannot be replayed, since they are
        cut or of another tenant, go to the dead letters as they are, so that these hold all that remain.
        """
        began = time.perf_counter()
        result = Redelivered(self._result)
        waiting: list[_Addressed] = []
        try:
            for letter in letters:
                is_known = letter.tenant in self._rules
                # Whose it is was not known then; now the event may tell.
                is_nobodys = not letter.tenant or letter.code == "unknown_tenant"
                if letter.raw_bytes is not None or not (is_known or is_nobodys):
                    self._process(waiting)  # what remains is written in the order of the letters
                    waiting = []
                    self._keep(letter, result.foreign if letter.raw_bytes is None else result.cut)
                    continue
                result.taken += 1
                line = _one_line(letter.raw)
                if is_known:
                    waiting.append(self._to(letter.tenant, line, letter.line, letter.source))
                else:
                    waiting += self._addressed([(line, letter.line, letter.source)])
                if len(waiting) >= _LETTERS_AT_ONCE:
                    self._process(waiting)
                    waiting = []
            self._process(waiting)
            self._drain()
        finally:
            self._watching.close()
            self._result.seconds = time.perf_counter() - began
        return result

    def _keep(self, letter: DeadLetter, group: list[DeadLetter]) -> None:
        group.append(replace(letter, raw=b""))
        if self._dead_letters is not None:
            self._dead_letters.write(letter)

    # ---- whose an event is

    def _addressed(self, lines: Iterable[tuple[bytes, int, str]]) -> Iterator[_Addressed]:
        """Lines with the tenant that each names; those that name none as dead letters, in their order."""
        decode, slot, name = self._decode, self._slot, self._tenant_field
        for line, number, source in lines:
            if not line.strip():
                continue
            try:
                tenant = getattr(decode(line), slot)
            except msgspec.ValidationError as error:
                yield DeadLetter(f"no tenant: {error}", "unknown_tenant", "", source, number, line)
            except BAD_LINE as error:
                yield DeadLetter(str(error), "bad_json", "", source, number, line)
            else:
                if tenant is None:
                    reason = f"the event has no field `{name}`, which names its tenant"
                    yield DeadLetter(reason, "unknown_tenant", "", source, number, line)
                else:
                    yield self._to(tenant, line, number, source)

    def _to(self, tenant: str, line: bytes, number: int, source: str) -> _Addressed:
        rules = self._rules.get(tenant)
        if rules is None:
            return DeadLetter(f"there is no tenant `{tenant}`", "unknown_tenant", tenant, source, number, line)
        limit = rules.config.limits.max_line_bytes
        if len(line) > limit:
            return too_long_letter(tenant, source, number, len(line), line[:LONG_LINE_HEAD], limit)
        refuse = self._refusers.get((tenant, source))
        if refuse is None:

            def refuse(refused: Refused) -> None:
                self._refuse(letter_of(refused, tenant, source))

            self._refusers[tenant, source] = refuse
        return tenant, (line, number, refuse)

    # ---- through the rules

    def _process(self, events: Iterable[_Addressed]) -> None:
        """Takes events in their order: runs of one tenant's at once."""
        for tenant, run in groupby(events, _tenant):
            placed = []
            for each in run:
                if isinstance(each, DeadLetter):
                    self._refuse(each)
                else:
                    placed.append(each[1])
            if tenant is None:
                continue
            lines, refuse = relayed(placed)
            self._watch(tenant)
            self._tenants.process(tenant, lines, first_line=0, refuse=refuse)
            self._write(tenant)

    def _drain(self) -> None:
        for tenant in self._rules:
            self._watch(tenant)
            self._tenants.drain(tenant)
            self._write(tenant)
        self._result.disabled = self._tenants.disabled

    def _watch(self, tenant: str) -> None:
        """Has the watchdog keep the limit of the tenant whose rules run next; most have the same one."""
        limit_ms = self._rules[tenant].config.limits.rule_time_ms
        if limit_ms != self._watched_ms:
            self._watching.close()
            self._watching.enter_context(Watchdog(limit_ms))
            self._watched_ms = limit_ms

    def _write(self, tenant: str) -> None:
        lines = self._outputs[tenant].take()
        if lines:
            self._result.tenants[tenant].lines_out += len(lines)
            sink = self._sinks[tenant]
            if sink is not None:
                sink.write(lines)

    def _refuse(self, letter: DeadLetter) -> None:
        refusals: Refusals | None = self._result.tenants.get(letter.tenant)
        (refusals or self._result.nobodys).count_refused(letter)
        if self._dead_letters is not None:
            self._dead_letters.write(letter)


def _tenant(event: _Addressed) -> str | None:
    return None if isinstance(event, DeadLetter) else event[0]


def _one_line(raw: bytes) -> bytes:
    """An event that someone wrote over several lines; in JSON a line break is never part of a value."""
    return raw.replace(b"\n", b" ").replace(b"\r", b" ")
