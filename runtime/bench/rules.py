"""What each rule costs by itself, timed outside of the engine, so that nothing in the engine needs a hook.

One run of the engine keeps a sample of the calls of each rule set's functions: the event, and copies of the sessions as
they were. Then each rule is compiled alone and called with them, over and over, and a call of an empty function is
taken off. A whole rule set costs somewhat less than the sum, since its rules share what they read of an event; the
engine's own run somewhat more, since it finds its sessions in colder memory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePath
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from epl import structs
from epl.compiler import Compiled, Handler, compile_program
from epl.layout import SessionLayout
from epl.typed import Program, Rule, Update
from runtime.bench.figures import RuleFigures
from runtime.bench.parts import Job, drive, with_compiled
from runtime.cache import NEVER_MS
from runtime.counters import EngineCounters
from runtime.effects import Effects
from runtime.rules import TenantRules

_SAMPLE = 2_000
"""Calls of a function that are kept."""
_CHUNK = 100
"""Calls that are timed at once: so few stay in the processor's cache, as an event does on its way."""
_ROUNDS = 7

_Arguments = tuple[Any, Any, Any, int, Effects]


@dataclass(frozen=True, slots=True)
class _Call:
    """What a handler was called with; sessions are copies of their own."""

    event: Any
    session: Any
    parent: Any
    now_ms: int
    is_new: bool


