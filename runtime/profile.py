"""Stage 2: what an event does to the sessions of one profile (engine.md §2 to §5 in the design)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from epl.compiler import SPLIT, Compiled, Handler
from epl.typed import EndSession, Insert, MarkBot, OpenSubSession, SetDuration, SplitSession
from runtime.cache import SessionTable, TimeWheel
from runtime.counters import SessionCounters
from runtime.effects import Decorations, Effects, merged
from runtime.markers import Marker, marker
from runtime.output import Output
from runtime.rules import ProfileRules, SubSessionRules
from runtime.session import MainSession, SessionBase, SubSession, session_class

_SPECIAL = (SetDuration, OpenSubSession, SplitSession, EndSession, MarkBot, Insert)

_MOST_CUT = 10_000

Overlay = Callable[[Any, dict[str, Any]], None]
"""Puts decorations into the fields of an event that rules read."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the profiles of a tenant share. `handlers` looks up a rule set's handlers by class of event."""

    effects: Effects
    wheel: TimeWheel
    output: Output
    overlay: Overlay
    max_idle_ms: int
    type_field: str
    handlers: Callable[[Compiled], dict[type[Any], Handler]]


class Kind:
    """What sessions and sub-sessions of one kind have in common: class, markers, handlers, counters."""

    def __init__(
        self, rules: ProfileRules | SubSessionRules, base: type[SessionBase], number: int, around: Surroundings
    ) -> None:
        config, layout = rules.config, rules.layout
        self.compiled = rules.compiled
        self.name = config.name
        self.gap_ms = config.gap_ms
        self.session_class: type[Any] = session_class(base, layout, number)
        self.begin_marker = marker(config.begin_marker, around.type_field, config.keys, layout, rules.compiled)
        self.end_marker = marker(config.end_marker, around.type_field, config.keys, layout, rules.compiled)
        self.handlers = around.handlers(rules.compiled)
        self.counters = SessionCounters()

    def first_gap_ms(self, duration_ms: int | None, most_ms: int) -> int:
        """The gap of one that opens: what its row gives as `_duration_`, if above 0, else the configured one."""
        wanted_ms = duration_ms if duration_ms is not None and duration_ms > 0 else self.gap_ms
        return min(wanted_ms, most_ms)


