"""Lint: every problem of rule files, whether they belong to a tenant or stand alone.

A tenant's rule sets are linted with what its configuration and its other rule sets say: gaps, markers, who reads what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from epl import Diagnostic, Environment, InvalidInput, Severity, Source, Stage, check, parse
from epl.checker import Checked
from epl.compiler.analysis import expressions_of
from epl.diagnostics import Code
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES, LintContext, Surroundings, lint_program
from epl.typed import (
    Attribute,
    AttributeContains,
    AttributeFilter,
    Const,
    Decorate,
    Namespace,
    Program,
    RouteToProfile,
    Scope,
)
from epl.typed_walk import subexpressions
from runtime.config import (
    CONFIG_CODES,
    YAML_NAME,
    ProfileConfig,
    SubSessionConfig,
    TenantConfig,
    find_tenants,
    load_tenant,
)
from runtime.rules import TenantChecker

CODES: tuple[Code, ...] = (*LANGUAGE_CODES, *CONFIG_CODES, *LINT_CODES)
"""Everything that linting may report."""

DEFAULT_SELECT = ("E", "W6", "W7")
"""Errors, correctness and cost; style (W8) and migration (W9) are for those who ask."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which diagnostics count: those whose code begins with a prefix of `select` and with none of `ignore`."""

    select: tuple[str, ...] = DEFAULT_SELECT
    ignore: tuple[str, ...] = ()
    errors_only: bool = False

    def takes(self, diagnostic: Diagnostic) -> bool:
        """True when a diagnostic counts."""
        code = diagnostic.code.id
        if self.errors_only and diagnostic.severity is not Severity.ERROR:
            return False
        return code.startswith(self.select) and not code.startswith(self.ignore)


