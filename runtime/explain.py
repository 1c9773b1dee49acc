"""Why an event did what it did: an engine that writes down what each rule saw, and what came of it.

The same engine, driven the same way: its handlers are wrapped, its profiles say when sessions begin and end. Nothing of
this is in the engine that runs live.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from epl import ast
from epl import typed as t
from epl.checker import Checked
from epl.compiler import SPLIT, Compiled, Handler
from epl.compiler.probes import Probed, probed
from epl.layout import SessionLayout, slot_name
from epl.lint.places import conjuncts, filters_of
from runtime.effects import Decorations, Effects
from runtime.engine import Engine
from runtime.explained import Pass, RuleSeen, Watch
from runtime.profile import Profile
from runtime.reorder import Refuse
from runtime.row import Line, raw_line
from runtime.rules import TenantRules
from runtime.session import SessionBase
from runtime.watched import watched_profile

_BESIDE = ("gap_ms", "bot_type")
"""What rules change of a session beside its attributes."""


class WatchedEffects(Effects):
    """Tells the watch of rows and errors, and traces the rows of `insert into` as events are.

    Without slots of its own, so that the effects of an engine at work can become such and be what they were again.
    """

    __slots__ = ()
    watch: ClassVar[Watch]
    traced: ClassVar[Mapping[Handler, Handler]]

    def further_passes(
        self, session: SessionBase | None, parent: SessionBase | None, now_ms: int, decorations: Decorations
    ) -> Decorations:
        """As the engine's, with handlers that are watched."""
        for place, (handler, row) in enumerate(self.rows):
            self.rows[place] = (self.traced.get(handler, handler), row)
        return super().further_passes(session, parent, now_ms, decorations)

    def report(self, rule: int, row: dict[str, Any]) -> None:
        """The row of a rule that matched."""
        seen = self.watch.rule(rule)
        if seen is not None:
            seen.matched, seen.row, seen.failed = True, row, None

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        """A rule that failed has no row."""
        super().fail(rule, error, event)
        self.watch.failed(rule, error)


class ExplainingEngine(Engine):
    """An engine whose `watch` knows why, by rules that were compiled to report their rows."""

    def __init__(self, rules: TenantRules, output: Any, watch: Watch, **options: Any) -> None:
        self.watch = watch
        self._probed = dict(_probes(rules))
        self._traced: dict[Handler, Handler] = {}
        self.effects_class = watched_effects(watch, self._traced)
        super().__init__(rules, output, **options)
        for profile in self.profiles:
            for kind in (profile, *profile.sub_sessions):
                for marker in (kind.begin_marker, kind.end_marker):
                    if marker is not None and marker.handler is not None:
                        marker.handler = self._traced.get(marker.handler, marker.handler)

    def _profile_class(self) -> type[Profile]:
        return watched_profile(super()._profile_class(), self.watch)

    def _handlers(self, compiled: Compiled) -> dict[type[Any], Handler]:
        title, layout, by_type = self._probed[id(compiled)]
        for type_name, handler in compiled.handlers.items():
            if handler not in self._traced:
                self._traced[handler] = _traced(self.watch, title, type_name, by_type[type_name], layout, handler)
        plain = super()._handlers(compiled)
        return {class_: self._traced[handler] for class_, handler in plain.items()}

    def _process(
        self, at_work: Any, lines: Iterable[tuple[int, Line]], refuse: Refuse, latest_ms: int, wall_ms: int
    ) -> None:
        for number, line in lines:
            before = self.counters.outcomes.copy()
            refused: list[str] = []

            def keep(given: Any, into: list[str] = refused) -> None:
                into.append(f"{given.code}: {given.reason}")
                refuse(given)

            self.watch.begin(number, raw_line(line))
            super()._process(at_work, ((number, line),), keep, latest_ms, wall_ms)
            outcome = next(iter(self.counters.outcomes - before), "")
            finish(self, self.watch, f"refused, {refused[0]}" if refused else outcome, at_work.now_ms)

    def _tick(self, at_work: Any, now_ms: int, judged: str = "gap") -> None:
        # What ends by time stands for itself, before the event that shows what time it is.
        current, self.watch.current = self.watch.current, None
        super()._tick(at_work, now_ms, judged)
        self.watch.current = current


def watched_effects(watch: Watch, traced: Mapping[Handler, Handler]) -> type[WatchedEffects]:
    """A class of effects for one watch."""
    return type("WatchedEffects", (WatchedEffects,), {"__slots__": (), "watch": watch, "traced": traced})


def finish(engine: Engine, watch: Watch, outcome: str, now_ms: int) -> None:
    """The event at work is done: what became of it, and when its sessions are due."""
    current = watch.current
    if current is None:
        return
    current.outcome = outcome
    for profile_name, key in current.keys:
        profile = next(each for each in engine.profiles if each.name == profile_name)
        session = profile.table.find(key)
        if session is not None:
            current.due_ms.append((session.session_id, profile.due_ms(session)))
    watch.end(now_ms)


