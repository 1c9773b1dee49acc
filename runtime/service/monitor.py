"""The port for people and machines that watch: who may come in, and what there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.protocol.operations import OPENAPI
from runtime.service.api import Phase, api_routes, failed, probe_routes
from runtime.service.host import Host
from runtime.service.looks import HostLooks, look_routes
from runtime.service.pages import Pages
from runtime.service.reload import Reloader
from runtime.service.reload_api import reload_routes
from runtime.service.shadow_api import shadow_routes
from runtime.service.taps import Lookouts
from runtime.service.tokens import is_allowed, is_for_this_machine

_PROBES = ("/livez", "/readyz", "/startupz")
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def monitor_app(
    host: Host, reloader: Reloader, phase: Callable[[], Phase], lookouts: Lookouts, worker: int | None = None
) -> ASGIApp:
    """The application of monitoring's port.

    `phase` says where the service is in its life, `lookouts` who looks at its tenants; `worker` is the number of this
    process where it is one of several.
    """
    looks = HostLooks(host, reloader, lookouts)
    routes = [
        *probe_routes(lambda: host.beat_s, phase),
        *api_routes(host, reloader, lookouts),
        *look_routes(looks),
        *reload_routes(host, reloader),
        *shadow_routes(host, reloader),
    ]
    return guarded(routes, Pages(looks, phase, worker), host.config.monitor.token, phase)


def guarded(api: Sequence[Route], pages: Pages, token: str | None, phase: Callable[[], Phase]) -> ASGIApp:
    """An API and pages, for those who may see them."""

    async def not_there(request: Request, error: Exception) -> Response:
        is_for_machines = request.url.path.startswith("/api/") or request.url.path == OPENAPI.path
        return await (failed if is_for_machines else pages.failed)(request, error)

    app = Starlette(routes=[*api, *pages.routes()], exception_handlers={HTTPException: not_there})
    return _Guard(app, token, phase)


class _Guard:
    """Lets those in who may, and says to browsers what they need not do."""

    def __init__(self, app: ASGIApp, token: str | None, phase: Callable[[], Phase]) -> None:
        self._app = app
        self._token = token
        self._phase = phase

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refusal = None if request.url.path in _PROBES else self._refusal(request)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def send_safely(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                assert isinstance(headers, list)
                names = {name for name, _ in headers}
                headers += [
                    (name.lower().encode(), value.encode())
                    for name, value in _SAFE.items()
                    if name.lower().encode() not in names
                ]
            await send(message)

        await self._app(scope, receive, send_safely)  # type: ignore[arg-type]

    def _refusal(self, request: Request) -> Response | None:
        if not is_allowed(request, self._token):
            headers = {"WWW-Authenticate": 'Basic realm="sojourn", charset="UTF-8"'}
            return JSONResponse({"error": "no token, or not the one of monitoring"}, 401, headers)
        if self._token is None and not is_for_this_machine(request):
            return JSONResponse({"error": "without a token only this machine is served, by its own name"}, 403)
        if self._phase() is Phase.STARTING:
            # Tenants are being brought back, and not all there is of one may fit together yet.
            return JSONResponse({"error": "the service is starting"}, 503, {"Retry-After": "1"})
        # A page from elsewhere can make a browser send a form, but neither JSON nor DELETE.
        is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        if request.method == "POST" and not is_json:
            return JSONResponse({"error": "send application/json"}, 415)
        return None
