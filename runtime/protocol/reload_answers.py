"""The shapes of what the API gives of other rules for a tenant: versions, plans, what came of a reload, shadows."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from runtime.protocol.answers import Merged


class Diagnostic(TypedDict):
    """A problem of rules, as `sojourn lint --format json` gives it, and with the text that it prints."""

    code: str
    severity: str
    message: str
    hint: str | None
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    excerpt: str


class PlannedAttribute(TypedDict):
    """What becomes of a value that sessions hold; types by name."""

    namespace: str
    name: str
    before: list[str]
    after: str | None
    change: str


class PlannedSetting(TypedDict):
    """A setting that changes; whether open sessions feel it."""

    name: str
    before: str
    after: str
    holds_for_open: bool


class PlannedKind(TypedDict):
    """What becomes of one kind of session."""

    name: str
    change: str
    attributes: list[PlannedAttribute]
    settings: list[PlannedSetting]


class PlannedProfile(PlannedKind):
    """The same of a profile, with the sessions that are open."""

    open_sessions: int | None
    sub_sessions: list[PlannedKind]


class Plan(TypedDict):
    """What becomes of open sessions. `loses`: they lose something; `refused`: why none can be taken over."""

    tenant: str
    loses: bool
    refused: str | None
    profiles: list[PlannedProfile]


class Candidate(Merged):
    """What a reload would do."""

    unchanged: bool
    plan: Plan
    diagnostics: list[Diagnostic]


class Outcome(TypedDict):
    """What came of a reload. `version` runs after it, `wanted` was to run; `pause_ms` is how long events waited."""

    result: Literal["reloaded", "unchanged", "bad_rules", "refused", "failed"]
    trigger: Literal["api", "file", "signal", "start"]
    at_ms: int
    version: int | None
    wanted: int | None
    reason: str | None
    diagnostics: list[Diagnostic]
    plan: Plan | None
    sessions: int
    dropped_sessions: int
    pause_ms: float | None


class NotReloaded(Outcome):
    """The same where it came to nothing, and why in words."""

    error: str


class Version(TypedDict):
    """A version that is kept; when it was made is not known where it is damaged."""

    version: int
    made_ms: int | None
    runs: bool


class Versions(Merged):
    """The versions of a tenant's rules, the newest first, how many reloads there were by result, and the latest."""

    version: int | None
    folder: str
    versions: list[Version]
    reloads: dict[str, int]
    last: Outcome | None


class LinesOfType(TypedDict):
    """How many lines of a type left."""

    type: str
    running: int
    shadow: int


class Difference(TypedDict):
    """An event or a session of which something else left, as both have it, and the fields that differ.

    `at_ms` is when both had left, or the only one.
    """

    at_ms: int
    what: str
    fields: list[str]
    running: dict[str, Any] | None
    shadow: dict[str, Any] | None


class Tally(TypedDict):
    """How many are the same and how many are not, and the latest of these."""

    same: int
    different: int
    differences: list[Difference]


class Ends(Tally):
    """The same of end markers, and those that the other one has not had, or not yet."""

    only_running: int
    only_shadow: int
    alone: list[Difference]


class Comparison(TypedDict):
    """What left the rules that run beside what would have left their shadow."""

    lines: list[LinesOfType]
    events: Tally
    ends: Ends


class Shadow(Merged):
    """Rules that run beside a tenant's own. `problem`: why they do so no longer, or not for all of its sessions."""

    version: int
    running_version: int | None
    since_ms: int
    sessions_at_start: int
    dropped_sessions: int
    live_sessions: int
    events: int
    problem: str | None
    rule_errors: int
    comparison: Comparison
