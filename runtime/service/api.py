"""Monitoring for machines: probes, metrics, and an API over JSON to look and to act."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.output import to_json
from runtime.profile import Profile
from runtime.protocol import MONITOR, Operation, Port, answers, described
from runtime.protocol import operations as protocol
from runtime.protocol.operations import Nothing, SessionName
from runtime.service import facts
from runtime.service.host import Host
from runtime.service.log import NotLogged
from runtime.service.metrics import Metrics
from runtime.service.reload import Reloader
from runtime.service.served import Served
from runtime.service.sessions import find_sessions, profile_named, session_details
from runtime.service.taps import Lookouts, tap_response

Shape = TypeVar("Shape")
_STALLED_S = 15.0
_MOST_LISTED = 200


class Phase(Enum):
    """Where a service is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


def route(operation: Operation, endpoint: Callable[[Request], Any]) -> Route:
    """The route of an operation."""
    return Route(operation.path, endpoint, methods=[operation.method])


def description_route(port: Port) -> Route:
    """`/openapi.json` of a port."""
    text = to_json(described(port))

    async def openapi(request: Request) -> Response:
        return Response(text, media_type="application/json")

    return route(protocol.OPENAPI, openapi)


def probe_routes(host: Host, phase: Callable[[], Phase]) -> list[Route]:
    """What an orchestrator asks: whether to restart the process, to send it events, and whether it has begun."""

    async def livez(request: Request) -> Response:
        quiet_s = time.monotonic() - host.beat_s
        # Ticks begin when all tenants are back; until then it is this answer that shows life.
        is_alive = quiet_s < _STALLED_S or phase() is Phase.STARTING
        return PlainTextResponse("ok" if is_alive else f"no tick for {quiet_s:.0f} s", 200 if is_alive else 503)

    async def readyz(request: Request) -> Response:
        now = phase()
        return PlainTextResponse("ok" if now is Phase.READY else now.value, 200 if now is Phase.READY else 503)

    async def startupz(request: Request) -> Response:
        has_begun = phase() is not Phase.STARTING
        return PlainTextResponse("ok" if has_begun else "starting", 200 if has_begun else 503)

    return [route(protocol.LIVEZ, livez), route(protocol.READYZ, readyz), route(protocol.STARTUPZ, startupz)]


def api_routes(host: Host, reloader: Reloader, lookouts: Lookouts) -> list[Route]:
    """`/metrics`, `/api/v1`, and what describes them."""
    metrics = Metrics(host, reloader)

    async def metrics_text(request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def service(request: Request) -> Response:
        return answer(facts.service_facts(host))

    def look(operation: Operation, give: Callable[[Served, Request], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            return answer(give(tenant_of(host, request), request))

        return route(operation, endpoint)

    def act(operation: Operation, do: Callable[[Served], None]) -> Route:
        async def endpoint(request: Request) -> Response:
            served = tenant_of(host, request)
            await body_of(request, Nothing)
            do(served)
            return answer(facts.tenant_facts(served))

        return route(operation, endpoint)

    async def end(request: Request) -> Response:
        served = tenant_of(host, request)
        name = await body_of(request, SessionName)
        try:
            ended = host.end_session(served, name.profile, name.key)
        except NotLogged as error:
            raise HTTPException(503, str(error)) from None
        if ended is None:
            raise HTTPException(404, f"no session of `{name.profile}` with this key is live")
        return answer(answers.Ended(ended=ended), 200 if ended else 202)

    async def tap(request: Request) -> Response:
        return tap_response(request, tenant_of(host, request), lookouts)

    def session(served: Served, request: Request) -> answers.SessionDetails | answers.TracedSession:
        found = session_of(served, request)
        if not _is_on(request, "trace"):
            return found
        return {**found, "trace": lookouts.of(served).look_at(found["profile"], found["key"])}

    def trace(served: Served, request: Request) -> answers.Trace:
        profile, key = named_profile(served, request), text_of(request, "key")
        is_live = profile.table.find(key) is not None
        seen = lookouts.of(served).look_at(profile.name, key)
        return answers.Trace(profile=profile.name, key=key, live=is_live, trace=seen)

    return [
        route(protocol.METRICS, metrics_text),
        description_route(MONITOR),
        route(protocol.SERVICE, service),
        look(protocol.TENANT, lambda served, request: facts.tenant_details(served)),
        look(protocol.RULES, lambda served, request: facts.rule_facts(served)),
        look(protocol.SERIES, lambda served, request: facts.series_facts(served)),
        look(protocol.ENDS, lambda served, request: facts.end_facts(served, limit_of(request))),
        look(protocol.DEAD_LETTERS, lambda served, request: facts.letter_facts(served, limit_of(request))),
        look(protocol.CONFIG, lambda served, request: facts.config_facts(served)),
        look(protocol.SESSIONS, _sessions),
        look(protocol.SESSION, session),
        look(protocol.TRACE, trace),
        route(protocol.TAP, tap),
        route(protocol.END, end),
        act(protocol.PAUSE, host.pause),
        act(protocol.RESUME, host.resume),
    ]


async def body_of(request: Request, shape: type[Shape]) -> Shape:
    """The body of a request, an empty object where there is none. Raises HTTPException (400)."""
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"the body is not what it should be: {error}") from None


def _sessions(served: Served, request: Request) -> answers.Sessions:
    profile = named_profile(served, request, served.tenant.engine.profiles[0].name)
    start = number_of(request, "start", 0)
    return find_sessions(profile, request.query_params.get("key", ""), start, limit_of(request))


def named_profile(served: Served, request: Request, default: str | None = None) -> Profile:
    """The profile that a request names. Raises HTTPException (400, 404)."""
    name = text_of(request, "profile", default)
    profile = profile_named(served, name)
    if profile is None:
        names = ", ".join(profile.name for profile in served.tenant.engine.profiles)
        raise HTTPException(404, f"there is no profile `{name}`; there are {names}")
    return profile


def session_of(served: Served, request: Request) -> answers.SessionDetails:
    """The session that a request names by profile and key. Raises HTTPException (400, 404)."""
    profile, key = named_profile(served, request), text_of(request, "key")
    session = profile.table.find(key)
    if session is None:
        raise HTTPException(404, "no such session is live")
    return session_details(profile, session)


def tenant_of(host: Host, request: Request) -> Served:
    """The tenant that a request names. Raises HTTPException (404)."""
    served = host.tenants.get(request.path_params["tenant"])
    if served is None:
        raise HTTPException(404, f"there is no tenant `{request.path_params['tenant']}`")
    return served


def text_of(request: Request, name: str, default: str | None = None) -> str:
    """A text of the query. Raises HTTPException (400) where it must be there and is not."""
    text = request.query_params.get(name, default)
    if text is None:
        raise HTTPException(400, f"`{name}` is missing")
    return text


def _is_on(request: Request, name: str) -> bool:
    text = text_of(request, name, "off")
    if text not in ("on", "off"):
        raise HTTPException(400, f"`{name}` is `on` or `off`")
    return text == "on"


def number_of(request: Request, name: str, default: int) -> int:
    """A number of the query. Raises HTTPException (400)."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPException(400, f"`{name}` is a whole number, 0 or more")
    return int(text)


def limit_of(request: Request) -> int:
    """How many of a list are wanted, `limit` of the query: at most 200."""
    return min(number_of(request, "limit", 50), _MOST_LISTED)


def answer(data: Any, status: int = 200) -> Response:
    """Data as JSON: whatever rules may write into a session."""
    return Response(to_json(data), status, media_type="application/json")


async def failed(request: Request, error: Exception) -> Response:
    """An error as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, dict(error.headers or {}))
