"""Reloading over the API: ask for it, look at what it would do, go back to a version that was kept."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.protocol import Operation, reload_answers
from runtime.protocol import operations as protocol
from runtime.service.api import Query, answer, body_of, number_of, route, tenant_of
from runtime.service.host import Host
from runtime.service.outcomes import Outcome, Result, Trigger, diagnostics_data
from runtime.service.reload import History, Reloader
from runtime.service.served import Served
from runtime.service.versions import VersionError

_STATUS = {
    Result.RELOADED: 200,
    Result.UNCHANGED: 200,
    Result.BAD_RULES: 422,
    Result.REFUSED: 409,
    Result.FAILED: 500,
}


def reload_routes(host: Host, reloader: Reloader) -> list[Route]:
    """What there is of reloading below a tenant."""

    async def reload(served: Served, request: Request) -> Response:
        body = await body_of(request, protocol.Reload)
        return answer_outcome(await reloader.reload(served, Trigger.API, force=body.force))

    async def rollback(served: Served, request: Request) -> Response:
        body = await body_of(request, protocol.Rollback)
        require_version(reloader.histories[served.name], body.version)
        found = await reloader.reload(served, Trigger.API, force=body.force, version=body.version)
        return answer_outcome(found)

    async def plan(served: Served, request: Request) -> Response:
        return answer_plan(await plan_of(reloader, served, request.query_params))

    return [
        tenant_route(host, protocol.PLAN, plan),
        tenant_route(host, protocol.RELOAD, reload),
        tenant_route(host, protocol.ROLLBACK, rollback),
    ]


def tenant_route(
    host: Host, operation: Operation, do: Callable[[Served, Request], Coroutine[Any, Any, Response]]
) -> Route:
    """The route of an operation of a tenant."""

    async def endpoint(request: Request) -> Response:
        return await do(tenant_of(host, request), request)

    return route(operation, endpoint)


async def plan_of(
    reloader: Reloader, served: Served, query: Query
) -> reload_answers.Candidate | reload_answers.Outcome:
    """What a reload would do, or going back to the `version` of the query; an outcome where it would come to nothing.

    Raises HTTPException (400, 404).
    """
    version = number_of(query, "version", 0) or None
    if version is not None:
        require_version(reloader.histories[served.name], version)
    found = await reloader.candidate(served, version)
    if isinstance(found, Outcome):
        return found.data()
    return {
        "unchanged": found.number is not None and found.number == served.version,
        "plan": cast("reload_answers.Plan", found.plan.data()),
        "diagnostics": diagnostics_data(found.diagnostics),
    }


def answer_plan(found: reload_answers.Candidate | reload_answers.Outcome) -> Response:
    """What a reload would do, or why it would come to nothing."""
    if "result" in found:
        return _answer_data(cast("reload_answers.Outcome", found))
    return answer(found)


def version_facts(history: History, runs: int | None) -> reload_answers.Versions:
    """The versions that there are, the newest first, which one runs, and what came of the latest reload."""
    found: list[reload_answers.Version] = []
    for number in reversed(history.versions.numbers()):
        try:
            made_ms: int | None = history.versions.about(number).made_ms
        except VersionError:
            made_ms = None  # it was damaged, and says so when it is asked for
        found.append({"version": number, "made_ms": made_ms, "runs": number == runs})
    return {
        "version": runs,
        "folder": str(history.source.parent),
        "versions": found,
        "reloads": {result.value: history.counts[result] for result in Result},
        "last": None if history.last is None else history.last.data(),
    }


def require_version(history: History, number: int) -> None:
    """Raises HTTPException (404) where a version is not there."""
    if number not in history.versions.numbers():
        raise HTTPException(404, f"there is no version {number}")


def answer_outcome(outcome: Outcome) -> Response:
    """What came of a reload; `error` says in words why it came to nothing."""
    return _answer_data(outcome.data())


def _answer_data(data: reload_answers.Outcome) -> Response:
    status = _STATUS[Result(data["result"])]
    return answer(data if status == 200 else {"error": data["reason"], **data}, status)
