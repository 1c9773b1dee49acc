"""The pages for people: drawn by the server from the same facts as the API gives, kept up to date by a small script.

Without the script they are as true as when they were loaded; with it, parts marked `data-live` follow every two
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from runtime.config import format_duration, spoken_duration
from runtime.output import to_json
from runtime.service import facts
from runtime.service.api import Phase, limit_of, named_profile, number_of, session_of, tenant_of, text_of
from runtime.service.charts import area_chart, bar, nice_top, timeline
from runtime.service.host import Host
from runtime.service.outcomes import Outcome, diagnostics_data
from runtime.service.reload import Reloader
from runtime.service.reload_api import require_version, version_facts
from runtime.service.served import Served
from runtime.service.sessions import find_sessions, profile_named
from runtime.service.taps import Lookouts

_CHARTS = (
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
    """The pages of one service."""

    def __init__(self, host: Host, reloader: Reloader, phase: Callable[[], Phase], lookouts: Lookouts) -> None:
        self._host = host
        self._reloader = reloader
        self._phase = phase
        self._lookouts = lookouts
        self._templates = Environment(
            loader=PackageLoader("runtime.service"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "number": lambda number: "–" if number is None else f"{number:,}",
            "bytes": _bytes,
            "time": _time,
            "moment": lambda time_ms: f"{_time(time_ms)}.{time_ms % 1000:03}",
            "ms": lambda ms: "–" if ms is None else f"{ms:,.1f} ms" if ms < 10 else f"{ms:,.0f} ms",
            "duration": lambda ms: "–" if ms is None else spoken_duration(ms),
            "setting": format_duration,
            "json": lambda value: to_json(value).decode("utf-8", "replace"),
            "path": lambda text: quote(text, safe="", errors="replace"),
        }
        self._templates.globals |= {"bar": bar, "tabs": _TABS, "version": facts.sojourn_version()}

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
        return self._render("failed.html", error.status_code, title=error.detail, served=None, tab="")

    async def _overview(self, request: Request) -> Response:
        service = facts.service_facts(self._host)
        tenants = [
            (each, area_chart([s.events for s in served.series.samples], f"Events a second of {served.name}"))
            for each, served in zip(service["tenants"], self._host.tenants.values(), strict=True)
        ]
        totals = {
            name: sum(each[name] for each in service["tenants"])
            for name in ("events", "events_per_second", "live_sessions", "ended_sessions", "dead_letters")
        }
        return self._render("overview.html", title="Overview", served=None, tab="", tenants=tenants, totals=totals)

    async def _tenant(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        charts = []
        for field, title in _CHARTS:
            values = [getattr(sample, field) for sample in served.series.samples]
            now = values[-1] if values else 0
            charts.append((field, title, now, nice_top(max(values, default=0)), area_chart(values, title)))
        return self._render(
            "tenant.html",
            title=served.name,
            served=served,
            tab="overview",
            facts=facts.tenant_details(served),
            charts=charts,
            ends=facts.end_facts(served, 12)["ends"],
        )

    async def _sessions(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        names = [profile.name for profile in served.tenant.engine.profiles]
        asked = request.query_params.get("profile", names[0])
        profile = profile_named(served, asked)
        if profile is None:
            raise HTTPException(404, f"There is no profile called {asked}")
        key, start = request.query_params.get("key", ""), number_of(request, "start", 0)
        found = find_sessions(profile, key, start, limit_of(request))
        more = None
        if found["next"] is not None:
            more = "?" + urlencode({"profile": profile.name, "key": key, "start": found["next"]})
        return self._render(
            "sessions.html",
            title=f"Sessions of {served.name}",
            served=served,
            tab="sessions",
            names=names,
            profile=profile.name,
            key=key,
            start=start,
            active=profile.counters.active,
            sessions=found["sessions"],
            more=more,
        )

    async def _session(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        profile, key = named_profile(served, request), text_of(request, "key")
        watching = self._lookouts.of(served)
        if profile.table.find(key) is None and (seen := watching.seen_of(profile.name, key)):
            return self._render("ended.html", 404, title=f"Session {key}", served=served, tab="sessions", trace=seen)
        session = session_of(served, request)
        trace = watching.look_at(profile.name, key)
        return self._render(
            "session.html",
            title=f"Session {session['key']}",
            served=served,
            tab="sessions",
            session=session,
            timeline=timeline(session, trace, self._host.clock_ms()),
            trace=trace,
        )

    async def _rules(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        rules = facts.rule_facts(served)["rules"]
        most = max((rule["matches"] for rule in rules), default=0)
        return self._render(
            "rules.html",
            title=f"Rules of {served.name}",
            served=served,
            tab="rules",
            rules=rules,
            most=max(most, 1),
            matched=sum(rule["matches"] > 0 for rule in rules),
        )

    async def _versions(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        return self._render(
            "versions.html",
            title=f"Versions of {served.name}",
            served=served,
            tab="versions",
            facts=version_facts(self._reloader, served),
            shadow=None if served.shadow is None else served.shadow.data(),
        )

    async def _plan(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        version = number_of(request, "version", 0) or None
        if version is not None:
            require_version(self._reloader, served, version)
        found = await self._reloader.candidate(served, version)
        values: dict[str, Any] = {"nothing": None, "unchanged": False, "plan": None, "diagnostics_found": ()}
        if isinstance(found, Outcome):
            values["nothing"] = found.data()
        else:
            values["unchanged"] = found.number is not None and found.number == served.version
            values["plan"] = found.plan.data()
            values["diagnostics_found"] = diagnostics_data(found.diagnostics)
        return self._render(
            "plan.html", title=f"Plan for {served.name}", served=served, tab="versions", version=version, **values
        )

    async def _letters(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        return self._render(
            "letters.html",
            title=f"Dead letters of {served.name}",
            served=served,
            tab="letters",
            letters=facts.letter_facts(served, 50),
        )

    async def _config(self, request: Request) -> Response:
        served = tenant_of(self._host, request)
        config = facts.config_facts(served)
        return self._render(
            "config.html", title=f"Configuration of {served.name}", served=served, tab="config", config=config
        )

    def _render(self, template: str, status: int = 200, *, served: Served | None, **values: Any) -> Response:
        text = self._templates.get_template(template).render(
            phase=self._phase().value,
            names_of_tenants=list(self._host.tenants),
            now_ms=self._host.clock_ms(),
            started_ms=self._host.started_ms,
            tenant=None if served is None else facts.tenant_facts(served),
            base="" if served is None else f"/tenants/{quote(served.name, safe='')}",
            **values,
        )
        # A rule may have made half a character, which no page can hold.
        return HTMLResponse(text.encode("utf-8", "replace"), status)


def _time(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        # Events may say any time.
        return f"{time_ms} ms"


def _bytes(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size = size / 1024  # type: ignore[assignment]
    return f"{size:.1f} GiB"
