"""Reloading over the API: ask for it, look at what it would do, go back to a version that was kept."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.service.api import answer, number_of, tenant_of
from runtime.service.host import Host
from runtime.service.outcomes import Outcome, Result, Trigger, diagnostics_data
from runtime.service.reload import Reloader
from runtime.service.served import Served
from runtime.service.versions import VersionError

_STATUS = {
    Result.RELOADED: 200,
    Result.UNCHANGED: 200,
    Result.BAD_RULES: 422,
    Result.REFUSED: 409,
    Result.FAILED: 500,
}
_B = TypeVar("_B")


class ReloadBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a reload is told. `force`: also where open sessions lose something."""

    force: bool = False


class RollbackBody(msgspec.Struct, forbid_unknown_fields=True):
    """The version to go back to."""

    version: int
    force: bool = False


def reload_routes(host: Host, reloader: Reloader) -> list[Route]:
    """What there is of reloading below a tenant."""

    async def reload(served: Served, request: Request) -> Response:
        body = await body_of(request, ReloadBody, '{"force": false}')
        return answer_outcome(await reloader.reload(served, Trigger.API, force=body.force))

    async def rollback(served: Served, request: Request) -> Response:
        body = await body_of(request, RollbackBody, '{"version": 3, "force": false}')
        require_version(reloader, served, body.version)
        found = await reloader.reload(served, Trigger.API, force=body.force, version=body.version)
        return answer_outcome(found)

    async def plan(served: Served, request: Request) -> Response:
        version = number_of(request, "version", 0) or None
        if version is not None:
            require_version(reloader, served, version)
        found = await reloader.candidate(served, version)
        if isinstance(found, Outcome):
            return answer_outcome(found)
        return answer(
            {
                "unchanged": found.number is not None and found.number == served.version,
                "plan": found.plan.data(),
                "diagnostics": diagnostics_data(found.diagnostics),
            }
        )

    async def versions(served: Served, request: Request) -> Response:
        return answer(version_facts(reloader, served))

    def of(do: Callable[[Served, Request], Coroutine[Any, Any, Response]]) -> Any:
        async def endpoint(request: Request) -> Response:
            return await do(tenant_of(host, request), request)

        return endpoint

    tenant = "/api/v1/tenants/{tenant}"
    return [
        Route(f"{tenant}/versions", of(versions)),
        Route(f"{tenant}/plan", of(plan)),
        Route(f"{tenant}/reload", of(reload), methods=["POST"]),
        Route(f"{tenant}/rollback", of(rollback), methods=["POST"]),
    ]


def version_facts(reloader: Reloader, served: Served) -> dict[str, Any]:
    """The versions that there are, the newest first, which one runs, and what came of the latest reload."""
    history = reloader.histories[served.name]
    found = []
    for number in reversed(history.versions.numbers()):
        try:
            made_ms: int | None = history.versions.about(number).made_ms
        except VersionError:
            made_ms = None  # it was damaged, and says so when it is asked for
        found.append({"version": number, "made_ms": made_ms, "runs": number == served.version})
    return {
        "version": served.version,
        "folder": str(history.source.parent),
        "versions": found,
        "reloads": {result.value: history.counts[result] for result in Result},
        "last": None if history.last is None else history.last.data(),
    }


def require_version(reloader: Reloader, served: Served, number: int) -> None:
    """Raises HTTPException (404) where a version is not there."""
    if number not in reloader.histories[served.name].versions.numbers():
        raise HTTPException(404, f"there is no version {number}")


async def body_of(request: Request, kind: type[_B], example: str) -> _B:
    """The body of a request; an empty one has all defaults. Raises HTTPException (400)."""
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"the body wants {example}: {error}") from None


def answer_outcome(outcome: Outcome) -> Response:
    """What came of a reload; `error` says in words why it came to nothing."""
    data = outcome.data()
    return answer(data if outcome.is_done else {"error": outcome.reason, **data}, _STATUS[outcome.result])
