"""Monitoring for machines: probes, metrics, and an API over JSON to look and to act."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.output import to_json
from runtime.protocol import MONITOR, Operation, Port, answers, described
from runtime.protocol import operations as protocol
from runtime.protocol.operations import Nothing, SessionName
from runtime.service import facts
from runtime.service.host import Host
from runtime.service.log import NotLogged
from runtime.service.metrics import Metrics
from runtime.service.reload import Reloader
from runtime.service.served import Served
from runtime.service.taps import Lookouts, tap_response

Shape = TypeVar("Shape")
Query = Mapping[str, str]
"""What a request asks for, by name."""

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


def probe_routes(
    beat_s: Callable[[], float],
    phase: Callable[[], Phase],
    *,
    illness: Callable[[], str | None] = lambda: None,
    hindrance: Callable[[], str | None] = lambda: None,
) -> list[Route]:
    """What an orchestrator asks: whether to restart the process, to send it events, and whether it has begun.

    `beat_s` is when the loop last came round. `illness` says what only a restart may help, `hindrance` what keeps
    events from being taken; None when nothing does.
    """

    async def livez(request: Request) -> Response:
        quiet_s = time.monotonic() - beat_s()
        # Ticks begin when all tenants are back; until then it is this answer that shows life.
        is_late = quiet_s >= _STALLED_S and phase() is not Phase.STARTING
        return _probed(f"no tick for {quiet_s:.0f} s" if is_late else illness())

    async def readyz(request: Request) -> Response:
        now = phase()
        return _probed(now.value if now is not Phase.READY else hindrance())

    async def startupz(request: Request) -> Response:
        return _probed("starting" if phase() is Phase.STARTING else None)

    return [route(protocol.LIVEZ, livez), route(protocol.READYZ, readyz), route(protocol.STARTUPZ, startupz)]


def _probed(problem: str | None) -> Response:
    return PlainTextResponse("ok") if problem is None else PlainTextResponse(problem, 503)


def api_routes(host: Host, reloader: Reloader, lookouts: Lookouts) -> list[Route]:
    """Metrics, a description of the API, taps, and what can be done to tenants."""
    metrics = Metrics(host, reloader)

    async def metrics_text(request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

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

    return [
        route(protocol.METRICS, metrics_text),
        description_route(MONITOR),
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


def tenant_of(host: Host, request: Request) -> Served:
    """The tenant that a request names. Raises HTTPException (404)."""
    return tenant_named(host, request.path_params["tenant"])


def tenant_named(host: Host, name: str) -> Served:
    """A tenant by its name. Raises HTTPException (404)."""
    served = host.tenants.get(name)
    if served is None:
        raise no_tenant(name)
    return served


def no_tenant(name: str) -> HTTPException:
    """What is said where there is none of a name."""
    return HTTPException(404, f"there is no tenant `{name}`")


def text_of(query: Query, name: str, default: str | None = None) -> str:
    """A text of the query. Raises HTTPException (400) where it must be there and is not."""
    text = query.get(name, default)
    if text is None:
        raise HTTPException(400, f"`{name}` is missing")
    return text


def is_on(query: Query, name: str) -> bool:
    """Whether something is asked for. Raises HTTPException (400)."""
    text = text_of(query, name, "off")
    if text not in ("on", "off"):
        raise HTTPException(400, f"`{name}` is `on` or `off`")
    return text == "on"


def number_of(query: Query, name: str, default: int) -> int:
    """A number of the query. Raises HTTPException (400)."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPException(400, f"`{name}` is a whole number, 0 or more")
    return int(text)


def limit_of(query: Query) -> int:
    """How many of a list are wanted, `limit` of the query: at most 200."""
    return min(number_of(query, "limit", 50), _MOST_LISTED)


def answer(data: Any, status: int = 200) -> Response:
    """Data as JSON: whatever rules may write into a session."""
    return Response(to_json(data), status, media_type="application/json")


async def failed(request: Request, error: Exception) -> Response:
    """An error as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, dict(error.headers or {}))
