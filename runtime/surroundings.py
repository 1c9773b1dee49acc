"""What a tenant's rule sets have around them, for linting: gaps, markers, who decorates and who reads what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from epl.checker import Checked
from epl.compiler.analysis import expressions_of
from epl.lint import LintContext, Surroundings
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
from runtime.config import ProfileConfig, SubSessionConfig, TenantConfig
from runtime.rules import CheckedProfile, TenantChecker, markers_of


def contexts(checker: TenantChecker) -> Iterator[LintContext]:
    """All rule sets of a tenant: the controller, the profiles, their sub-sessions."""
    config = checker.config
    stage_2 = [checked.program for profile in checker.profiles for checked in (profile.main, *profile.subs)]
    yield LintContext.of(
        checker.controller,
        Surroundings(
            known=True,
            max_idle_ms=config.limits.max_idle_ms,
            other_markers=_all_markers(config) - config.events.keys(),
            types_elsewhere=_types_used(stage_2),
        ),
    )
    for profile in checker.profiles:
        yield from _of_profile(config, checker.controller.program, profile)


def _of_profile(tenant: TenantConfig, controller: Program, profile: CheckedProfile) -> Iterator[LintContext]:
    config, main, subs = profile.config, profile.main, profile.subs
    routes = [
        effect
        for rule in controller.rules
        for effect in rule.effects
        if isinstance(effect, RouteToProfile) and effect.profile == config.name
    ]
    other_markers = _all_markers(tenant) - tenant.events.keys()
    yield LintContext.of(
        main,
        Surroundings(
            known=True,
            gap_ms=config.gap_ms,
            max_idle_ms=tenant.limits.max_idle_ms,
            block_size=tenant.cache.block_size,
            markers=_carried(config, tenant),
            end_markers=_end_markers(config),
            other_markers=other_markers,
            decorated=_decorated([controller]),
            read_elsewhere=_read_of_parent(main, subs),
            types_elsewhere=_types_used([sub.program for sub in subs]),
            hands_on=len(tenant.profiles) > 1,
            has_passive_events=any(route.passive for route in routes),
            gap_varies=any(route.duration_ms is not None for route in routes),
        ),
    )
    for sub, checked in zip(config.sub_sessions, subs, strict=True):
        yield LintContext.of(
            checked,
            Surroundings(
                known=True,
                max_idle_ms=tenant.limits.max_idle_ms,
                block_size=tenant.cache.block_size,
                markers=_carried(sub, tenant),
                end_markers=_end_markers(sub),
                other_markers=other_markers,
                decorated=_decorated([controller, main.program]),
                hands_on=len(tenant.profiles) > 1 or len(subs) > 1,
            ),
        )


def _carried(config: ProfileConfig | SubSessionConfig, tenant: TenantConfig) -> dict[str, frozenset[str]]:
    """The markers of a kind of session, and the fields they have besides metadata."""
    markers = markers_of(config, tenant.time.policy)
    return {name: frozenset((tenant.type_field, *marker.fields)) for name, marker in markers.items()}


def _end_markers(config: ProfileConfig | SubSessionConfig) -> frozenset[str]:
    return frozenset(() if config.end_marker is None else (config.end_marker,))


def _all_markers(config: TenantConfig) -> frozenset[str]:
    kinds: list[ProfileConfig | SubSessionConfig] = [*config.profiles]
    kinds += [sub for profile in config.profiles for sub in profile.sub_sessions]
    return frozenset(name for kind in kinds for name in markers_of(kind, config.time.policy))


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
