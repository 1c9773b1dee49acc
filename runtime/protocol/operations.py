"""Every operation of a service over HTTP: what it is called, takes and gives.

Routes are made of these, and so is the OpenAPI description; there is no second list.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.protocol import answers, reload_answers
from runtime.protocol.operation import Operation, Parameter, Port

SAMPLE = r"^1/[1-9][0-9]{0,6}$"
_LARGEST = 10**15 - 1


class SessionName(msgspec.Struct, forbid_unknown_fields=True):
    """A session in the body of a request."""

    profile: str
    key: str


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of what needs none: an empty object."""


class Reload(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a reload. `force`: also where open sessions lose something."""

    force: bool = False


class Rollback(msgspec.Struct, forbid_unknown_fields=True):
    """The version to go back to."""

    version: int
    force: bool = False


class CastShadow(msgspec.Struct, forbid_unknown_fields=True):
    """The version to run as a shadow; null for what the tenant's folder has."""

    version: int | None = None


_NO_TENANT = {404: "there is no such tenant"}
_BAD_QUERY = {400: "a parameter is not what it should be"}
_ACT = {400: "the body is not that", 415: "it is not `application/json`"}
_LIMIT = Parameter(
    "limit", "How many at most; 200 is the most there are.", {"type": "integer", "minimum": 0, "maximum": _LARGEST}
)
_PROFILE = Parameter("profile", "The name of the profile.", {"type": "string"}, required=True)
_KEY = Parameter("key", "The session's key.", {"type": "string"}, required=True)
_NO_SESSION = {404: "there is no such tenant, profile or live session"}
_NO_ANSWER = {503: "no worker answers"}
_NO_WORKER = {503: "the worker whose session it is does not answer"}

_TENANT = "/api/v1/tenants/{tenant}"
_TEXT = "text/plain"


def _look(path: str, name: str, doc: str, answer: Any, *parameters: Parameter, **more: Any) -> Operation:
    errors = {**_NO_TENANT, **(_BAD_QUERY if parameters else {}), **more.pop("errors", {})}
    return Operation("GET", f"{_TENANT}{path}", name, doc, answer, parameters, errors=errors, **more)


def _probe(path: str, name: str, doc: str) -> Operation:
    return Operation(
        "GET", path, name, doc, media=_TEXT, errors={503: "not so; the text says why"}, error_media=_TEXT, is_open=True
    )


LIVEZ = _probe("/livez", "livez", "Whether time goes on: the last tick is not long ago.")
READYZ = _probe("/readyz", "readyz", "Whether events are taken; not while it starts or stops.")
STARTUPZ = _probe("/startupz", "startupz", "Whether it has begun.")
METRICS = Operation("GET", "/metrics", "metrics", "For Prometheus: all names begin with `sojourn_`.", media=_TEXT)
OPENAPI = Operation("GET", "/openapi.json", "openapi", "This description.", dict[str, Any])
SERVICE = Operation(
    "GET", "/api/v1/service", "service", "Version, and each tenant in a few numbers.", answers.ServiceFacts
)
WORKERS = Operation(
    "GET",
    "/api/v1/workers",
    "workers",
    "Each of several workers with its state and figures; none where one process does all.",
    answers.Workers,
)
TENANT = _look("", "tenant", "All counters of a tenant, its profiles, its ways in and out.", answers.TenantDetails)
RULES = _look("/rules", "rules", "Every rule with its text, place, matches and errors.", answers.Rules)
SERIES = _look("/series", "series", "A sample a second of the last five minutes.", answers.Series)
ENDS = _look("/ends", "ends", "The sessions that ended last, with reason, duration and events.", answers.Ends, _LIMIT)
DEAD_LETTERS = _look(
    "/dead-letters", "deadLetters", "The last dead letters, and how many by code.", answers.DeadLetters, _LIMIT
)
CONFIG = _look("/config", "config", "The files that a tenant runs by.", answers.ConfigFacts)
SESSIONS = _look(
    "/sessions",
    "sessions",
    "Live sessions whose key holds a text, in pages.",
    answers.Sessions,
    Parameter("profile", "The name of the profile; the first one without it.", {"type": "string"}),
    Parameter("key", "A text that the key holds.", {"type": "string"}),
    Parameter("start", "Where the page begins.", {"type": "integer", "minimum": 0, "maximum": _LARGEST}),
    _LIMIT,
    errors={404: "there is no such tenant or profile"},
)
SESSION = _look(
    "/session",
    "session",
    "A live session with its state, metadata and sub-sessions.",
    answers.TracedSession,
    _PROFILE,
    _KEY,
    Parameter(
        "trace",
        "`on`: its events are traced for a minute from here on, and what was is given as `trace`.",
        {"type": "string", "enum": ["on", "off"]},
    ),
    errors={**_NO_SESSION, **_NO_WORKER},
)
TRACE = _look(
    "/session/trace",
    "sessionTrace",
    "The last events of a session, live or not, since it is looked at: this looks at it for a minute.",
    answers.Trace,
    _PROFILE,
    _KEY,
    errors={404: "there is no such tenant or profile", **_NO_WORKER},
)
TAP = _look(
    "/tap",
    "tap",
    "Events as they come, a line of JSON each, with what each rule did, until the reader goes or `limit` is reached. "
    'A line `{"missed": N}` says how many there was no room or no time for.',
    answers.Traced,
    Parameter("type", "Only events of this type.", {"type": "string"}),
    Parameter("key", "Only events and ends of sessions with this key.", {"type": "string"}),
    Parameter("sample", "One of so many, by chance: `1/100`.", {"type": "string", "pattern": SAMPLE}),
    Parameter("limit", "So many and no more; 0 for no end.", {"type": "integer", "minimum": 0, "maximum": _LARGEST}),
    media="application/x-ndjson",
    errors={429: "as many as may are tapping this tenant already"},
)
END = Operation(
    "POST",
    f"{_TENANT}/session/end",
    "endSession",
    "Ends a session where it stands, reason `forced`.",
    answers.Ended,
    body=SessionName,
    also={202: "nobody took the end marker yet; it is tried again"},
    errors={
        **_NO_SESSION,
        **_ACT,
        503: "it cannot be logged, so it was not done; or the worker that has it does not answer",
    },
)
PAUSE = Operation(
    "POST",
    f"{_TENANT}/pause",
    "pause",
    "Takes no more events; time goes on.",
    answers.TenantFacts,
    body=Nothing,
    errors={**_NO_TENANT, **_ACT},
)
RESUME = Operation(
    "POST",
    f"{_TENANT}/resume",
    "resume",
    "Takes events again.",
    answers.TenantFacts,
    body=Nothing,
    errors={**_NO_TENANT, **_ACT},
)
_NOT_RELOADED = {
    409: "open sessions would lose something, or cannot be taken over",
    422: "the rules have problems",
    500: "it failed otherwise",
}
_NO_VERSION = {404: "there is no such tenant or version"}
_NO_SHADOW = {404: "there is no such tenant, or no shadow"}


def _swap(method: str, path: str, name: str, doc: str, answer: Any, **more: Any) -> Operation:
    """One that gives an outcome where it comes to nothing."""
    found = {"otherwise": reload_answers.NotReloaded, "refusals": _NOT_RELOADED, **more}
    return Operation(method, f"{_TENANT}{path}", name, doc, answer, **found)


VERSIONS = _look(
    "/versions",
    "versions",
    "Versions of a tenant's rules, which one runs, what came of the latest reload.",
    reload_answers.Versions,
)
PLAN = _swap(
    "GET",
    "/plan",
    "plan",
    "What a reload, or going back to a version, would do to open sessions.",
    reload_answers.Candidate,
    parameters=(
        Parameter(
            "version",
            "The version to go back to; 0 for what the tenant's folder has.",
            {"type": "integer", "minimum": 0, "maximum": _LARGEST},
        ),
    ),
    errors={**_BAD_QUERY, **_NO_VERSION, **_NO_ANSWER},
)
RELOAD = _swap(
    "POST",
    "/reload",
    "reload",
    "Runs what the tenant's folder has now.",
    reload_answers.Outcome,
    body=Reload,
    errors={**_NO_TENANT, **_ACT},
)
ROLLBACK = _swap(
    "POST",
    "/rollback",
    "rollback",
    "Runs a version again.",
    reload_answers.Outcome,
    body=Rollback,
    errors={**_NO_VERSION, **_ACT},
)
SHADOW = _look(
    "/shadow",
    "shadow",
    "How the rules that run beside a tenant's own compare.",
    reload_answers.Shadow,
    errors={**_NO_SHADOW, **_NO_ANSWER},
)
CAST_SHADOW = _swap(
    "POST",
    "/shadow",
    "castShadow",
    "Runs rules beside a tenant's own: its folder's, or a version's. They take the place of such as are there.",
    reload_answers.Shadow,
    body=CastShadow,
    errors={**_NO_VERSION, **_ACT},
)
END_SHADOW = Operation(
    "DELETE",
    f"{_TENANT}/shadow",
    "endShadow",
    "Ends the rules that run beside a tenant's own; how they compared.",
    reload_answers.Shadow,
    errors=_NO_SHADOW,
)
PROMOTE = _swap(
    "POST",
    "/shadow/promote",
    "promoteShadow",
    "Runs the shadow's rules in earnest.",
    reload_answers.Outcome,
    body=Reload,
    errors={**_NO_SHADOW, **_ACT},
)
EVENTS = Operation(
    "POST",
    "/v1/events/{tenant}",
    "sendEvents",
    "Takes a batch of events. An event that is refused never fails its batch: it is a dead letter.",
    answers.Taken,
    body_media={
        "application/x-ndjson": {"type": "string", "description": "An event a line."},
        "application/json": {
            "description": "An array of events, or one event; an element that is none becomes a dead letter.",
            "anyOf": [{"type": "array"}, {"type": "object"}],
        },
    },
    errors={
        400: "the body is damaged, or no JSON array; no event was taken",
        404: "there is no such tenant",
        408: "the body did not arrive in time",
        413: "the body has too many bytes, as sent or unpacked, or too many lines",
        415: "another type or encoding than those that are read",
        429: "events of this tenant wait for their turn already, or it has had those of this second",
        503: "the tenant is paused or stuck, the disk is full, a worker is not there, or the service is stopping; "
        "no event was taken",
        504: "with workers: some events wait still, and will be taken if all goes well",
    },
)


INGEST = Port("Sojourn: intake", (EVENTS, OPENAPI))
MONITOR = Port(
    "Sojourn: monitoring",
    (
        *(
            LIVEZ,
            READYZ,
            STARTUPZ,
            METRICS,
            OPENAPI,
            SERVICE,
            WORKERS,
            TENANT,
            RULES,
            SERIES,
            ENDS,
            DEAD_LETTERS,
            CONFIG,
        ),
        *(SESSIONS, SESSION, TRACE, END, TAP, PAUSE, RESUME),
        *(VERSIONS, PLAN, RELOAD, ROLLBACK, SHADOW, CAST_SHADOW, END_SHADOW, PROMOTE),
    ),
)
"""Beside the pages, which are for people."""
