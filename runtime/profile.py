"""Stage 2: what an event does to the sessions of one profile (engine.md §2 to §5 in the design)."""

from __future__ import annotations

from typing import Any, Literal

from epl.compiler import SPLIT
from epl.typed import EndSession, Insert, MarkBot, OpenSubSession, SetDuration, SplitSession
from runtime.cache import NOWHERE_MS
from runtime.effects import Decorations, merged
from runtime.endings import Endings
from runtime.kinds import Kind, Surroundings
from runtime.rules import ProfileRules
from runtime.session import MainSession, SessionBase, SubSession

_SPECIAL = (SetDuration, OpenSubSession, SplitSession, EndSession, MarkBot, Insert)


class Profile(Endings):
    """The live sessions of one profile, and what happens to them."""

    def __init__(self, rules: ProfileRules, number: int, around: Surroundings) -> None:
        super().__init__(rules, number, around)
        self._get, self._find = self.table.get, self.table.find
        effects = [effect for rule in rules.compiled.program.rules for effect in rule.effects]
        self._splits = any(isinstance(effect, SplitSession) for effect in effects)
        # Only these change more than the session's slots and the event's decorations.
        self.is_simple = self.is_plain = not (around.max_events or around.max_state_bytes) and not any(
            isinstance(effect, _SPECIAL) for effect in effects
        )
        self.ending: list[tuple[Any, MainSession | None, str]] = []
        """What ends once the event has left, a sub-session with its session, and why: `after_event` sees to it."""

    @property
    def ends_plainly(self) -> bool:
        """True when `end_due` may see to what is due: just now no end waits, and nobody else has a say in it."""
        return self.is_plain and not self._alone and self._is_whole

    @property
    def begins_plainly(self) -> bool:
        """True when the loop over events may see to sessions that begin: nobody else has a say in it."""
        return self.is_simple and self._around.make_room is None and self._is_whole

    @property
    def _is_whole(self) -> bool:
        """True when sessions have nothing in them that ends by itself."""
        return type(self) is Profile and not (self.sub_sessions or self._midnight)

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
        session = self._get(key) or self._find(key)
        if session is None and not passive:
            return self._first_event(event, self._open(key, event_ms, duration_ms, now_ms), now_ms, turn)
        # Where another partition's clock is behind, the session's times do not follow it back. A pause longer than all
        # before is seldom and noted there, so knowing the longest costs a comparison: 30 ns an event.
        if (
            session is None
            or not 0 <= now_ms - session.modified_ms <= self._counters.max_interval_ms
            or now_ms >= session.due_ms
            or passive
            or not self.is_plain
        ):
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
        revived = self._around.counters.revived
        if session is not None:
            if session.sub_sessions:
                self._end_due_subs(session, now_ms, at_tick=False)
            if self._is_over(session, passive, now_ms):
                session = None
        if session is None:
            if passive:
                return False
            return self._first_event(event, self._open(key, event_ms, duration_ms, now_ms), now_ms, turn)
        effects = self._effects
        effects.is_new = passive
        expires_at_ms = session.expires_at_ms
        interval_ms = now_ms - session.modified_ms
        if self._splits and not passive:
            before = self._counted(session)
        if not passive:
            self._touch(session, event_ms, now_ms, turn)
        given = self._pass(self, event, session, None, now_ms)
        if given is SPLIT:
            touched = self._counted(session)
            self._restore(session, before)
            if self.end(session, "split", now_ms):
                return self._first_event(event, self._open(key, event_ms, duration_ms, now_ms), now_ms, turn)
            # Nobody took the end, so the session goes on, with this event.
            self._restore(session, touched)
            self._revive(session)
            effects.is_new = True
            given = self._pass(self, event, session, None, now_ms)
        decorations: Decorations = given
        if not passive and interval_ms > self._counters.max_interval_ms:
            self._counters.max_interval_ms = interval_ms
        if passive:
            effects.subs.clear()
            if session.expires_at_ms != expires_at_ms:
                # @UpdateDuration sets the gap, which counts from the next event on.
                session.held_until_ms = expires_at_ms
        if effects.subs:
            decorations = self._touch_subs(session, event, event_ms, now_ms, decorations)
        if self._around.max_state_bytes:
            self._check_size(session)
        if (
            session.expires_at_ms < session.due_ms
            or session.sub_sessions
            or session.due_ms == NOWHERE_MS
            # It stands where its end would have been tried again.
            or self._around.counters.revived > revived
        ):
            self._look_again(session, now_ms)
        return decorations

    def _counted(self, session: MainSession) -> tuple[Any, ...]:
        """What an event changes by counting for its session, which one that splits does not."""
        return session.modified_ms, session.held_until_ms, session.count, session.bot_count

    def _restore(self, session: MainSession, counted: tuple[Any, ...]) -> None:
        """Puts back what `_counted` gave."""
        session.modified_ms, session.held_until_ms, session.count, session.bot_count = counted

    def _touch(self, session: MainSession, event_ms: int, now_ms: int, turn: int) -> None:
        """An event counts for its session, and extends it."""
        session.modified_ms = max(session.modified_ms, now_ms)
        session.held_until_ms = None
        if session.bot_type > 0:
            session.bot_count += 1
        session.count += 1
        session.turn = turn

    def _is_over(self, session: MainSession, passive: bool, now_ms: int) -> bool:
        """True when the session has ended before this event. One whose end nobody takes goes on with the event."""
        if self._still_waiting(session) is not None:
            # A passive event does not bring it back.
            if not passive:
                self._revive(session)
            return False
        if session.expires_at_ms <= now_ms:
            ended = self.end(session, "gap", now_ms)
        elif reason := self._cut_short(session, now_ms):
            ended = self._cut(session, reason, now_ms)
        elif 0 < self._around.max_events <= session.count and not passive:
            ended = self.end(session, "max_events", now_ms)
        else:
            return False
        if not ended and not passive:
            self._revive(session)
        return ended

    def _first_event(self, event: Any, session: MainSession, now_ms: int, turn: int) -> Decorations:
        """The pass of the event that opens a session; the begin marker leaves after it, with what it wrote."""
        around, effects = self._around, self._effects
        effects.is_new = True
        session.count = 1
        session.turn = turn
        decorations: Decorations = self._pass(self, event, session, None, now_ms)
        self._counters.count_begin(session.created_ms - session.first_event_ms)
        if self.begin_marker is not None:
            self._send_begin(self, session, None, now_ms)
        if effects.subs:
            decorations = self._touch_subs(session, event, session.first_event_ms, now_ms, decorations)
        if around.max_state_bytes:
            self._check_size(session)
        due_ms = self.due_ms(session)
        around.wheel.schedule(session, due_ms if due_ms > now_ms else now_ms)
        if not self._alone or id(session) not in self._alone:
            self.table.put(session)
        return decorations

    def _look_again(self, session: MainSession, now_ms: int) -> None:
        """Puts a session into the second in which something of it is due, if that is before the one it stands in."""
        # No tick is in the past, though something may be due since then, whose end nobody took.
        due_ms = max(self.due_ms(session), now_ms)
        if due_ms < session.due_ms or session.due_ms == NOWHERE_MS:
            self._around.wheel.schedule(session, due_ms)

    def _check_size(self, session: MainSession) -> None:
        """A session whose state has grown beyond the limit ends with this event."""
        ends_anyway = any(parent is None for _, parent, _ in self.ending)
        if not ends_anyway and self._is_too_large(session):
            self.ending.append((session, None, "evicted"))

    def after_event(self, now_ms: int) -> None:
        """Ends what @EndSession marked, once the event has left."""
        for session, parent, reason in self.ending:
            if parent is None:
                # It may have been evicted since, for a session of another profile.
                if session.due_ms != NOWHERE_MS:
                    self.end_or_try_again(session, reason, now_ms, self._around.wheel)
            elif session in (parent.sub_sessions or ()) and not self._end_sub(parent, session, reason, now_ms):
                self._look_again(parent, now_ms)
        self.ending.clear()

    def process_late(self, event: Any, key: str, event_ms: int, duration_ms: int | None, now_ms: int) -> Decorations:
        """A late event that gets a session of its own, at its own time: it ends at the next tick."""
        opened = self._open(key, event_ms, duration_ms, now_ms)
        session: MainSession = self.session_class.begin(key, event_ms, event_ms, opened.gap_ms)
        # Another of these times may have lived before, or be late as well.
        session.ordinal = f"{now_ms}.{opened.ordinal}"
        self._alone[id(session)] = session
        return self._first_event(event, session, now_ms, 0)

    def holds(self, key: str, event_ms: int, now_ms: int) -> bool:
        """True when a key has a live session to which an event of this time belongs."""
        session = self._find(key)
        if session is None or session.expires_at_ms <= now_ms or self._cut_short(session, now_ms):
            return False
        return event_ms >= session.created_ms - session.gap_ms

    def _open(self, key: str, event_ms: int, duration_ms: int | None, now_ms: int) -> MainSession:
        around = self._around
        if around.make_room is not None:
            around.make_room(now_ms)
        if self._cut_until_ms and now_ms < self._cut_until_ms.pop(key, 0):
            self._counters.long += 1
        session: MainSession = self.make(key, event_ms, now_ms, self.first_gap_ms(duration_ms, around.max_idle_ms))
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
            self.ending.append((session, parent, "explicit"))
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
            # Its times are its session's, as that has them with this event.
            within = session.ordinal if id(session) in self._alone else None
            sub = kind.make(key, event_ms, session.modified_ms, gap_ms, session.key, within)
            live.append(sub)
            kind.counters.count_begin(sub.created_ms - sub.first_event_ms)
        else:
            interval_ms = session.modified_ms - sub.modified_ms
            kind.counters.max_interval_ms = max(kind.counters.max_interval_ms, interval_ms)
            sub.modified_ms = session.modified_ms
            sub.held_until_ms = None
            if sub.bot_type > 0:
                sub.bot_count += 1
        sub.count += 1
        if sub.expires_at_ms > session.expires_at_ms:
            session.held_until_ms = sub.expires_at_ms
        decorations: Decorations = self._pass(kind, event, sub, session, now_ms)
        if is_new:
            self._send_begin(kind, sub, session, now_ms)
        return decorations
