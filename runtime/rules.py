"""A tenant's configuration to compiled rules: the controller, each profile, each kind of sub-session."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from epl import (
    Compiled,
    Diagnostic,
    EventType,
    InvalidInput,
    SessionLayout,
    Severity,
    Stage,
    check,
    compile_program,
    parse,
    session_layout,
    types,
)
from epl.ast import CreateSchema
from epl.checker import Checked
from epl.diagnostics import Problems
from epl.structs import replace
from runtime.config import MarkerKeys, ProfileConfig, SubSessionConfig, TenantConfig, TimePolicy, codes
from runtime.extensions import load_extensions


@dataclass(frozen=True, slots=True)
class SubSessionRules:
    """The rules of one kind of sub-session."""

    config: SubSessionConfig
    compiled: Compiled
    layout: SessionLayout


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """The rules of a profile and of its sub-sessions, in configuration order."""

    config: ProfileConfig
    compiled: Compiled
    layout: SessionLayout
    sub_sessions: tuple[SubSessionRules, ...]


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Everything of a tenant that is compiled. `event_types` are those that events from outside may have.

    `checker` can compile them again, for explaining, with the very functions that modules have added.
    """

    config: TenantConfig
    event_types: Mapping[str, EventType]
    controller: Compiled
    profiles: tuple[ProfileRules, ...]
    checker: TenantChecker = field(repr=False, compare=False)

    def programs(self) -> tuple[Compiled, ...]:
        """All compiled rule sets: controller, profiles, their sub-sessions."""
        of_profiles = [(p.compiled, *(sub.compiled for sub in p.sub_sessions)) for p in self.profiles]
        return (self.controller, *(compiled for each in of_profiles for compiled in each))

    def matches(self) -> list[tuple[str, str, int]]:
        """How often each statement has given a row: its file (below the tenant's folder), its name, the number."""
        return [
            (self._file(compiled), statement.name, compiled.matches[statement.number])
            for compiled in self.programs()
            for statement in compiled.program.statements()
        ]

    def add_matches(self, matches: Iterable[tuple[str, str, int]]) -> None:
        """Adds to the numbers of statements, by file and name."""
        before = {(file, name): number for file, name, number in matches}
        for compiled in self.programs():
            for statement in compiled.program.statements():
                number = before.pop((self._file(compiled), statement.name), 0)
                compiled.matches[statement.number] += number

    def _file(self, compiled: Compiled) -> str:
        """The folder may be another one by then: a release has a new one each time."""
        return compiled.program.source.name.removeprefix(os.path.join(os.path.dirname(self.config.source.name), ""))


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """The checked rule sets of a profile: its own, and those of its sub-sessions in configuration order."""

    config: ProfileConfig
    main: Checked
    subs: tuple[Checked, ...]


