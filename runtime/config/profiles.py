"""Profiles and their sub-sessions, with the checks between gaps, limits, names and markers."""

from __future__ import annotations

from epl.diagnostics import Problems
from epl.source import Span
from runtime.config.codes import (
    ACTIVE_UNDER_GAP,
    FIELD_TWICE,
    GAP_OVER_IDLE,
    MARKER_TAKEN,
    NAME_TAKEN,
    SUB_GAP_OVER_GAP,
)
from runtime.config.events import read_events
from runtime.config.files import RuleFiles, read_rules
from runtime.config.model import MarkerKeys, ProfileConfig, SubSessionConfig
from runtime.config.reader import Found, Section, shown
from runtime.config.units import format_duration


def read_profiles(root: Section, files: RuleFiles, max_idle: Found[int]) -> tuple[ProfileConfig, ...]:
    """The tenant's profiles in file order; `max_idle` in ms."""
    names, markers = _Taken(root.problems), _Taken(root.problems)
    return tuple(_profile(section, files, max_idle, names, markers) for section in root.sections("profiles"))


class _Taken:
    """Names in use and where, to refuse a second use."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._places: dict[tuple[str, object], Span] = {}

    def take(self, what: str, found: Found[str] | Found[int] | Found[str | None]) -> None:
        """Takes a name, unless there is none; reports it when it is taken."""
        if not found.given or not found.valid or found.value is None:
            return
        first = self._places.setdefault((what, found.value), found.span)
        if first is not found.span:
            line = self._problems.source.position(first.start).line
            code = MARKER_TAKEN if what == "marker" else NAME_TAKEN
            self._problems.add(code, found.span, what=what, name=shown(str(found.value)), line=line)


def _profile(section: Section, files: RuleFiles, max_idle: Found[int], names: _Taken, markers: _Taken) -> ProfileConfig:
    problems = section.problems
    name, number = section.text("name"), section.number("type")
    names.take("profile", name)
    names.take("type", number)
    gap = section.number("gap")
    if not gap.given:
        gap = Found(min(gap.value, max_idle.value), gap.span, given=False, valid=gap.valid and max_idle.valid)
    elif gap.valid and max_idle.valid and gap.value > max_idle.value:
        limit = format_duration(max_idle.value)
        problems.add(GAP_OVER_IDLE, gap.span, gap=format_duration(gap.value), max_idle=limit)
    max_active = section.number("max_active")
    if gap.valid and max_active.valid and 0 < max_active.value < gap.value:
        hint = None if max_active.given else "give `max_active`: a longer one, or 0 for no limit"
        span = max_active.span if max_active.given else gap.span
        cap = format_duration(max_active.value)
        problems.add(ACTIVE_UNDER_GAP, span, hint=hint, max_active=cap, gap=format_duration(gap.value))
    begin, end = _markers(section, markers)
    own_names = _Taken(problems)
    return ProfileConfig(
        name=name.value,
        type=number.value,
        gap_ms=gap.value,
        max_active_ms=max_active.value,
        midnight=section.switch("midnight").value,
        shadow=section.switch("shadow").value,
        begin_marker=begin,
        end_marker=end,
        keys=_marker_keys(section.section("keys")),
        events=read_events(problems, section.node("events")),
        rules=read_rules(section, "rules", files),
        sub_sessions=tuple(
            _sub_session(sub, files, gap, own_names, markers) for sub in section.sections("sub_sessions")
        ),
        span=name.span,
    )


def _sub_session(
    section: Section, files: RuleFiles, profile_gap: Found[int], names: _Taken, markers: _Taken
) -> SubSessionConfig:
    name, gap = section.text("name"), section.number("gap")
    names.take("sub-session", name)
    if not gap.given:
        gap = profile_gap
    elif gap.valid and profile_gap.valid and gap.value > profile_gap.value:
        limit = format_duration(profile_gap.value)
        section.problems.add(SUB_GAP_OVER_GAP, gap.span, gap=format_duration(gap.value), profile_gap=limit)
    begin, end = _markers(section, markers)
    return SubSessionConfig(
        name=name.value,
        gap_ms=gap.value,
        begin_marker=begin,
        end_marker=end,
        keys=_marker_keys(section.section("keys")),
        rules=read_rules(section, "rules", files),
        span=name.span,
    )


def _markers(section: Section, taken: _Taken) -> tuple[str | None, str | None]:
    begin, end = section.optional_text("begin_marker"), section.optional_text("end_marker")
    taken.take("marker", begin)
    taken.take("marker", end)
    return begin.value, end.value


def _marker_keys(section: Section) -> MarkerKeys:
    fields = {
        name: section.optional_text(name)
        for name in ("id", "start", "end", "duration", "count", "reason", "marker", "user")
    }
    key_by_name: dict[str, str] = {}
    # Defaults first, so that what is reported is what the user wrote.
    for key, found in sorted(fields.items(), key=lambda item: item[1].given):
        other = key_by_name.setdefault(found.value, key) if found.value is not None and found.valid else key
        if other != key:
            section.problems.add(FIELD_TWICE, found.span, key=key, other=other, name=shown(found.value or ""))
    return MarkerKeys(**{key: found.value for key, found in fields.items()})
