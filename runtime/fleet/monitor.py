"""The port for people and machines that watch, where several processes serve the tenants: one answer made of theirs.

What is asked goes to the workers' own monitoring; what changes a tenant goes to the front, which has all workers do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from runtime.fleet import merging
from runtime.fleet.asking import Parts, Workers
from runtime.fleet.comparing import merged_shadow
from runtime.fleet.facts import Fleet, WorkerState
from runtime.fleet.looks import FleetLooks, shadow_of
from runtime.fleet.metrics import merged_text, own_metrics
from runtime.fleet.pages import FleetPages
from runtime.fleet.proxy import proxy_route
from runtime.fleet.taps import FleetTaps
from runtime.protocol import MONITOR, Operation
from runtime.protocol import operations as protocol
from runtime.protocol.operations import Nothing, SessionName
from runtime.service.api import Phase, answer, body_of, description_route, probe_routes, route
from runtime.service.looks import look_routes
from runtime.service.monitor import guarded
from runtime.service.outcomes import Outcome
from runtime.service.reload_api import answer_outcome, answer_plan, require_version
from runtime.service.shadow_api import no_shadow


def fleet_monitor_app(fleet: Fleet, phase: Callable[[], Phase]) -> ASGIApp:
    """The application of monitoring's port; `phase` says where the service is in its life."""
    workers = Workers(fleet)
    looks = FleetLooks(fleet, workers)
    routes = [*fleet_routes(fleet, workers, looks, phase), proxy_route(workers)]
    return guarded(routes, FleetPages(looks, phase), fleet.config.monitor.token, phase)


def fleet_routes(fleet: Fleet, workers: Workers, looks: FleetLooks, phase: Callable[[], Phase]) -> list[Route]:
    """Probes, metrics and the API."""
    taps = FleetTaps(workers, phase)

    async def metrics(request: Request) -> Response:
        own, texts = own_metrics(fleet), await workers.texts(protocol.METRICS)
        return Response(await asyncio.to_thread(merged_text, own, texts), media_type=CONTENT_TYPE_LATEST)

    async def tap(request: Request) -> Response:
        return taps.response(request)

    return [
        *probe_routes(lambda: fleet.beat_s, phase, illness=lambda: fleet.illness, hindrance=lambda: _not_ready(fleet)),
        route(protocol.METRICS, metrics),
        description_route(MONITOR),
        route(protocol.TAP, tap),
        *look_routes(looks),
        *_act_routes(fleet, workers, looks),
    ]


def _not_ready(fleet: Fleet) -> str | None:
    waiting = [worker for worker in fleet.workers() if worker.state is not WorkerState.READY]
    return "; ".join(f"worker {worker.number}: {worker.state}" for worker in waiting) or None


def _act_routes(fleet: Fleet, workers: Workers, looks: FleetLooks) -> list[Route]:
    def of_tenant(operation: Operation, do: Callable[[str, Request], Coroutine[Any, Any, Response]]) -> Route:
        async def endpoint(request: Request) -> Response:
            tenant = request.path_params["tenant"]
            workers.check(tenant)
            return await do(tenant, request)

        return route(operation, endpoint)

    def act(operation: Operation, do: Callable[[str], Awaitable[None]]) -> Route:
        async def endpoint(tenant: str, request: Request) -> Response:
            await body_of(request, Nothing)
            await do(tenant)
            parts = await workers.every(protocol.TENANT, tenant)
            return answer(merging.tenant_facts(tenant, parts, fleet.way_in(tenant)))

        return of_tenant(operation, endpoint)

    async def end(tenant: str, request: Request) -> Response:
        name = await body_of(request, SessionName)
        body = {"profile": name.profile, "key": name.key}
        said = await workers.owner(protocol.END, tenant, name.profile, name.key, body=body)
        return answer(said.data, said.status)

    async def plan(tenant: str, request: Request) -> Response:
        return answer_plan(await looks.plan(tenant, request.query_params))

    async def reload(tenant: str, request: Request) -> Response:
        body = await body_of(request, protocol.Reload)
        return answer_outcome(await fleet.reload(tenant, body.force))

    async def rollback(tenant: str, request: Request) -> Response:
        body = await body_of(request, protocol.Rollback)
        require_version(fleet.history(tenant), body.version)
        return answer_outcome(await fleet.rollback(tenant, body.version, body.force))

    async def cast_shadow(tenant: str, request: Request) -> Response:
        body = await body_of(request, protocol.CastShadow)
        if body.version is not None:
            require_version(fleet.history(tenant), body.version)
        found = await fleet.cast_shadow(tenant, body.version)
        return answer_outcome(found) if isinstance(found, Outcome) else answer(merged_shadow(Parts(found, [])))

    async def end_shadow(tenant: str, request: Request) -> Response:
        shadow_of(fleet, tenant)
        said = await fleet.end_shadow(tenant)
        missing = [worker.number for worker in fleet.workers() if worker.number not in said]
        found = merged_shadow(Parts(said, missing))
        if found is None:
            raise no_shadow()
        return answer(found)

    async def promote(tenant: str, request: Request) -> Response:
        body = await body_of(request, protocol.Reload)
        return answer_outcome(await fleet.rollback(tenant, shadow_of(fleet, tenant), body.force))

    return [
        of_tenant(protocol.END, end),
        act(protocol.PAUSE, fleet.pause),
        act(protocol.RESUME, fleet.resume),
        of_tenant(protocol.PLAN, plan),
        of_tenant(protocol.RELOAD, reload),
        of_tenant(protocol.ROLLBACK, rollback),
        of_tenant(protocol.CAST_SHADOW, cast_shadow),
        of_tenant(protocol.END_SHADOW, end_shadow),
        of_tenant(protocol.PROMOTE, promote),
    ]
