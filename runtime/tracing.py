"""Traces chosen events of an engine that runs live: what each rule saw, and what came of it.

While nobody looks, the engine is what it always was. While somebody does, it and its profiles are of classes that tell;
for a chosen event it is given the handlers of an engine that explains, made of the same rules, and its own back
afterwards. Its sessions, clocks, counters and output stay its own, so a trace is what happened and no second reckoning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from runtime.engine import Engine
from runtime.event import BAD_LINE
from runtime.explain import ExplainingEngine, finish
from runtime.explained import Sent, Watch
from runtime.output import Nowhere, Output
from runtime.reorder import Refuse
from runtime.watched import watched_profile

Numbered = tuple[int, bytes]


class Tracer:
    """Watches an engine between `attach` and `detach`. `chooses` says by its line whether an event is traced.

    The ends of all sessions are told to the watch, whatever ends them.
    """

    def __init__(self, engine: Engine, watch: Watch, chooses: Callable[[bytes], bool]) -> None:
        self.engine = engine
        self._watch = watch
        self._chooses = chooses
        rules = engine.rules.checker.compile(report=True)
        self._model = ExplainingEngine(rules, Nowhere(wants_events=engine.wants_events), watch, **engine.clock_options)
        self._classes: list[tuple[Any, type[Any]]] = []
        self._lent: list[tuple[Any, str, Any]] = []
        """What is not the engine's own right now: of whom, which, and what to give back."""
        self._is_on = False

    def attach(self) -> None:
        """From here on events are chosen, and ends are told."""
        engine = self.engine
        self._classes = [(each, type(each)) for each in (engine, *engine.profiles)]
        engine.__class__ = _traced_engine(type(engine), self)
        for profile in engine.profiles:
            profile.__class__ = watched_profile(type(profile), self._watch)

    def detach(self) -> None:
        """The engine is what it was before."""
        for each, class_ in self._classes:
            each.__class__ = class_
        self._classes.clear()

    # ---- events

    def process(
        self, go: Callable[[Iterable[Numbered], Refuse], None], lines: Iterable[Numbered], refuse: Refuse
    ) -> None:
        """Takes lines through `go`, the engine's own way: those that are chosen one by one, the others as they come."""
        rest = iter(lines)
        while True:
            chosen: list[Numbered] = []
            go(self._up_to_chosen(rest, chosen), refuse)
            if not chosen:
                return
            self._trace(go, chosen[0], refuse)

    def _up_to_chosen(self, lines: Iterator[Numbered], chosen: list[Numbered]) -> Iterator[Numbered]:
        for each in lines:
            if self._chooses(each[1]):
                chosen.append(each)
                return
            yield each

    def _trace(self, go: Callable[[Iterable[Numbered], Refuse], None], chosen: Numbered, refuse: Refuse) -> None:
        engine, watch = self.engine, self._watch
        before = engine.counters.outcomes.copy()
        refused: list[str] = []

        def keep(given: Any) -> None:
            refused.append(f"{given.code}: {given.reason}")
            refuse(given)

        watch.begin(*chosen)
        # An explaining engine reads more of an event; where just that is unreadable, rules go untold.
        with self.told(with_rules=self._can_tell(chosen[1])):
            go((chosen,), keep)
        outcome = next(iter(engine.counters.outcomes - before), "")
        finish(engine, watch, f"refused, {refused[0]}" if refused else outcome, engine.now_ms)

    def _can_tell(self, line: bytes) -> bool:
        try:
            self._model.decoder.decode(line)
        except BAD_LINE:
            return False
        return True

    def tick(self, go: Callable[[], None]) -> None:
        """Time goes on, by `go`; what ends by it stands for itself."""
        current, self._watch.current = self._watch.current, None
        with self.told():
            go()
        self._watch.current = current

    # ---- handlers

    @contextmanager
    def told(self, *, with_rules: bool = True) -> Iterator[None]:
        """Within: what the engine does is told; so it is of each rule, unless that cannot be."""
        if self._is_on:
            yield
            return
        self._is_on = True
        for profile in self.engine.profiles:
            # The short way asks no profile, so it could not tell.
            self._lend(profile, is_simple=False, is_plain=False)
            if not profile.shadow:
                self._lend(profile, _output=_Telling(profile._output, self._watch))
        if with_rules:
            self._lend_handlers()
        try:
            yield
        finally:
            for owner, name, value in reversed(self._lent):
                setattr(owner, name, value)
            self._lent.clear()
            for profile in self.engine.profiles:
                profile.is_plain = profile.is_simple and not profile._waiting
            self._take_matches()
            self._is_on = False

    def _lend(self, owner: Any, **values: Any) -> None:
        for name, value in values.items():
            self._lent.append((owner, name, getattr(owner, name)))
            setattr(owner, name, value)

    def _lend_handlers(self) -> None:
        engine, model = self.engine, self._model
        if len(engine.profiles) == 1:
            # First: a loop is made of the handlers that there are when it is asked for.
            self._lend(engine, _loop=model._loop)
        self._lend(engine, **{name: getattr(model, name) for name in ("decoder", "_decoded", "_stage_1")})
        self._lend(engine._effects, __class__=type(model._effects))
        for profile, modelled in zip(engine.profiles, model.profiles, strict=True):
            kinds = zip((profile, *profile.sub_sessions), (modelled, *modelled.sub_sessions), strict=True)
            for kind, other in kinds:
                self._lend(kind, **{name: getattr(other, name) for name in ("handlers", "begin_marker", "end_marker")})

    def _take_matches(self) -> None:
        """What matched while it was traced counts as well."""
        for live, traced in zip(self.engine.rules.programs(), self._model.rules.programs(), strict=True):
            for number, count in enumerate(traced.matches):
                if count:
                    live.matches[number] += count
                    traced.matches[number] = 0


class _Telling:
    """An output that tells the watch of markers that were taken."""

    def __init__(self, output: Output, watch: Watch) -> None:
        self._output = output
        self._watch = watch
        self.wants_events = output.wants_events
        self.event = output.event

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        """A begin marker."""
        self._output.marker(fields, now_ms)
        self._watch.note(Sent(fields), now_ms)

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        """An end marker."""
        is_taken = self._output.end_marker(fields, now_ms)
        if is_taken:
            self._watch.note(Sent(fields), now_ms)
        return is_taken


def _traced_engine(base: type[Engine], tracer: Tracer) -> type[Engine]:
    """A class of engines that does what `base` does, and lets the tracer choose."""

    class Traced(base):  # type: ignore[misc, valid-type]
        def _process(
            self, at_work: Any, lines: Iterable[Numbered], refuse: Refuse, latest_ms: int, wall_ms: int
        ) -> None:
            go = super()._process
            tracer.process(lambda some, refuse: go(at_work, some, refuse, latest_ms, wall_ms), lines, refuse)

        def _tick(self, at_work: Any, now_ms: int, judged: str = "gap") -> None:
            go = super()._tick
            tracer.tick(lambda: go(at_work, now_ms, judged))

    return Traced