@dataclass(slots=True)
class _Sampled:
    """The calls of one handler: how many, and a sample in which each is as likely as any other."""

    calls: int = 0
    kept: list[_Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _RuleSet:
    """A rule set, what it was compiled with, and the calls of its handlers by event type."""

    compiled: Compiled
    layout: SessionLayout
    parent: SessionLayout
    options: Mapping[str, Any]
    sampled: dict[str, _Sampled] = field(default_factory=dict)

    def alone(self, statement: Rule | Update) -> Handler:
        """The handler of a statement as if its event type had no other; other types keep theirs, for its rows."""
        program = self.compiled.program

        def stays(other: Rule | Update) -> bool:
            return other.event_type != statement.event_type or other.number == statement.number

        reduced = structs.replace(
            program, updates=tuple(filter(stays, program.updates)), rules=tuple(filter(stays, program.rules))
        )
        return compile_program(reduced, self.layout, self.parent, **self.options).handlers[statement.event_type]


class RuleTimes:
    """Times each rule of a job's tenant."""

    steps = 1 + _ROUNDS

    def __init__(self, job: Job) -> None:
        self._job = job
        self._sets = {id(each.compiled): each for each in _rule_sets(job.rules)}
        self._random = Random(0)
        self._samplers: dict[Handler, Handler] = {}

    def run(self, events: int, on_step: Callable[[], None]) -> tuple[RuleFigures, ...]:
        """The rules, the most costly first; `events` of the job."""
        before = {key: each.compiled.matches[:] for key, each in self._sets.items()}
        drive(self._job, self._job.engine(with_compiled(self._job.rules, self._sampling)))
        matches = {
            key: [now - then for now, then in zip(each.compiled.matches, before[key], strict=True)]
            for key, each in self._sets.items()
        }
        on_step()
        timed = [
            (key, statement, each.alone(statement), each.sampled[statement.event_type])
            for key, each in self._sets.items()
            for statement in _statements(each.compiled.program)
        ]
        profiles = len(self._job.rules.profiles)
        seconds: list[list[list[float]]] = [[] for _ in timed]
        for _ in range(_ROUNDS):
            with _without_gc():
                for (key, _, handler, sampled), spent in zip(timed, seconds, strict=True):
                    if sampled.kept:
                        spent.append(_time(handler, sampled.kept, self._sets[key], profiles))
            on_step()
        found = [
            RuleFigures(
                rule=statement.name,
                where=_where(self._sets[key].compiled.program, statement),
                calls=sampled.calls,
                matches=matches[key][statement.number],
                us_per_event=_of_all(spent, sampled) / events * 1e6,
            )
            for (key, statement, _, sampled), spent in zip(timed, seconds, strict=True)
        ]
        return tuple(sorted(found, key=lambda rule: -rule.us_per_event))

    # ---- the sample

    def _sampling(self, compiled: Compiled) -> Compiled:
        rule_set = self._sets[id(compiled)]
        return replace(
            compiled, handlers={name: self._sampler(rule_set, name, each) for name, each in compiled.handlers.items()}
        )

    def _sampler(self, rule_set: _RuleSet, type_name: str, handler: Handler) -> Handler:
        sampled = rule_set.sampled[type_name] = _Sampled()

        def sampler(event: Any, session: Any, parent: Any, now_ms: int, effects: Any) -> Any:
            place = sampled.calls
            if place >= _SAMPLE:
                # Algorithm R: the n-th call is kept with the probability sample / n, in place of any other.
                place = self._random.randrange(place + 1)
            sampled.calls += 1
            if place < _SAMPLE:
                sampled.kept[place : place + 1] = [
                    _Call(
                        copy(event),
                        _copied(session, rule_set.layout),
                        _copied(parent, rule_set.parent),
                        now_ms,
                        effects.is_new,
                    )
                ]
            decorations = handler(event, session, parent, now_ms, effects)
            for row_place, (row_handler, row) in enumerate(effects.rows):
                effects.rows[row_place] = (self._samplers.get(row_handler, row_handler), row)
            return decorations

        self._samplers[handler] = sampler
        return sampler


def _of_all(rounds: list[list[float]], sampled: _Sampled) -> float:
    """The seconds of all calls, by the sample's. The median of each chunk: few of them are interrupted twice."""
    if not rounds:
        return 0.0
    of_kept = sum(float(median(chunk)) for chunk in zip(*rounds, strict=True))
    return of_kept / len(sampled.kept) * sampled.calls


def _time(handler: Handler, kept: list[_Call], rule_set: _RuleSet, profiles: int) -> list[float]:
    """The seconds that a handler takes for each chunk of some calls, less those of an empty one."""
    spent = []
    for start in range(0, len(kept), _CHUNK):
        chunk = kept[start : start + _CHUNK]
        _seconds(handler, _arguments(chunk, rule_set, profiles))
        calls = _arguments(chunk, rule_set, profiles)
        empty = _seconds(_empty, calls)
        spent.append(_seconds(handler, calls) - empty)
    return spent


@contextmanager
def _without_gc() -> Iterator[None]:
    """Keeps the collector from starting in the middle of a rule; nothing here makes cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _empty(event: Any, session: Any, parent: Any, now_ms: int, effects: Any) -> Any:
    return None


def _seconds(handler: Handler, calls: list[_Arguments]) -> float:
    began = perf_counter()
    for event, session, parent, now_ms, effects in calls:
        handler(event, session, parent, now_ms, effects)
    return perf_counter() - began


def _arguments(kept: list[_Call], rule_set: _RuleSet, profiles: int) -> list[_Arguments]:
    """Calls with sessions as they were, whatever earlier rounds have written."""
    effects = {}
    for is_new in (False, True):
        effects[is_new] = Effects(EngineCounters(), NEVER_MS, profiles)
        effects[is_new].is_new = is_new
    return [
        (
            call.event,
            _copied(call.session, rule_set.layout),
            _copied(call.parent, rule_set.parent),
            call.now_ms,
            effects[call.is_new],
        )
        for call in kept
    ]


def _copied(session: Any, layout: SessionLayout) -> Any:
    """A session of its own, with lists and maps of its own: some rules change them where they are."""
    if session is None:
        return None
    kind: Any = type(session)
    again = kind.__new__(kind)
    for slot in _slots(kind):
        setattr(again, slot, getattr(session, slot))
    for attribute in layout.attributes:
        value = getattr(again, attribute)
        if isinstance(value, list | dict):
            setattr(again, attribute, value.copy())
    return again


@cache
def _slots(kind: type[Any]) -> tuple[str, ...]:
    """All slots of a class of sessions."""
    return tuple(slot for base in kind.__mro__ for slot in getattr(base, "__slots__", ()))


# ---- rules and their places


def _rule_sets(rules: TenantRules) -> Iterator[_RuleSet]:
    guarded = {"guarded": rules.config.limits.rule_time_ms > 0}
    none = SessionLayout({}, {})
    names = [profile.config.name for profile in rules.profiles]
    yield _RuleSet(rules.controller, none, none, {"profiles": names, **guarded})
    for profile in rules.profiles:
        subs = [sub.config.name for sub in profile.sub_sessions]
        yield _RuleSet(profile.compiled, profile.layout, none, {"sub_sessions": subs, **guarded})
        for sub in profile.sub_sessions:
            yield _RuleSet(sub.compiled, sub.layout, profile.layout, guarded)


def _statements(program: Program) -> Iterator[Rule | Update]:
    """Each statement once: what is done with the row of an update counts as the update."""
    return (each for each in program.statements() if not (isinstance(each, Rule) and each.of_update))


def _where(program: Program, statement: Rule | Update) -> str:
    place = program.source.position(statement.span.start)
    return f"{PurePath(program.source.name).name}:{place.line}"
