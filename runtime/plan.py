"""What a change of rules does to sessions that are open: said before it is made.

Sessions outlive the rules that opened them, in a snapshot or in a cache; `runtime.cache.shapes` carries them over by
name. Here the same is worked out from the shapes alone, for every session that there may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from epl.types import Kind
from runtime.cache.shapes import Attribute, Change, Shape, change
from runtime.config import MarkerKeys, ProfileConfig, SubSessionConfig, TenantConfig, TimePolicy, format_duration
from runtime.contents import Contents
from runtime.engine import Engine
from runtime.rules import TenantRules
from runtime.snapshot import refusal

_T = TypeVar("_T")
_LOSSES = (Change.WHERE_IT_FITS, Change.DROPPED)
_SEVERITY = list(Change)


@dataclass(frozen=True, slots=True)
class AttributePlan:
    """What becomes of an attribute; `before` has several types where several rule sets wrote it."""

    namespace: str
    name: str
    before: tuple[str, ...]
    after: str | None
    change: Change


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs. `holds_for_open`: also for sessions that are open; else these keep what they have."""

    name: str
    before: str
    after: str
    holds_for_open: bool


@dataclass(frozen=True, slots=True)
class KindPlan:
    """What becomes of the sessions of a profile, or of the sub-sessions of a kind.

    `change` is ADDED, KEPT or DROPPED; only of what is kept there are attributes and settings. `open_sessions`: how
    many there are, where that is known.
    """

    name: str
    change: Change
    attributes: tuple[AttributePlan, ...] = ()
    settings: tuple[Setting, ...] = ()
    sub_sessions: tuple[KindPlan, ...] = ()
    open_sessions: int | None = None

    @property
    def is_lost(self) -> bool:
        """True when sessions of it may be open, and are dropped."""
        return self.change is Change.DROPPED and self.open_sessions != 0

    def attributes_by(self, *changes: Change) -> list[AttributePlan]:
        """The attributes of which one of these becomes."""
        return [each for each in self.attributes if each.change in changes]

    def data(self) -> dict[str, Any]:
        """The same for machines, without sub-sessions."""
        return {
            "name": self.name,
            "change": self.change.value,
            "attributes": [
                {
                    "namespace": each.namespace,
                    "name": each.name,
                    "before": list(each.before),
                    "after": each.after,
                    "change": each.change.value,
                }
                for each in self.attributes
            ],
            "settings": [
                {"name": each.name, "before": each.before, "after": each.after, "holds_for_open": each.holds_for_open}
                for each in self.settings
            ],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of all open sessions of a tenant. `refused`: why none can be taken over; then there is no more."""

    tenant: str
    refused: str | None
    profiles: tuple[KindPlan, ...]

    def kinds(self) -> Iterator[KindPlan]:
        """Profiles, each before its sub-sessions."""
        for profile in self.profiles:
            yield profile
            yield from profile.sub_sessions

    @property
    def loses(self) -> bool:
        """True when something is dropped, or may be."""
        return self.loses_sessions or any(kind.attributes_by(*_LOSSES) for kind in self._open_kinds())

    @property
    def loses_sessions(self) -> bool:
        """True when sessions or sub-sessions are dropped, which have no end marker then."""
        return self.refused is not None or any(kind.is_lost for kind in self._open_kinds())

    def _open_kinds(self) -> Iterator[KindPlan]:
        """Those of which some may be open."""
        for profile in self.profiles:
            if profile.open_sessions != 0:
                yield profile
                yield from profile.sub_sessions

    def losses(self) -> list[str]:
        """What is dropped, or may be, in words: kinds of sessions, and attributes of those that stay."""
        found = [] if self.refused is None else [self.refused]
        for kind in self._open_kinds():
            if kind.is_lost:
                found.append(f"all open {kind.name}")
            for each in kind.attributes_by(*_LOSSES):
                found.append(f"{each.namespace}.{each.name} of {kind.name}: {each.change.value}")
        return found

    def data(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "tenant": self.tenant,
            "loses": self.loses,
            "refused": self.refused,
            "profiles": [
                profile.data()
                | {
                    "open_sessions": profile.open_sessions,
                    "sub_sessions": [sub.data() for sub in profile.sub_sessions],
                }
                for profile in self.profiles
            ],
        }


@dataclass(frozen=True, slots=True)
class Before:
    """Where sessions come from: the rule sets of each profile that may have written them, the oldest first.

    A snapshot knows how many sessions it has, and no configuration.
    """

    tenant: str
    policy: TimePolicy
    shapes: Mapping[str, Sequence[Shape]]
    open_sessions: Mapping[str, int]
    config: TenantConfig | None

    @classmethod
    def of_rules(cls, rules: TenantRules) -> Before:
        """Sessions that these rules have written."""
        config = rules.config
        shapes = {name: [shape] for name, shape in _shapes(rules).items()}
        return cls(config.tenant, config.time.policy, shapes, {}, config)

    @classmethod
    def of_engine(cls, engine: Engine) -> Before:
        """The sessions that are live in an engine, as its rules have them."""
        live = {profile.name: profile.counters.active for profile in engine.profiles}
        return replace(cls.of_rules(engine.rules), open_sessions=live)

    @classmethod
    def of_snapshot(cls, contents: Contents) -> Before:
        """The sessions of a snapshot, also those that rules older than its own have written."""
        shapes = {profile.name: list(profile.shapes.values()) for profile in contents.profiles}
        counts = {profile.name: profile.sessions + profile.late for profile in contents.profiles}
        return cls(contents.tenant, contents.policy, shapes, counts, None)


def plan(before: Before, after: TenantRules) -> Plan:
    """What becomes of sessions when these rules take them over."""
    why = refusal(before.tenant, before.policy, after.config)
    if why is not None:
        return Plan(after.config.tenant, why, ())
    shapes = _shapes(after)
    configs = {profile.config.name: profile.config for profile in after.profiles}
    old_configs = {} if before.config is None else {profile.name: profile for profile in before.config.profiles}
    profiles = []
    for name in _either(before.shapes, shapes):
        count = before.open_sessions.get(name)
        if name not in shapes:
            profiles.append(KindPlan(name, Change.DROPPED, open_sessions=count))
        elif name not in before.shapes:
            profiles.append(KindPlan(name, Change.ADDED))
        else:
            old_config, config = old_configs.get(name), configs[name]
            profiles.append(_profile(name, before.shapes[name], shapes[name], old_config, config, count))
    return Plan(after.config.tenant, None, tuple(profiles))


def _profile(
    name: str,
    before: Sequence[Shape],
    after: Shape,
    old_config: ProfileConfig | None,
    config: ProfileConfig,
    open_sessions: int | None,
) -> KindPlan:
    subs: list[KindPlan] = []
    new_subs = dict(after.subs)
    old_subs = [dict(shape.subs) for shape in before]
    old_sub_configs = {} if old_config is None else {sub.name: sub for sub in old_config.sub_sessions}
    sub_configs = {sub.name: sub for sub in config.sub_sessions}
    for sub in _either((name for shape in old_subs for name in shape), new_subs):
        written = [shape[sub] for shape in old_subs if sub in shape]
        if sub not in new_subs:
            subs.append(KindPlan(sub, Change.DROPPED))
        elif not written:
            subs.append(KindPlan(sub, Change.ADDED))
        else:
            settings = _settings(old_sub_configs.get(sub), sub_configs[sub])
            subs.append(KindPlan(sub, Change.KEPT, _attributes(written, new_subs[sub]), settings))
    attributes = _attributes([shape.attributes for shape in before], after.attributes)
    settings = _settings(old_config, config)
    return KindPlan(name, Change.KEPT, attributes, settings, tuple(subs), open_sessions)


def _attributes(before: Sequence[Sequence[Attribute]], after: Sequence[Attribute]) -> tuple[AttributePlan, ...]:
    written: dict[tuple[str, str], list[Attribute]] = {}
    for attribute in (each for shape in before for each in shape):
        # One that rules only ever removed holds nothing.
        if attribute.kind != Kind.NULL.value:
            written.setdefault((attribute.namespace, attribute.name), []).append(attribute)
    wanted = {(attribute.namespace, attribute.name): attribute for attribute in after}
    found = []
    for place in _either(written, wanted):
        old, new = written.get(place, []), wanted.get(place)
        worst = max((change(each, new) for each in old), key=_SEVERITY.index, default=Change.ADDED)
        types = tuple(dict.fromkeys(map(str, old)))
        found.append(AttributePlan(*place, types, None if new is None else str(new), worst))
    return tuple(found)


def _settings(
    before: ProfileConfig | SubSessionConfig | None, after: ProfileConfig | SubSessionConfig
) -> tuple[Setting, ...]:
    if before is None:
        return ()
    old, new = dict(_settings_of(before)), dict(_settings_of(after))
    return tuple(
        Setting(name, text, new[name][0], holds_for_open)
        for name, (text, holds_for_open) in old.items()
        if text != new[name][0]
    )


def _settings_of(config: ProfileConfig | SubSessionConfig) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Settings that an open session feels or might be thought to: name, text, and whether it feels them."""
    # The gap is the session's own from its first event on, and so is what its begin marker said.
    yield "gap", (format_duration(config.gap_ms), False)
    if isinstance(config, ProfileConfig):
        yield "type", (str(config.type), True)
        yield "max_active", (format_duration(config.max_active_ms) if config.max_active_ms else "none", True)
        yield "midnight", (str(config.midnight).lower(), True)
        yield "shadow", (str(config.shadow).lower(), True)
    yield "begin_marker", (config.begin_marker or "none", False)
    yield "end_marker", (config.end_marker or "none", True)
    for name in MarkerKeys.__struct_fields__:
        yield f"keys.{name}", (getattr(config.keys, name) or "none", True)


def _shapes(rules: TenantRules) -> dict[str, Shape]:
    return {
        profile.config.name: Shape.of(profile.layout, [(sub.config.name, sub.layout) for sub in profile.sub_sessions])
        for profile in rules.profiles
    }


def _either(first: Iterable[_T], second: Iterable[_T]) -> list[_T]:
    """What is in one or the other, each once, in order."""
    return list(dict.fromkeys([*first, *second]))
