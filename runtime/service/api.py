"""Monitoring for machines: probes, metrics, and an API over JSON to look and to act."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.output import to_json
from runtime.service import facts
from runtime.service.host import Host
from runtime.service.log import NotLogged
from runtime.service.metrics import Metrics
from runtime.service.reload import Reloader
from runtime.service.served import Served
from runtime.service.sessions import find_sessions, profile_named, session_details

_STALLED_S = 15.0
_MOST_LISTED = 200


class Phase(Enum):
    """Where a service is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class SessionName(msgspec.Struct, forbid_unknown_fields=True):
    """A session in the body of a request."""

    profile: str
    key: str


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

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/startupz", startupz)]


def api_routes(host: Host, reloader: Reloader) -> list[Route]:
    """`/metrics` and `/api/v1`."""
    metrics = Metrics(host, reloader)

    async def metrics_text(request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def service(request: Request) -> Response:
        return answer(facts.service_facts(host))

    def of_tenant(give: Callable[[Served, Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return answer(give(tenant_of(host, request), request))

        return endpoint

    def act(do: Callable[[Served, Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            served = tenant_of(host, request)
            do(served, request)
            return answer(facts.tenant_facts(served))

        return endpoint

    async def end(request: Request) -> Response:
        served = tenant_of(host, request)
        try:
            name = msgspec.json.decode(await request.body(), type=SessionName)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise HTTPException(400, f'the body wants {{"profile": …, "key": …}}: {error}') from None
        try:
            ended = host.end_session(served, name.profile, name.key)
        except NotLogged as error:
            raise HTTPException(503, str(error)) from None
        if ended is None:
            raise HTTPException(404, f"no session of `{name.profile}` with this key is live")
        return answer({"ended": ended}, 200 if ended else 202)

    tenant = "/api/v1/tenants/{tenant}"
    looks: dict[str, Callable[[Served, Request], Any]] = {
        "": lambda served, request: facts.tenant_details(served),
        "/rules": lambda served, request: {"rules": facts.rule_facts(served)},
        "/series": lambda served, request: {"samples": facts.series_facts(served)},
        "/ends": lambda served, request: {"ends": facts.end_facts(served, limit_of(request))},
        "/dead-letters": lambda served, request: {
            "counts": served.letters.counts,
            "file": served.letters.file.name,
            "dead_letters": facts.letter_facts(served, limit_of(request)),
        },
        "/config": lambda served, request: facts.config_facts(served),
        "/sessions": _sessions,
        "/session": session_of,
    }
    acts: dict[str, Callable[[Served, Request], Any]] = {
        "/pause": lambda served, request: host.pause(served),
        "/resume": lambda served, request: host.resume(served),
    }
    return [
        Route("/metrics", metrics_text),
        Route("/api/v1/service", service),
        *(Route(f"{tenant}{path}", of_tenant(give)) for path, give in looks.items()),
        *(Route(f"{tenant}{path}", act(do), methods=["POST"]) for path, do in acts.items()),
        Route(f"{tenant}/session/end", end, methods=["POST"]),
    ]


def _sessions(served: Served, request: Request) -> Any:
    names = [profile.name for profile in served.tenant.engine.profiles]
    profile = profile_named(served, request.query_params.get("profile", names[0]))
    if profile is None:
        raise HTTPException(404, f"there is no such profile; there are {', '.join(names)}")
    start = number_of(request, "start", 0)
    return asdict(find_sessions(profile, request.query_params.get("key", ""), start, limit_of(request)))


def session_of(served: Served, request: Request) -> dict[str, Any]:
    """The session that a request names by profile and key. Raises HTTPException (404)."""
    profile = profile_named(served, request.query_params.get("profile", ""))
    session = None if profile is None else profile.table.find(request.query_params.get("key", ""))
    if profile is None or session is None:
        raise HTTPException(404, "no such session is live; name it by `profile` and `key`")
    return session_details(profile, session)


def tenant_of(host: Host, request: Request) -> Served:
    """The tenant that a request names. Raises HTTPException (404)."""
    served = host.tenants.get(request.path_params["tenant"])
    if served is None:
        raise HTTPException(404, f"there is no tenant `{request.path_params['tenant']}`")
    return served


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