class TenantChecker:
    """Checks all rule sets of a tenant; `diagnostics` has what it found, `compile` makes the rules.

    `controller` and `profiles` are the checked rule sets, in configuration order; `extensions` what modules add to the
    language.
    """

    def __init__(self, config: TenantConfig) -> None:
        self.config = config
        self._problems = Problems(config.source)
        parsed = parse(config.controller)
        names = frozenset(profile.name for profile in config.profiles)
        self.extensions = load_extensions(config, self._problems)
        self._around = self.extensions.environment()
        self.controller = check(
            parsed, replace(self._around, stage=Stage.CONTROLLER, event_types=config.events, profiles=names)
        )
        created = {statement.name.text for statement in parsed.statements if isinstance(statement, CreateSchema)}
        made = {
            name: EventType(name, fields)
            for name, fields in self.controller.program.event_types.items()
            if name in created
        }
        self._event_types = {**config.events, **made}
        self.profiles = [self._check_profile(profile) for profile in config.profiles]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All problems, file by file."""
        found = [*self._problems, *self.controller.problems]
        for profile in self.profiles:
            for checked in (profile.main, *profile.subs):
                found += checked.problems
        return found

    def _check_profile(self, config: ProfileConfig) -> CheckedProfile:
        self._refuse_other_types(config)
        subs = config.sub_sessions
        policy = self.config.time.policy
        event_types = {**markers_of(config, policy), **self._event_types, **config.events}
        for sub in subs:
            event_types = {**markers_of(sub, policy), **event_types}
        main = check(
            parse(config.rules),
            replace(
                self._around,
                stage=Stage.MAIN,
                event_types=event_types,
                marker_types=frozenset(markers_of(config, policy)),
                sub_sessions=frozenset(sub.name for sub in subs),
            ),
        )
        created = {name: EventType(name, fields) for name, fields in main.program.event_types.items()}
        inherited = {name: created[name] for name in created if name not in main.program.routed}
        checked = tuple(
            check(
                parse(sub.rules),
                replace(
                    self._around,
                    stage=Stage.SUB,
                    event_types={**event_types, **inherited},
                    marker_types=frozenset(markers_of(sub, policy)),
                    parent=main.attributes,
                ),
            )
            for sub in subs
        )
        return CheckedProfile(config, main, checked)

    def _refuse_other_types(self, config: ProfileConfig) -> None:
        """An event is decoded once for all profiles, so a field has one type."""
        for name, event_type in config.events.items():
            known = self._event_types.get(name)
            for each, type_ in event_type.fields.items():
                other = type_ if known is None else known.fields.get(each, type_)
                if other != type_:
                    self._problems.add(
                        codes.FIELD_TYPES,
                        config.span,
                        profile=config.name,
                        field=f"{name}.{each}",
                        type=str(type_),
                        other=str(other),
                    )

    def compile(self, *, report: bool = False) -> TenantRules:
        """The compiled rules; with `report` they tell their rows. Raises InvalidInput with all diagnostics.

        It does so when any of them is an error.
        """
        diagnostics = self.diagnostics
        if any(found.severity is Severity.ERROR for found in diagnostics):
            raise InvalidInput(diagnostics)
        names = [profile.name for profile in self.config.profiles]
        guarded = self.config.limits.rule_time_ms > 0
        controller = compile_program(self.controller.program, profiles=names, report=report, guarded=guarded)
        profiles = tuple(_compile_profile(profile, report, guarded) for profile in self.profiles)
        return TenantRules(self.config, self._event_types, controller, profiles, self)


def _compile_profile(checked: CheckedProfile, report: bool, guarded: bool) -> ProfileRules:
    layout = session_layout(checked.main.attributes)
    subs = checked.config.sub_sessions
    names = [sub.name for sub in subs]
    compiled = compile_program(checked.main.program, layout, sub_sessions=names, report=report, guarded=guarded)
    made = []
    for config, sub in zip(subs, checked.subs, strict=True):
        sub_layout = session_layout(sub.attributes)
        sub_compiled = compile_program(sub.program, sub_layout, layout, report=report, guarded=guarded)
        made.append(SubSessionRules(config, sub_compiled, sub_layout))
    return ProfileRules(checked.config, compiled, layout, tuple(made))


def compile_tenant(config: TenantConfig) -> TenantRules:
    """Checks and compiles a tenant's rules. Raises InvalidInput with all diagnostics."""
    return TenantChecker(config).compile()


def markers_of(config: ProfileConfig | SubSessionConfig, policy: TimePolicy) -> dict[str, EventType]:
    """The markers of a kind of session, with the fields of their keys.

    Those that nothing declares have these fields and no others, so that rules can run on them as they are.
    """
    keys: MarkerKeys = config.keys
    begin = {keys.id: types.STRING, keys.start: types.LONG, keys.marker: types.STRING}
    end = {**begin, keys.end: types.LONG, keys.duration: types.LONG, keys.count: types.INT, keys.reason: types.STRING}
    if policy is not TimePolicy.GAP and isinstance(config, ProfileConfig):
        # The ender knows the user's time of sessions alone.
        end[keys.user] = types.LONG
    found = {}
    for name, fields in ((config.begin_marker, begin), (config.end_marker, end)):
        if name is not None:
            found[name] = EventType(name, {field: type_ for field, type_ in fields.items() if field is not None})
    return found
