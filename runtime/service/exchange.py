"""Other rules for a tenant, between two slices: in the place of those that run, or beside them.

A change is in the tenant's log before it is made, as everything is that is done to an engine. What runs beside is not:
it ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.engine import Engine
from runtime.output import LineOutput
from runtime.rules import TenantRules
from runtime.service.operations import Operations
from runtime.service.records import Cooled, Swap
from runtime.service.served import Served, clock_of
from runtime.service.shadow import Shadow
from runtime.takeover import TakenOver, cool
from runtime.tenants import TenantEngine


class Exchange:
    """Changes the rules of a host's tenants. `wake` is called when a tenant may work again."""

    def __init__(self, operations: Operations, clock_ms: Callable[[], int], wake: Callable[[], None]) -> None:
        self._operations = operations
        self._clock_ms = clock_ms
        self._wake = wake

    def engine_for(self, rules: TenantRules) -> TenantEngine:
        """An engine for other rules of a tenant. Raises NoClock."""
        return self._operations.engine_for(rules)

    def cool(self, served: Served) -> bool:
        """Makes a take-over of a tenant's engine quick, a step of it, as `takeover.cool` does. Raises NotLogged."""
        served.keep(Cooled())
        return cool(served.tenant.engine)

    def swap(self, served: Served, engine: TenantEngine, version: int) -> TakenOver:
        """Other rules for a tenant, between two slices: their engine goes on where the one before is.

        A tenant that was switched off works again. Raises CannotTakeOver and NotLogged; then all is as it was.
        """
        is_ready = served.outlet.is_ready and served.letters.file.is_ready
        record = Swap(**served.when(self._clock_ms()), is_ready=is_ready, version=version)
        served.keep(record)
        served.log.need(version)
        served.keep_versions()
        limit_ms = engine.rules.config.limits.rule_time_ms
        taken = self._operations.swap(served, record, engine, limit_ms, served.note_stopped)
        self.end_shadow(served)
        self._wake()
        return taken

    def cast_shadow(self, served: Served, rules: TenantRules, version: int) -> Shadow:
        """Starts other rules beside those that run, with a copy of the sessions. Raises NoClock and CannotTakeOver."""
        output = LineOutput(wants_events=served.outlet.wants_events)
        engine = Engine(rules, output, **clock_of(rules))  # type: ignore[arg-type]
        served.shadow = Shadow(
            engine,
            output,
            served.tenant.engine,
            version=version,
            running_version=served.version,
            now_ms=self._clock_ms(),
        )
        served.outlet.noted_by = served.shadow.note
        return served.shadow

    def end_shadow(self, served: Served) -> None:
        """Ends what runs beside a tenant's rules."""
        served.shadow = served.outlet.noted_by = None
