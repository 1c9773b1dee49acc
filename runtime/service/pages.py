"""The pages for people: drawn by the server from the same facts as the API gives, kept up to date by a small script.

Without the script they are as true as when they were loaded; with it, parts marked `data-live` follow every two
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from runtime.config import format_duration
from runtime.output import to_json
from runtime.protocol import Operation, answers, reload_answers
from runtime.protocol import operations as protocol
from runtime.service import facts, wording
from runtime.service.api import Phase, Query, number_of
from runtime.service.charts import area_chart, bar, nice_top
from runtime.service.lane_chart import lane_chart, until
from runtime.service.lanes import lanes_of
from runtime.service.looks import Looks

_CHARTS: tuple[tuple[Literal["events", "live", "ended", "refused"], str], ...] = (
    ("events", "Events a second"),
    ("live", "Live sessions"),
    ("ended", "Sessions ended a second"),
    ("refused", "Dead letters a second"),
)
_TABS = (
    ("overview", "Overview", ""),
    ("sessions", "Sessions", "/sessions"),
    ("rules", "Rules", "/rules"),
    ("versions", "Versions", "/versions"),
    ("letters", "Dead letters", "/dead-letters"),
    ("config", "Configuration", "/config"),
)


class Pages:
    """The pages of one service. `worker` is the number of the process where it is one of several.

    Such pages are seen through the process in front, below a path of their own; what their buttons do is done there, to
    all processes.
    """

    def __init__(self, looks: Looks, phase: Callable[[], Phase], worker: int | None = None) -> None:
        self.looks = looks
        self._phase = phase
        self._root = "" if worker is None else worker_path(worker)
        self.templates = Environment(
            loader=PackageLoader("runtime.service"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters |= {
            "number": wording.number_text,
            "bytes": wording.bytes_text,
            "time": wording.time_text,
            "moment": wording.moment_text,
            "ms": wording.latency_text,
            "duration": wording.duration_text,
            "setting": format_duration,
            "json": lambda value: to_json(value).decode("utf-8", "replace"),
            "path": lambda text: quote(text, safe="", errors="replace"),
        }
        self.templates.globals |= {
            "bar": bar,
            "tabs": _TABS,
            "until": until,
            "version": facts.sojourn_version(),
            "root": self._root,
            "worker": worker,
            "has_workers": False,
        }

    def routes(self) -> list[Route | Mount]:
        """All pages, and the files that they need."""
        tenant = "/tenants/{tenant}"
        return [
            Route("/", self._overview),
            Route(tenant, self._tenant),
            Route(f"{tenant}/sessions", self._sessions),
            Route(f"{tenant}/session", self._session),
            Route(f"{tenant}/rules", self._rules),
            Route(f"{tenant}/versions", self._versions),
            Route(f"{tenant}/plan", self._plan),
            Route(f"{tenant}/dead-letters", self._letters),
            Route(f"{tenant}/config", self._config),
            Mount("/static", StaticFiles(directory=str(files("runtime.service") / "static"))),
        ]

    async def failed(self, request: Request, error: Exception) -> Response:
        """A page that there is not."""
        assert isinstance(error, HTTPException)
        return self.render("failed.html", error.status_code, title=error.detail, is_missing=error.status_code == 404)

    async def _overview(self, request: Request) -> Response:
        service = await self.looks.service()
        every = [self.looks.look(protocol.SERIES, each["tenant"], {}) for each in service["tenants"]]
        series: list[answers.Series] = await asyncio.gather(*every)
        tenants = [
            (each, area_chart([s["events"] for s in its["samples"]], f"Events a second of {each['tenant']}"))
            for each, its in zip(service["tenants"], series, strict=True)
        ]
        totals = {
            name: sum(each[name] for each in service["tenants"])
            for name in ("events", "events_per_second", "live_sessions", "ended_sessions", "dead_letters")
        }
        return self.render("overview.html", title="Overview", tenants=tenants, totals=totals)

    async def _tenant(self, request: Request) -> Response:
        tenant = await self._details(request)
        series: answers.Series = await self._look(request, protocol.SERIES)
        ends: answers.Ends = await self._look(request, protocol.ENDS, {"limit": "12"})
        charts = []
        for field, title in _CHARTS:
            values = [sample[field] for sample in series["samples"]]
            now = values[-1] if values else 0
            charts.append((field, title, now, nice_top(max(values, default=0)), area_chart(values, title)))
        return self.render(
            "tenant.html", title=tenant["tenant"], tenant=tenant, tab="overview", charts=charts, ends=ends["ends"]
        )

    async def _sessions(self, request: Request) -> Response:
        tenant = await self._details(request)
        query = request.query_params
        active = {each["profile"]: each["active"] for each in tenant["profiles"]}
        profile = query.get("profile") or next(iter(active), "")
        asked = {**query, "profile": profile} if active else query
        found: answers.Sessions = await self._look(request, protocol.SESSIONS, asked)
        key, start = query.get("key", ""), number_of(query, "start", 0)
        more = None
        if found["next"] is not None:
            more = "?" + urlencode({"profile": profile, "key": key, "start": found["next"]})
        return self.render(
            "sessions.html",
            title=f"Sessions of {tenant['tenant']}",
            tenant=tenant,
            tab="sessions",
            names=list(active),
            profile=profile,
            key=key,
            start=start,
            active=active.get(profile, 0),
            sessions=found["sessions"],
            more=more,
        )

    async def _session(self, request: Request) -> Response:
        tenant = await self._details(request)
        query = request.query_params
        title = f"Session {query.get('key', '')}"
        try:
            session: answers.TracedSession = await self._look(request, protocol.SESSION, {**query, "trace": "on"})
        except HTTPException as error:
            if error.status_code != 404:
                raise
            seen: answers.Trace = await self._look(request, protocol.TRACE)
            if not seen["trace"]:
                raise
            return self.render("ended.html", 404, title=title, tenant=tenant, tab="sessions", trace=seen["trace"])
        trace = session.get("trace", [])
        lanes = lanes_of(session, trace)
        return self.render(
            "session.html",
            title=title,
            tenant=tenant,
            tab="sessions",
            session=session,
            lanes=lanes,
            timeline=lane_chart(lanes, session["now_ms"]),
            trace=trace,
        )

    async def _rules(self, request: Request) -> Response:
        tenant = await self._details(request)
        found: answers.Rules = await self._look(request, protocol.RULES)
        rules = found["rules"]
        most = max((rule["matches"] for rule in rules), default=0)
        return self.render(
            "rules.html",
            title=f"Rules of {tenant['tenant']}",
            tenant=tenant,
            tab="rules",
            rules=rules,
            most=max(most, 1),
            matched=sum(rule["matches"] > 0 for rule in rules),
        )

    async def _versions(self, request: Request) -> Response:
        tenant = await self._details(request)
        versions: reload_answers.Versions = await self._look(request, protocol.VERSIONS)
        shadow: reload_answers.Shadow | None = None
        with suppress(HTTPException):  # none is there
            shadow = await self._look(request, protocol.SHADOW)
        title = f"Versions of {tenant['tenant']}"
        return self.render("versions.html", title=title, tenant=tenant, tab="versions", facts=versions, shadow=shadow)

    async def _plan(self, request: Request) -> Response:
        tenant = await self._details(request)
        found = await self.looks.plan(tenant["tenant"], request.query_params)
        return self.render(
            "plan.html",
            title=f"Plan for {tenant['tenant']}",
            tenant=tenant,
            tab="versions",
            wanted=number_of(request.query_params, "version", 0),
            nothing=found if "result" in found else None,
            candidate=found,
        )

    async def _letters(self, request: Request) -> Response:
        tenant = await self._details(request)
        letters: answers.DeadLetters = await self._look(request, protocol.DEAD_LETTERS, {"limit": "50"})
        title = f"Dead letters of {tenant['tenant']}"
        return self.render("letters.html", title=title, tenant=tenant, tab="letters", letters=letters)

    async def _config(self, request: Request) -> Response:
        tenant = await self._details(request)
        config: answers.ConfigFacts = await self._look(request, protocol.CONFIG)
        title = f"Configuration of {tenant['tenant']}"
        return self.render("config.html", title=title, tenant=tenant, tab="config", config=config)

    async def _details(self, request: Request) -> answers.TenantDetails:
        details: answers.TenantDetails = await self._look(request, protocol.TENANT)
        return details

    async def _look(self, request: Request, operation: Operation, query: Query | None = None) -> Any:
        tenant = request.path_params["tenant"]
        return await self.looks.look(operation, tenant, request.query_params if query is None else query)

    def render(
        self,
        template: str,
        status: int = 200,
        *,
        tenant: answers.TenantDetails | None = None,
        tab: str = "",
        **values: Any,
    ) -> Response:
        """A page, of a tenant or of the service."""
        path = "" if tenant is None else f"/tenants/{quote(tenant['tenant'], safe='')}"
        text = self.templates.get_template(template).render(
            phase=self._phase().value,
            names_of_tenants=list(self.looks.tenants),
            now_ms=self.looks.clock_ms(),
            started_ms=self.looks.started_ms,
            tenant=tenant,
            tab=tab,
            base=f"{self._root}{path}",
            api=f"/api/v1{path}",
            **values,
        )
        # A rule may have made half a character, which no page can hold.
        return HTMLResponse(text.encode("utf-8", "replace"), status)


def worker_path(number: int) -> str:
    """Where the pages of a worker are, on the monitoring of the process in front."""
    return f"/workers/{number}"
