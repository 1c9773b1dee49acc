"""What there is to look at, by the operations of the API: routes give it to machines, pages show it to people.

Both ask `Looks`, so they can be asked of one host, or of several processes that serve the same tenants.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.profile import Profile
from runtime.protocol import Operation, answers, reload_answers
from runtime.protocol import operations as protocol
from runtime.service import facts
from runtime.service.api import Query, answer, is_on, limit_of, number_of, route, tenant_named, text_of
from runtime.service.host import Host
from runtime.service.reload import Reloader
from runtime.service.reload_api import plan_of, version_facts
from runtime.service.served import Served
from runtime.service.sessions import find_sessions, profile_named, session_details
from runtime.service.shadow_api import shadow_of
from runtime.service.taps import Lookouts

LOOKS = (
    protocol.TENANT,
    protocol.RULES,
    protocol.SERIES,
    protocol.ENDS,
    protocol.DEAD_LETTERS,
    protocol.CONFIG,
    protocol.SESSIONS,
    protocol.SESSION,
    protocol.TRACE,
    protocol.VERSIONS,
    protocol.SHADOW,
)
"""Operations that only look at one tenant; what each gives has the shape that it says."""


class Looks(Protocol):
    """Whoever can be asked. Raises HTTPException with the statuses that operations name."""

    @property
    def tenants(self) -> Collection[str]:
        """The names of the tenants."""

    @property
    def started_ms(self) -> int:
        """When the service began."""

    def clock_ms(self) -> int:
        """What time it is."""

    async def service(self) -> answers.ServiceFacts:
        """The service, and its tenants in a few numbers."""

    async def workers(self) -> answers.Workers:
        """The processes that serve the tenants, where there are several."""

    async def look(self, operation: Operation, tenant: str, query: Query) -> Any:
        """What one of `LOOKS` gives."""

    async def plan(self, tenant: str, query: Query) -> reload_answers.Candidate | reload_answers.Outcome:
        """What a reload would do; an outcome where it would come to nothing."""


def look_routes(looks: Looks) -> list[Route]:
    """The service, its workers, and all there is to look at below a tenant."""

    async def service(request: Request) -> Response:
        return answer(await looks.service())

    async def workers(request: Request) -> Response:
        return answer(await looks.workers())

    def look(operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            return answer(await looks.look(operation, request.path_params["tenant"], request.query_params))

        return route(operation, endpoint)

    return [route(protocol.SERVICE, service), route(protocol.WORKERS, workers), *map(look, LOOKS)]


class HostLooks:
    """A host, looked at."""

    def __init__(self, host: Host, reloader: Reloader, lookouts: Lookouts) -> None:
        self._host = host
        self._reloader = reloader
        self._lookouts = lookouts
        self._by_name: dict[str, Callable[[Served, Query], Any]] = {
            protocol.TENANT.name: lambda served, query: facts.tenant_details(served),
            protocol.RULES.name: lambda served, query: facts.rule_facts(served),
            protocol.SERIES.name: lambda served, query: facts.series_facts(served),
            protocol.ENDS.name: lambda served, query: facts.end_facts(served, limit_of(query)),
            protocol.DEAD_LETTERS.name: lambda served, query: facts.letter_facts(served, limit_of(query)),
            protocol.CONFIG.name: lambda served, query: facts.config_facts(served),
            protocol.SESSIONS.name: _sessions,
            protocol.SESSION.name: self._session,
            protocol.TRACE.name: self._trace,
            protocol.VERSIONS.name: lambda served, query: version_facts(
                reloader.histories[served.name], served.version
            ),
            protocol.SHADOW.name: lambda served, query: shadow_of(served).data(),
        }

    @property
    def tenants(self) -> Collection[str]:
        """The names of the tenants."""
        return self._host.tenants

    @property
    def started_ms(self) -> int:
        """When the host began."""
        return self._host.started_ms

    def clock_ms(self) -> int:
        """What time it is for the host."""
        return self._host.clock_ms()

    async def service(self) -> answers.ServiceFacts:
        """The host, and its tenants in a few numbers."""
        return facts.service_facts(self._host)

    async def workers(self) -> answers.Workers:
        """None: this process does all."""
        return {"workers": []}

    async def look(self, operation: Operation, tenant: str, query: Query) -> Any:
        """What one of `LOOKS` gives."""
        return self._by_name[operation.name](tenant_named(self._host, tenant), query)

    async def plan(self, tenant: str, query: Query) -> reload_answers.Candidate | reload_answers.Outcome:
        """What a reload would do."""
        return await plan_of(self._reloader, tenant_named(self._host, tenant), query)

    def _session(self, served: Served, query: Query) -> answers.SessionDetails | answers.TracedSession:
        profile, key = _profile(served, query), text_of(query, "key")
        wants_trace = is_on(query, "trace")
        session = profile.table.find(key)
        if session is None:
            raise HTTPException(404, "no such session is live")
        engine = served.tenant.engine
        now_ms = self._host.clock_ms() if served.follows_wall_clock else engine.now_of(session)
        found = session_details(profile, session, now_ms)
        if not wants_trace:
            return found
        return {**found, "trace": self._lookouts.of(served).look_at(profile.name, key)}

    def _trace(self, served: Served, query: Query) -> answers.Trace:
        profile, key = _profile(served, query), text_of(query, "key")
        is_live = profile.table.find(key) is not None
        seen = self._lookouts.of(served).look_at(profile.name, key)
        return answers.Trace(profile=profile.name, key=key, live=is_live, trace=seen)


def _sessions(served: Served, query: Query) -> answers.Sessions:
    profile = _profile(served, query, served.tenant.engine.profiles[0].name)
    return find_sessions(profile, query.get("key", ""), number_of(query, "start", 0), limit_of(query))


def _profile(served: Served, query: Query, default: str | None = None) -> Profile:
    name = text_of(query, "profile", default)
    profile = profile_named(served, name)
    if profile is None:
        names = ", ".join(profile.name for profile in served.tenant.engine.profiles)
        raise HTTPException(404, f"there is no profile `{name}`; there are {names}")
    return profile