_Parts = tuple[str, SessionLayout, Mapping[str, list[Probed]]]


def _probes(rules: TenantRules) -> Iterator[tuple[int, _Parts]]:
    """The parts of each rule set, by the identity of what it compiles to."""
    checker = rules.checker
    yield id(rules.controller), _parts("controller", checker.controller, SessionLayout({}, {}), None)
    for checked, made in zip(checker.profiles, rules.profiles, strict=True):
        yield id(made.compiled), _parts(made.config.name, checked.main, made.layout, None)
        for sub_checked, sub in zip(checked.subs, made.sub_sessions, strict=True):
            title = f"{made.config.name}/{sub.config.name}"
            yield id(sub.compiled), _parts(title, sub_checked, sub.layout, made.layout)


def _parts(title: str, checked: Checked, layout: SessionLayout, parent: SessionLayout | None) -> _Parts:
    source = checked.parsed.source
    found = []
    for statement in checked.program.statements():
        if isinstance(statement, t.Rule) and statement.of_update:
            continue
        node = checked.parsed.statements[statement.number]
        assert isinstance(node, ast.Select | ast.Update)
        if isinstance(statement, t.Rule) and isinstance(node, ast.Select):
            terms = [(source.slice(each.node.span), each.expr) for each in conjuncts(statement, node)]
        else:
            terms = [(source.slice(each.span), statement.condition) for each in filters_of(node) if statement.condition]
        found.append((statement, [(" ".join(text.split()), expr) for text, expr in terms]))
    by_type: dict[str, list[Probed]] = {}
    for each in probed(found, source.name, layout, parent):
        by_type.setdefault(each.statement.event_type, []).append(each)
    return title, layout, by_type


def _traced(
    watch: Watch, title: str, type_name: str, statements: list[Probed], layout: SessionLayout, handler: Handler
) -> Handler:
    """A handler that tells the watch what its rules see, then does what it always does."""

    def traced(event: Any, s: Any, p: Any, now: int, fx: Any) -> Any:
        if not isinstance(fx, WatchedEffects):
            return handler(event, s, p, now, fx)  # the engine only asks what it would say
        seen = Pass(title, type_name, list(_look(statements, event, s, p, now)))
        before = _attributes(s, layout)
        watch.at_pass = seen
        result = handler(event, s, p, now, fx)
        watch.at_pass = None
        after = _attributes(s, layout)
        names = dict.fromkeys([*before, *after])
        seen.changes = [
            (name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
        ]
        seen.voided = result is SPLIT
        seen.decorations = dict(result) if isinstance(result, dict) else {}
        watch.note(seen, now)
        return result

    return traced


def _look(statements: list[Probed], event: Any, s: Any, p: Any, now: int) -> Iterator[RuleSeen]:
    """What each statement sees of an event, as the updates before it leave that."""
    seen = copy.copy(event)
    updates = [each for each in statements if isinstance(each.statement, t.Update)]
    rules = [each for each in statements if isinstance(each.statement, t.Rule)]
    for each in (*updates, *rules):
        found = _of_statement(each, seen, s, p, now)
        yield found
        if found.matched and each.assignments:
            try:
                values = [assignment.value(seen, s, p, now) for assignment in each.assignments]
            except Exception:
                continue  # the handler says so
            for assignment, value in zip(each.assignments, values, strict=True):
                setattr(seen, slot_name(assignment.name), value)


def _of_statement(probe: Probed, event: Any, s: Any, p: Any, now: int) -> RuleSeen:
    statement = probe.statement
    shadow = isinstance(statement, t.Rule) and statement.shadow
    found = RuleSeen(statement.number, statement.name, True, shadow=shadow)
    for term in probe.terms:
        try:
            holds = term.value(event, s, p, now)
        except Exception as error:
            holds, found.error = None, f"{type(error).__name__}: {error}"
        if holds is not True:
            found.matched, found.failed = False, term.text
            found.reads = [(read.text, _safely(read.value, event, s, p, now)) for read in term.reads]
            break
    return found


def _safely(value: Any, *arguments: Any) -> Any:
    try:
        return value(*arguments)
    except Exception as error:
        return f"({type(error).__name__}: {error})"


def _attributes(session: Any, layout: SessionLayout) -> dict[str, Any]:
    """The attributes of a session that are there, and what else rules change of it."""
    if session is None:
        return {}
    found: dict[str, Any] = {}
    for variable, slots in (("session", layout.state), ("metadata", layout.metadata)):
        for slot in slots.values():
            value = getattr(session, slot.attribute)
            if value is not None:
                found[f"{variable}.{slot.name}"] = list(value) if isinstance(value, list) else value
    return found | {f"session.{name}": getattr(session, name) for name in _BESIDE if getattr(session, name)}
