"""One tenant as the service has it: its engine, what comes in, what leaves, and what has been seen of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from runtime.clocks import NoClock, gives_event_time, require_long
from runtime.config import TimeDomain
from runtime.config.service import FilesConfig, ServedTenant
from runtime.engine import Clock
from runtime.rules import TenantRules
from runtime.service.connect import connected_deliveries
from runtime.service.delivery import Delivery
from runtime.service.files import RotatingFile
from runtime.service.http_delivery import HttpDelivery
from runtime.service.intake import Intake
from runtime.service.latency import Latency
from runtime.service.letters import Letters
from runtime.service.log import Log, NotLogged
from runtime.service.outlet import Outlet
from runtime.service.records import Position, Record, Stopped
from runtime.service.series import Series, Totals
from runtime.service.shadow import Shadow
from runtime.service.source import Source
from runtime.service.versions import Versions
from runtime.service.way_in import WayIn
from runtime.tenants import Disabled, Tenant

_log = logging.getLogger("sojourn.service")


@dataclass(slots=True)
class Served:
    """A tenant that is served. `responses` counts requests by HTTP status, `received_bytes` as they came.

    `positions` says where each source goes on, by its name: what it gave before is taken for good. `noted` is what the
    log says of how far deliveries have come.
    """

    rules: TenantRules
    config: ServedTenant
    tenant: Tenant
    outlet: Outlet
    letters: Letters
    intake: Intake
    log: Log
    versions: Versions
    positions: dict[str, Position] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    shadow: Shadow | None = None
    """Other rules on the same events, to be compared."""
    series: Series = field(default_factory=Series)
    latency: Latency = field(default_factory=Latency)
    responses: dict[int, int] = field(default_factory=dict)
    received_bytes: int = 0
    sources: list[Source] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self.rules.config.tenant

    @property
    def version(self) -> int | None:
        """The number of its rules among the versions that are kept."""
        return self.log.version

    @property
    def follows_wall_clock(self) -> bool:
        """False where the events say what time it is."""
        return self.rules.config.time.domain is TimeDomain.PROCESSING

    @property
    def disabled(self) -> Disabled | None:
        """Why the tenant is switched off; None while it works."""
        return self.tenant.disabled

    @property
    def is_ready(self) -> bool:
        """True when its events can go through the rules: it is not switched off, and what leaves is taken."""
        return self.disabled is None and self.can_take

    @property
    def can_take(self) -> bool:
        """True when its events can have their turn; where it is switched off, to become dead letters."""
        if self.log.problem is not None:
            return False
        return self.disabled is not None or (self.outlet.is_ready and self.letters.file.is_ready)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every way out, the dead letters' file last."""
        return (*self.outlet.deliveries, self.letters.file)

    @property
    def state(self) -> str:
        """In a word: `disabled`, `paused`, `stuck` or `running`."""
        if self.disabled is not None:
            return "disabled"
        if self.intake.is_paused:
            return "paused"
        return "running" if self.is_ready else "stuck"

    @property
    def way_in(self) -> WayIn:
        """What has come in, and what waits."""
        return WayIn(
            is_paused=self.intake.is_paused,
            problem=self.intake.blocked,
            responses=self.responses,
            received_bytes=self.received_bytes,
            waiting_batches=len(self.intake.waiting),
            waiting_bytes=self.intake.waiting_bytes,
            latency=self.latency,
            sources=self.sources,
        )

    def keep(self, record: Record) -> None:
        """Writes a record to the log. Raises NotLogged; then nothing is taken in until there is room again."""
        try:
            self.log.append(record)
        except NotLogged as error:
            if self.intake.blocked is None:
                _log.error("nothing is taken", extra={"incident": {"tenant": self.name, "problem": str(error)}})
            self.intake.blocked = str(error)
            raise
        if self.intake.blocked is not None:
            self.intake.blocked = None
            _log.info("events are taken again", extra={"incident": {"tenant": self.name}})

    def when(self, at_ms: int) -> dict[str, int]:
        """What the record of each operation begins with."""
        return {"line": self.outlet.sequence.number, "letter": self.letters.sequence.number, "at_ms": at_ms}

    def note_stopped(self) -> None:
        """Notes that a rule was stopped; should that not fit, it is likely to be stopped again."""
        with suppress(NotLogged):
            self.keep(Stopped())

    def go_by(self, rules: TenantRules, version: int) -> None:
        """What comes from here on goes by other rules."""
        self.rules, self.log.version = rules, version
        self.intake.rate = rate_of(rules)
        for delivery in self.outlet.deliveries:
            delivery.go_by(rules)

    def keep_versions(self) -> None:
        """Keeps the versions of rules that the log goes by, and no longer those that it went by."""
        self.versions.pin("log", *set[int]().union(*self.log.needs.values()))

    def flush(self) -> None:
        """Hands on what an operation made leave."""
        self.outlet.flush()
        self.letters.flush()

    def totals(self) -> Totals:
        """Its counters now."""
        engine = self.tenant.engine
        refused = engine.counters.refused.total()
        return Totals(
            events=engine.counters.outcomes.total() + refused,
            created=sum(profile.counters.created for profile in engine.profiles),
            ended=sum(profile.counters.ended.total() for profile in engine.profiles),
            refused=sum(self.letters.counts.values()),
        )


def rate_of(rules: TenantRules) -> int:
    """The events that a tenant may send each second; 0 for any number, also where events say what time it is."""
    config = rules.config
    return config.limits.rate if config.time.domain is TimeDomain.PROCESSING else 0


def clock_of(rules: TenantRules) -> dict[str, object]:
    """The options of a tenant's engine: whose clock it goes by. Raises NoClock."""
    time = rules.config.time
    if time.source is not None:
        require_long(rules, time.source)
    elif time.domain is TimeDomain.EVENT and not gives_event_time(rules):
        raise NoClock(
            f"tenant `{rules.config.tenant}` goes by the times of its events, and nothing tells them: select "
            "`_timestamp_` of type long in the controller, or name a field as `time.source`"
        )
    clock = Clock.DRIVER if time.domain is TimeDomain.PROCESSING else Clock.EVENT_TIME
    return {"clock": clock, "time_field": time.source}


def deliveries_of(rules: TenantRules, config: ServedTenant, state: Path, wake: Callable[[], None]) -> list[Delivery]:
    """Where the lines of a tenant go; `wake` is called when one that was stuck is free again. Raises CannotConnect."""
    name = rules.config.tenant
    found: list[Delivery] = []
    if config.files is not None:
        found.append(RotatingFile(state / "out" / f"{file_name(name)}.ndjson", config.files))
    found += [HttpDelivery(each, wake) for each in config.http]
    return [*found, *connected_deliveries(rules, config, state / "parquet" / file_name(name), wake)]


def letters_of(name: str, state: Path) -> Letters:
    """The dead letters of a tenant."""
    return Letters(name, RotatingFile(state / "dead-letters" / f"{file_name(name)}.ndjson", FilesConfig()))


def log_of(name: str, state: Path) -> Log:
    """The log of a tenant."""
    return Log(state / "log" / file_name(name))


def file_name(tenant: str) -> str:
    """The name of a tenant as that of a file or a folder."""
    name = quote(tenant, safe=" ")
    return name if name.strip(".") else name.replace(".", "%2E")  # `..` is another folder