class Profile(Kind):
    """The live sessions of one profile, and what happens to them."""

    def __init__(self, rules: ProfileRules, number: int, table: SessionTable, around: Surroundings) -> None:
        super().__init__(rules, MainSession, number, around)
        self.sub_sessions = [Kind(sub, SubSession, place, around) for place, sub in enumerate(rules.sub_sessions)]
        self.table = table
        self.max_active_ms = rules.config.max_active_ms
        self._around = around
        self._effects = around.effects
        self._wheel = around.wheel
        self._get = table.get
        self._cut_until_ms: dict[str, int] = {}
        effects = [effect for rule in rules.compiled.program.rules for effect in rule.effects]
        self._splits = any(isinstance(effect, SplitSession) for effect in effects)
        # Only these change more than the session's slots and the event's decorations.
        self._is_plain = table.keeps_objects and not any(isinstance(effect, _SPECIAL) for effect in effects)
        self.ending: list[tuple[Any, MainSession | None]] = []
        """What @EndSession marked, a sub-session with its session: `after_event` ends it once the event has left."""

    # ---- an event

    def process(
        self,
        event: Any,
        key: str,
        event_ms: int,
        duration_ms: int | None,
        passive: bool,
        now_ms: int,
        turn: int,
    ) -> Decorations | Literal[False]:
        """Runs stage 2 on an event whose key is known; its decorations, or False when a passive event finds nothing.

        `turn` counts the events of one millisecond: sessions that end in one tick end in the order of last update.
        """
        # The common event: its session is live, and nothing of it can be due before `due_ms`.
        session = self._get(key)
        if session is None or now_ms >= session.due_ms or passive or not self._is_plain:
            return self._process_fully(session, event, key, event_ms, duration_ms, passive, now_ms, turn)
        session.modified_ms = now_ms
        session.count += 1
        session.turn = turn
        handler = self.handlers.get(event.__class__)
        return None if handler is None else handler(event, session, None, now_ms, self._effects)

    def _process_fully(
        self,
        session: MainSession | None,
        event: Any,
        key: str,
        event_ms: int,
        duration_ms: int | None,
        passive: bool,
        now_ms: int,
        turn: int,
    ) -> Decorations | Literal[False]:
        """All that can happen to an event, in the order of engine.md §2."""
        if session is not None:
            if session.sub_sessions:
                self._end_due_subs(session, now_ms, now_ms)
            if session.expires_at_ms <= now_ms:
                self._end(session, "gap", now_ms)
                session = None
            elif self._is_too_old(session, now_ms):
                self._cut(session, now_ms)
                session = None
        if session is None:
            if passive:
                return False
            return self._first_event(event, self._open(key, event_ms, duration_ms, now_ms), now_ms, turn)
        effects = self._effects
        effects.is_new = passive
        expires_at_ms = session.expires_at_ms
        if self._splits and not passive:
            before = (session.modified_ms, session.held_until_ms, session.count, session.bot_count)
        if not passive:
            session.modified_ms = now_ms
            session.held_until_ms = None
            if session.bot_type > 0:
                session.bot_count += 1
            session.count += 1
            session.turn = turn
        given = self._pass(self, event, session, None, now_ms)
        if given is SPLIT:
            session.modified_ms, session.held_until_ms, session.count, session.bot_count = before
            self._end(session, "split", now_ms)
            return self._first_event(event, self._open(key, event_ms, duration_ms, now_ms), now_ms, turn)
        decorations: Decorations = given
        if passive:
            effects.subs.clear()
            if session.expires_at_ms != expires_at_ms:
                # @UpdateDuration sets the gap, which counts from the next event on.
                session.held_until_ms = expires_at_ms
        if effects.subs:
            decorations = self._touch_subs(session, event, event_ms, now_ms, decorations)
        if session.expires_at_ms < session.due_ms or session.sub_sessions:
            due_ms = self._due_ms(session)
            if due_ms < session.due_ms:
                self._wheel.schedule(session, due_ms)
        if not self.table.keeps_objects:
            self.table.put(session)
        return decorations

    def _first_event(self, event: Any, session: MainSession, now_ms: int, turn: int) -> Decorations:
        """The pass of the event that opens a session; the begin marker leaves after it, with what it wrote."""
        effects = self._effects
        effects.is_new = True
        session.count = 1
        session.turn = turn
        decorations: Decorations = self._pass(self, event, session, None, now_ms)
        self.counters.created += 1
        if self.begin_marker is not None:
            self._send(self, self.begin_marker, self.begin_marker.begin(session), session, None, now_ms)
        if effects.subs:
            decorations = self._touch_subs(session, event, session.first_event_ms, now_ms, decorations)
        self._wheel.schedule(session, self._due_ms(session))
        self.table.put(session)
        return decorations

    def after_event(self, now_ms: int) -> None:
        """Ends what @EndSession marked, once the event has left."""
        for session, parent in self.ending:
            if parent is None:
                self._end(session, "explicit", now_ms)
            elif parent.sub_sessions and session in parent.sub_sessions:
                self._end_sub(parent, session, "explicit", now_ms)
        self.ending.clear()

    def _open(self, key: str, event_ms: int, duration_ms: int | None, now_ms: int) -> MainSession:
        gap_ms = self.first_gap_ms(duration_ms, self._around.max_idle_ms)
        if self._cut_until_ms and now_ms < self._cut_until_ms.pop(key, 0):
            self.counters.long += 1
        session: MainSession = self.session_class(key, event_ms, now_ms, gap_ms)
        return session

    def _pass(self, kind: Kind, event: Any, session: SessionBase, parent: MainSession | None, now_ms: int) -> Any:
        """Runs the rules of a kind on an event, and on the rows that they insert; its decorations, or SPLIT."""
        handler = kind.handlers.get(event.__class__)
        if handler is None:
            return None
        effects = self._effects
        decorations = handler(event, session, parent, now_ms, effects)
        if decorations is SPLIT:
            return SPLIT
        if effects.rows:
            decorations = effects.further_passes(session, parent, now_ms, decorations)
        if effects.end:
            effects.end = False
            self.ending.append((session, parent))
        return decorations

    # ---- sub-sessions

    def _touch_subs(
        self,
        session: MainSession,
        event: Any,
        event_ms: int,
        now_ms: int,
        decorations: Decorations,
    ) -> Decorations:
        effects = self._effects
        # In the order of the rules that opened them, not of the configuration.
        touched = list(effects.subs.items())
        effects.subs.clear()
        for number, (key, duration_ms) in touched:
            if decorations:
                # Its rules see the event as those before have left it.
                self._around.overlay(event, decorations)
            more = self._touch_sub(session, number, key, duration_ms, event, event_ms, now_ms)
            decorations = merged(decorations, more)
        return decorations

    def _touch_sub(
        self,
        session: MainSession,
        number: int,
        key: str,
        duration_ms: int | None,
        event: Any,
        event_ms: int,
        now_ms: int,
    ) -> Decorations:
        kind = self.sub_sessions[number]
        live = session.sub_sessions
        if live is None:
            live = session.sub_sessions = []
        sub: SubSession | None = next((each for each in live if each.number == number and each.key == key), None)
        is_new = sub is None
        if sub is None:
            gap_ms = kind.first_gap_ms(duration_ms, min(self._around.max_idle_ms, session.gap_ms))
            sub = kind.session_class(key, event_ms, now_ms, gap_ms, session.key)
            live.append(sub)
            kind.counters.created += 1
        else:
            sub.modified_ms = now_ms
            sub.held_until_ms = None
            if sub.bot_type > 0:
                sub.bot_count += 1
        sub.count += 1
        if sub.expires_at_ms > session.expires_at_ms:
            session.held_until_ms = sub.expires_at_ms
        decorations: Decorations = self._pass(kind, event, sub, session, now_ms)
        if is_new and kind.begin_marker is not None:
            self._send(kind, kind.begin_marker, kind.begin_marker.begin(sub), sub, session, now_ms)
        return decorations

    def _end_due_subs(self, session: MainSession, due_ms: int, now_ms: int) -> None:
        """Ends sub-sessions with `expires_at_ms <= due_ms`, the last opened first."""
        for sub in reversed(session.sub_sessions or []):
            if sub.expires_at_ms <= due_ms:
                self._end_sub(session, sub, "gap", now_ms)

    def _end_sub(self, session: MainSession, sub: SubSession, reason: str, now_ms: int) -> None:
        kind = self.sub_sessions[sub.number]
        live = session.sub_sessions
        assert live is not None
        live.remove(sub)
        kind.counters.count_end(reason, sub.duration_ms, sub.count)
        if kind.end_marker is not None:
            self._send(kind, kind.end_marker, kind.end_marker.end(sub, reason), sub, session, now_ms)

    # ---- ends

    def on_tick(self, session: MainSession, tick_ms: int) -> None:
        """The second has come for which a session stood in the wheel: it ends, or goes to its new place."""
        # At a tick due means before it (engine.md §6): what expires at the tick itself waits for the next.
        if session.sub_sessions:
            self._end_due_subs(session, tick_ms - 1, tick_ms)
        if session.expires_at_ms < tick_ms:
            self._end(session, "gap", tick_ms)
        elif self._is_too_old(session, tick_ms):
            self._cut(session, tick_ms)
        else:
            self._wheel.schedule(session, self._due_ms(session))
            if not self.table.keeps_objects:
                self.table.put(session)

    def _cut(self, session: MainSession, now_ms: int) -> None:
        """Ends a session by max_active, and remembers until when its events may show that it went on."""
        if len(self._cut_until_ms) >= _MOST_CUT:
            self._cut_until_ms = {key: until for key, until in self._cut_until_ms.items() if until > now_ms}
        self._cut_until_ms[session.key] = session.expires_at_ms
        self._end(session, "max_active", now_ms)

    def _end(self, session: MainSession, reason: str, now_ms: int) -> None:
        for sub in list(session.sub_sessions or ()):
            self._end_sub(session, sub, "parent", now_ms)
        self._wheel.forget(session)
        self.table.remove(session)
        self.counters.count_end(reason, session.duration_ms, session.count)
        if self.end_marker is not None:
            self._send(self, self.end_marker, self.end_marker.end(session, reason), session, None, now_ms)

    def _is_too_old(self, session: MainSession, now_ms: int) -> bool:
        return 0 < self.max_active_ms < now_ms - session.created_ms

    def _due_ms(self, session: MainSession) -> int:
        due_ms = session.expires_at_ms
        if self.max_active_ms > 0:
            due_ms = min(due_ms, session.created_ms + self.max_active_ms)
        for sub in session.sub_sessions or ():
            due_ms = min(due_ms, sub.expires_at_ms)
        return due_ms

    def _send(
        self,
        kind: Kind,
        sent: Marker,
        fields: dict[str, Any],
        session: SessionBase,
        parent: SessionBase | None,
        now_ms: int,
    ) -> None:
        """Runs the kind's rules on a marker, then lets it leave."""
        if sent.handler is not None:
            effects = self._effects
            decorations = sent.handler(sent.as_event(fields), session, parent, now_ms, effects)
            if effects.rows:
                # A marker neither opens nor ends anything, and so do the rows that it makes.
                subs, end = effects.subs.copy(), effects.end
                decorations = effects.further_passes(session, parent, now_ms, decorations)
                effects.subs, effects.end = subs, end
            if decorations:
                fields.update(decorations)
        self._around.output.marker(fields, now_ms)
