"""Shadows over the API: begin one, see how it compares, end it, or have it run in earnest."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.service.api import answer, tenant_of
from runtime.service.host import Host
from runtime.service.outcomes import Outcome, Trigger
from runtime.service.reload import Reloader
from runtime.service.reload_api import ReloadBody, answer_outcome, body_of, require_version
from runtime.service.served import Served
from runtime.service.shadow import Shadow


class ShadowBody(msgspec.Struct, forbid_unknown_fields=True):
    """The version to run; None for what the tenant's folder has."""

    version: int | None = None


def shadow_routes(host: Host, reloader: Reloader) -> list[Route]:
    """What there is of shadows below a tenant."""

    async def begin(served: Served, request: Request) -> Response:
        body = await body_of(request, ShadowBody, '{"version": 3}, or nothing')
        if body.version is not None:
            require_version(reloader, served, body.version)
        found = await reloader.cast_shadow(served, body.version)
        return answer_outcome(found) if isinstance(found, Outcome) else answer(found.data())

    async def look(served: Served, request: Request) -> Response:
        return answer(_shadow_of(served).data())

    async def end(served: Served, request: Request) -> Response:
        found = _shadow_of(served).data()
        reloader.end_shadow(served)
        return answer(found)

    async def promote(served: Served, request: Request) -> Response:
        body = await body_of(request, ReloadBody, '{"force": false}')
        version = _shadow_of(served).version
        return answer_outcome(await reloader.reload(served, Trigger.API, force=body.force, version=version))

    def of(do: Callable[[Served, Request], Coroutine[Any, Any, Response]]) -> Any:
        async def endpoint(request: Request) -> Response:
            return await do(tenant_of(host, request), request)

        return endpoint

    path = "/api/v1/tenants/{tenant}/shadow"
    return [
        Route(path, of(look)),
        Route(path, of(begin), methods=["POST"]),
        Route(path, of(end), methods=["DELETE"]),
        Route(f"{path}/promote", of(promote), methods=["POST"]),
    ]


def _shadow_of(served: Served) -> Shadow:
    if served.shadow is None:
        raise HTTPException(404, "no shadow runs beside this tenant's rules; begin one with POST")
    return served.shadow