@dataclass(slots=True)
class Linted:
    """What was looked at and what was found. `files` counts rule files and configurations."""

    files: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Diagnostics that stop the rules from running."""
        return sum(found.severity is Severity.ERROR for found in self.diagnostics)

    @property
    def warnings(self) -> int:
        """All others."""
        return len(self.diagnostics) - self.errors


class NothingToLint(Exception):
    """A path that is not there, or holds neither a tenant nor a rule file; the message names it."""


def lint(paths: list[Path], selection: Selection | None = None) -> Linted:
    """Checks tenants, folders of tenants and single rule files. Raises NothingToLint."""
    linted = Linted()
    for path in paths:
        for target in _targets(path):
            if target.suffix == ".epl":
                _lint_file(target, linted)
            else:
                _lint_tenant(target, linted)
    taken = selection or Selection()
    # A folder and a file in it may both be given, and a file may serve two profiles: each problem counts once.
    once = {(found.code, found.source.name, found.span, found.message): found for found in linted.diagnostics}
    linted.diagnostics = [found for found in once.values() if taken.takes(found)]
    return linted


def _targets(path: Path) -> Iterator[Path]:
    """The tenants of a path, and the rule files that no tenant owns."""
    if not path.exists():
        raise NothingToLint(f"{path}: there is no such file or folder")
    if path.is_file():
        owner = path.parent / YAML_NAME
        # A rule file of a tenant means little without its configuration: which stage, which events.
        yield owner.parent if path.suffix == ".epl" and owner.exists() else path
        return
    tenants = find_tenants(path)
    owned = {tenant.resolve() for tenant in tenants}
    loose = [file for file in sorted(path.rglob("*.epl")) if not owned & {parent.resolve() for parent in file.parents}]
    if not tenants and not loose:
        raise NothingToLint(f"{path}: neither a {YAML_NAME} nor an .epl file is in there")
    yield from tenants
    yield from loose


def _lint_file(path: Path, linted: Linted) -> None:
    """A rule file on its own declares its event types itself (`create schema`)."""
    linted.files += 1
    try:
        source = Source.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise NothingToLint(f"{path}: {_reason(error)}") from error
    parsed, environment = parse(source), Environment()
    checked = check(parsed, environment)
    linted.diagnostics += _in_order([*checked.problems, *lint_program(LintContext.of(parsed, checked, environment))])


def _lint_tenant(path: Path, linted: Linted) -> None:
    linted.files += 1
    try:
        config = load_tenant(path)
    except InvalidInput as error:
        linted.diagnostics += error.diagnostics
        return
    sources = {config.controller.name}
    for profile in config.profiles:
        sources |= {profile.rules.name, *(sub.rules.name for sub in profile.sub_sessions)}
    linted.files += len(sources - {config.source.name})
    tenant = _LintedTenant(config)
    linted.diagnostics += _in_order([*tenant.diagnostics, *tenant.warnings()])


def _in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """File by file in the order in which they turn up, each from top to bottom."""
    by_file: dict[str, list[Diagnostic]] = {}
    for diagnostic in found:
        by_file.setdefault(diagnostic.source.name, []).append(diagnostic)
    return [each for of in by_file.values() for each in sorted(of, key=lambda found: found.span.start)]


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start})"
    return error.strerror or str(error)


# ---- what a tenant's rule sets have around them


class _LintedTenant(TenantChecker):
    """A checked tenant, each of its rule sets in its surroundings."""

    def warnings(self) -> Iterator[Diagnostic]:
        """The warnings of all rule sets: controller, profiles, their sub-sessions."""
        config, controller = self._config, self._controller
        mains = [profile.main.program for profile in self._profiles]
        yield from _warnings(
            config.controller,
            controller,
            Environment(stage=Stage.CONTROLLER),
            Surroundings(
                known=True,
                max_idle_ms=config.limits.max_idle_ms,
                other_markers=_all_markers(config) - config.events.keys(),
                types_elsewhere=_types_used([*mains, *(s.program for p in self._profiles for s in p.subs)]),
            ),
        )
        for checked in self._profiles:
            yield from self._of_profile(checked.config, checked.main, checked.subs)

    def _of_profile(self, config: ProfileConfig, main: Checked, subs: tuple[Checked, ...]) -> Iterator[Diagnostic]:
        tenant, first = self._config, self._controller.program
        routes = [
            effect
            for rule in first.rules
            for effect in rule.effects
            if isinstance(effect, RouteToProfile) and effect.profile == config.name
        ]
        yield from _warnings(
            config.rules,
            main,
            Environment(stage=Stage.MAIN, marker_types=frozenset(_markers(config, tenant.type_field))),
            Surroundings(
                known=True,
                gap_ms=config.gap_ms,
                max_idle_ms=tenant.limits.max_idle_ms,
                block_size=tenant.cache.block_size,
                markers=_markers(config, tenant.type_field),
                end_markers=_end_markers(config),
                other_markers=_all_markers(tenant) - tenant.events.keys(),
                decorated=_decorated([first]),
                read_elsewhere=_read_of_parent(main, subs),
                types_elsewhere=_types_used([sub.program for sub in subs]),
                hands_on=len(tenant.profiles) > 1,
                has_passive_events=any(route.passive for route in routes),
                gap_varies=any(route.duration_ms is not None for route in routes),
            ),
        )
        for sub, checked in zip(config.sub_sessions, subs, strict=True):
            markers = _markers(sub, tenant.type_field)
            yield from _warnings(
                sub.rules,
                checked,
                Environment(stage=Stage.SUB, marker_types=frozenset(markers), parent=main.attributes),
                Surroundings(
                    known=True,
                    max_idle_ms=tenant.limits.max_idle_ms,
                    block_size=tenant.cache.block_size,
                    markers=markers,
                    end_markers=_end_markers(sub),
                    other_markers=_all_markers(tenant) - tenant.events.keys(),
                    decorated=_decorated([first, main.program]),
                    hands_on=len(tenant.profiles) > 1 or len(subs) > 1,
                ),
            )


def _warnings(
    source: Source, checked: Checked, environment: Environment, surroundings: Surroundings
) -> list[Diagnostic]:
    return lint_program(LintContext.of(parse(source), checked, environment, surroundings))


def _markers(config: ProfileConfig | SubSessionConfig, type_field: str) -> dict[str, frozenset[str]]:
    """The markers of a kind of session, and the fields they have besides metadata."""
    keys = config.keys
    begin = (type_field, keys.id, keys.start)
    both = (
        (config.begin_marker, begin),
        (config.end_marker, (*begin, keys.end, keys.duration, keys.count, keys.reason)),
    )
    return {name: frozenset(each for each in fields if each is not None) for name, fields in both if name is not None}


def _end_markers(config: ProfileConfig | SubSessionConfig) -> frozenset[str]:
    return frozenset(() if config.end_marker is None else (config.end_marker,))


def _all_markers(config: TenantConfig) -> frozenset[str]:
    kinds: list[ProfileConfig | SubSessionConfig] = [*config.profiles]
    kinds += [sub for profile in config.profiles for sub in profile.sub_sessions]
    return frozenset(name for kind in kinds for name in (kind.begin_marker, kind.end_marker) if name is not None)


def _types_used(programs: Iterable[Program]) -> frozenset[str]:
    return frozenset(statement.event_type for program in programs for statement in program.statements())


def _decorated(programs: Iterable[Program]) -> Mapping[str, frozenset[str]]:
    """The fields that rules add to events, by event type."""
    found: dict[str, frozenset[str]] = {}
    for program in programs:
        for rule in program.rules:
            for effect in rule.effects:
                if isinstance(effect, Decorate):
                    names = frozenset(column.name for column in effect.columns)
                    found[rule.event_type] = found.get(rule.event_type, frozenset()) | names
    return found


def _read_of_parent(main: Checked, subs: Iterable[Checked]) -> frozenset[tuple[Namespace, str]]:
    """The attributes of a session that the rules of its sub-sessions read: all, where a name is computed."""
    found: set[tuple[Namespace, str]] = set()
    for sub in subs:
        tops = (top for statement in sub.program.statements() for top in expressions_of(statement))
        for part in (part for top in tops for part in subexpressions(top)):
            match part:
                case Attribute(_, _, Scope.PARENT, namespace, name):
                    found.add((namespace, name))
                case AttributeContains(_, _, Scope.PARENT, namespace, Const(_, _, str(name)), _):
                    found.add((namespace, name))
                case AttributeContains(_, _, Scope.PARENT, namespace) | AttributeFilter(_, _, Scope.PARENT, namespace):
                    found |= {(namespace, name) for name in main.attributes.of(namespace)}
                case _:
                    pass
    return frozenset(found)
