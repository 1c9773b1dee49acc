"""Shadows over the API: begin one, see how it compares, end it, or have it run in earnest."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.protocol import operations as protocol
from runtime.service.api import answer, body_of
from runtime.service.host import Host
from runtime.service.outcomes import Outcome, Trigger
from runtime.service.reload import Reloader
from runtime.service.reload_api import answer_outcome, require_version, tenant_route
from runtime.service.served import Served
from runtime.service.shadow import Shadow


def shadow_routes(host: Host, reloader: Reloader) -> list[Route]:
    """What can be done with the shadow of a tenant."""

    async def begin(served: Served, request: Request) -> Response:
        body = await body_of(request, protocol.CastShadow)
        if body.version is not None:
            require_version(reloader.histories[served.name], body.version)
        found = await reloader.cast_shadow(served, body.version)
        return answer_outcome(found) if isinstance(found, Outcome) else answer(found.data())

    async def end(served: Served, request: Request) -> Response:
        found = shadow_of(served).data()
        reloader.end_shadow(served)
        return answer(found)

    async def promote(served: Served, request: Request) -> Response:
        body = await body_of(request, protocol.Reload)
        version = shadow_of(served).version
        return answer_outcome(await reloader.reload(served, Trigger.API, force=body.force, version=version))

    return [
        tenant_route(host, protocol.CAST_SHADOW, begin),
        tenant_route(host, protocol.END_SHADOW, end),
        tenant_route(host, protocol.PROMOTE, promote),
    ]


def shadow_of(served: Served) -> Shadow:
    """The shadow of a tenant. Raises HTTPException (404) where there is none."""
    if served.shadow is None:
        raise no_shadow()
    return served.shadow


def no_shadow() -> HTTPException:
    """There is none where there has to be one."""
    return HTTPException(404, "no shadow runs beside this tenant's rules; begin one with POST")
