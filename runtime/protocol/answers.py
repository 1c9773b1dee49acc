"""The shapes of what the API gives. Times are ms since 1970, durations ms.

Whoever makes an answer is checked against its shape by mypy, and the OpenAPI description is made of the same shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

State = Literal["running", "paused", "stuck", "disabled"]


class Error(TypedDict):
    """Why a request came to nothing, in words."""

    error: str


class Merged(TypedDict):
    """`missing`: of several workers those that could not be asked, by number. What they have is not in the answer."""

    missing: NotRequired[list[int]]


# ---- intake


class Letter(TypedDict):
    """An event of a batch that became a dead letter: its line, from 1, the code, and the reason in words."""

    line: int
    code: str
    reason: str


class Taken(TypedDict):
    """What became of a batch: how many events are in sessions or passed through, how many are dead letters.

    The first hundred dead letters are named.
    """

    batch: str
    accepted: int
    dead_lettered: int
    dead_letters: list[Letter]


# ---- the service and its tenants


class TenantFacts(Merged):
    """A tenant in a few numbers. `problem` says in words what keeps it from working."""

    tenant: str
    state: State
    problem: str | None
    events: int
    events_per_second: float
    live_sessions: int
    ended_sessions: int
    dead_letters: int
    lines_out: int
    waiting_batches: int
    waiting_bytes: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None


class ServiceFacts(Merged):
    """The service, and each of its tenants in a few numbers."""

    version: str
    started_ms: int
    now_ms: int
    tenants: list[TenantFacts]


class WorkerFacts(TypedDict):
    """One of several processes that serve the tenants; what only it knows is null where it could not be asked.

    `waiting_lines` were given to it and have had no answer yet.
    """

    worker: int
    state: Literal["starting", "ready", "stopping", "down"]
    pid: int | None
    restarts: int
    waiting_lines: int
    events: int | None
    events_per_second: float | None
    live_sessions: int | None
    problem: str | None


class Workers(TypedDict):
    """All of them, by number; none where one process does all."""

    workers: list[WorkerFacts]


class DeliveryFacts(TypedDict):
    """A way out, and how it is doing."""

    name: str
    ready: bool
    problem: str | None
    lines: int
    failures: int
    waiting_bytes: int


class SourceFacts(TypedDict):
    """A way in, how it is doing, and how many events wait there, by partition."""

    name: str
    problem: str | None
    events: int
    failures: int
    lags: dict[str, int]


class SessionCounts(TypedDict):
    """The counters of one kind of session; `ended` by reason."""

    active: int
    created: int
    ended: dict[str, int]
    single_event: int
    short: int
    long: int
    mean_duration_ms: int | None
    max_duration_ms: int
    mean_events: float | None
    max_events: int


class SubSessionKind(SessionCounts):
    """A kind of sub-session."""

    sub_session: str
    gap_ms: int


class ProfileFacts(SessionCounts):
    """A profile: how it is configured, and what came of it."""

    profile: str
    gap_ms: int
    max_active_ms: int
    shadow: bool
    sub_sessions: list[SubSessionKind]


class TenantDetails(TenantFacts):
    """All counters of a tenant; `refused` by code, `responses` by HTTP status."""

    outcomes: dict[str, int]
    refused: dict[str, int]
    late: dict[str, int]
    future: int
    behind_clock: int
    clock_steps_back: int
    ends_refused: int
    revived: int
    ignored_durations: int
    debug: dict[str, int]
    responses: dict[str, int]
    received_bytes: int
    profiles: list[ProfileFacts]
    sources: list[SourceFacts]
    deliveries: list[DeliveryFacts]


class RuleFacts(TypedDict):
    """A rule: of which rule set, where it stands, how often it matched and failed."""

    rules: str
    rule: str
    event_type: str
    file: str
    line: int
    text: str
    shadow: bool
    matches: int
    errors: dict[str, int]


class Rules(Merged):
    """Every rule of a tenant, in the order of files."""

    rules: list[RuleFacts]


class Sample(TypedDict):
    """What one second brought: events, sessions that began and ended, dead letters; and how many live at its end."""

    events: int
    created: int
    ended: int
    refused: int
    live: int


class Series(Merged):
    """A sample a second of the last five minutes, the oldest first."""

    samples: list[Sample]


class EndFacts(TypedDict):
    """A session or sub-session that ended; what its marker does not say is null."""

    at_ms: int
    kind: str
    session_id: Any
    reason: Any
    duration_ms: Any
    events: Any


class Ends(Merged):
    """The sessions that ended last, the newest first."""

    ends: list[EndFacts]


class LetterFacts(TypedDict):
    """A dead letter; `event_bytes` is the size of its event where only the beginning is here."""

    at_ms: int
    code: str
    reason: str
    source: str
    line: int
    event: str
    event_bytes: int | None


class DeadLetters(Merged):
    """How many dead letters by code, the file that has all of them, and the last ones, the newest first."""

    counts: dict[str, int]
    file: str
    dead_letters: list[LetterFacts]


class ConfigFacts(Merged):
    """The files that a tenant runs by, by name, as they were read."""

    tenant: str
    version: int | None
    folder: str
    files: dict[str, str]


# ---- sessions


class SessionNumbers(TypedDict):
    """What all sessions and sub-sessions have."""

    key: str
    session_id: str
    first_event_ms: int
    created_ms: int
    modified_ms: int
    expires_at_ms: int
    gap_ms: int
    duration_ms: int
    events: int
    bot_type: int
    bot_events: int


class SessionFacts(SessionNumbers):
    """A live session in a few numbers."""

    profile: str
    sub_sessions: int


class Sessions(Merged):
    """A page of live sessions; `next` is the `start` of the next page."""

    sessions: list[SessionFacts]
    next: int | None


class SubSessionFacts(SessionNumbers):
    """A live sub-session with what rules have written into it."""

    sub_session: str
    state: dict[str, Any]
    metadata: dict[str, Any]


class SessionDetails(SessionNumbers):
    """All that is known of a live session; `now_ms` is what its clock says, by which it is due."""

    now_ms: int
    profile: str
    max_active_ms: int
    state: dict[str, Any]
    metadata: dict[str, Any]
    sub_sessions: list[SubSessionFacts]


class TracedSession(SessionDetails):
    """The same; with `trace=on` also its last events since it is looked at, the newest first."""

    trace: NotRequired[list[Traced]]


class Trace(TypedDict):
    """The last events of a session since it is looked at, the newest first. `live`: whether it is so now."""

    profile: str
    key: str
    live: bool
    trace: list[Traced]


class Ended(TypedDict):
    """Whether the session has ended; if not, nobody took its end marker yet, and it is tried again."""

    ended: bool


# ---- what rules did


class RuleSeen(TypedDict):
    """What a rule made of an event: `failed` is the first condition that did not hold, `read` what it read."""

    rule: str
    matched: bool
    shadow: bool
    failed: str | None
    read: dict[str, Any]
    row: dict[str, Any] | None
    error: str | None


class Change(TypedDict):
    """An attribute that a pass of rules changed."""

    name: str
    before: Any
    after: Any


class PassStep(TypedDict):
    """One run of a rule set over an event, a row or a marker; `voided`: a split undid it."""

    kind: Literal["rules"]
    of: str
    event_type: str
    voided: bool
    rules: list[RuleSeen]
    changes: list[Change]
    decorations: dict[str, Any]


Happening = Literal["began", "went on", "ended", "waits to end"]


class LifeStep(TypedDict):
    """Something that happened to a session, and why."""

    kind: Happening
    of: str
    session: str
    why: str


class MarkerStep(TypedDict):
    """A marker that left, as it left."""

    kind: Literal["marker"]
    marker: dict[str, Any]


class KeyGiven(TypedDict):
    """The session of a profile that stage 1 has chosen."""

    profile: str
    key: str


class Due(TypedDict):
    """When something of a session is due, if nothing comes."""

    session: str
    due_ms: int


Step = PassStep | LifeStep | MarkerStep
"""What a step of an event may be."""

STEPS = (PassStep, LifeStep, MarkerStep)
_STEP = {"anyOf": [{"$ref": f"#/components/schemas/{each.__name__}"} for each in STEPS]}


if TYPE_CHECKING:
    Steps = list[Step]
else:
    # The schemas of msgspec know no unions of such shapes.
    Steps = list[Annotated[dict[str, Any], Meta(extra_json_schema=_STEP)]]


class Traced(TypedDict):
    """An event and what rules made of it; with `line` null a moment at which something ended by itself."""

    line: int | None
    now_ms: int
    event: str | None
    outcome: str | None
    keys: list[KeyGiven]
    steps: Steps
    due: list[Due]
