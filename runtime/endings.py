"""How sessions of a profile end: what is due when, and ends that stay until they are delivered (engine.md §8).

An ended session is gone only when the output has taken its end marker. One that is refused keeps the session as it
was; the same marker is sent again at later ticks, and an event that comes first brings the session back to life.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from runtime.cache import NOWHERE_MS, TimeWheel
from runtime.cache.strange import pack_any
from runtime.counters import SessionCounters
from runtime.due import DuePlan, EndDue, end_due_of
from runtime.kinds import Kind, Surroundings
from runtime.markers import Marker
from runtime.output import NOWHERE, LineOutput, Output
from runtime.rules import ProfileRules
from runtime.session import MainSession, SessionBase, SubSession
from runtime.waiting import Waiting

_MOST_CUT = 10_000


class Endings(Waiting):
    """The live sessions of one profile, and how they end."""

    def __init__(self, rules: ProfileRules, number: int, around: Surroundings) -> None:
        super().__init__(rules, number, around)
        config = rules.config
        self.max_active_ms = config.max_active_ms
        self.shadow = config.shadow
        self._output: Output = NOWHERE if config.shadow else around.output
        self._midnight = config.midnight
        self._effects = around.effects
        self._cut_until_ms: dict[str, int] = {}
        self._gathered: list[tuple[int, int, int]] = []
        """Of sessions that ended by their gap, and are not counted yet: duration, events, expiry delay."""

    # ---- what is counted

    @property
    def counters(self) -> SessionCounters:
        """What is counted of its sessions, the ends that have been gathered included."""
        self.count_gathered()
        return self._counters

    def count_gathered(self) -> None:
        """Counts the ends that `end_due` has gathered: once for many of them."""
        if self._gathered:
            self._counters.count_quiet_ends(self._gathered)
            self._gathered.clear()

    # ---- what is due

    @cached_property
    def end_due(self) -> EndDue:
        """All ticks of a wheel that are due, as by `on_tick`, while `ends_plainly`."""
        return end_due_of(
            DuePlan(
                profile=self,
                compiled=self.compiled,
                sent=self.end_marker,
                max_active_ms=self.max_active_ms,
                table=self.table,
                ended=self._gathered.append,
                end_markers=self._output.end_markers if isinstance(self._output, LineOutput) else None,
            )
        )

    def end_refused(self, session: MainSession, fields: dict[str, Any], tick_ms: int, wheel: TimeWheel) -> None:
        """Nobody took the end marker of one that is due at a tick."""
        self._refused(session, None, "gap", tick_ms, fields)
        self.try_again(session, wheel)

    def on_tick(self, session: MainSession, tick_ms: int, wheel: TimeWheel, judged: str = "gap") -> None:
        """The second has come for which a session stood in the wheel: it ends, or goes to its new place.

        `judged` is the reason of an end by inactivity.
        """
        if self._waiting:
            waiting = self._still_waiting(session)
            if waiting is not None:
                if waiting.retry_ms > tick_ms or not self.end(session, waiting.reason, tick_ms):
                    self.try_again(session, wheel)
                return
        if session.sub_sessions:
            self._end_due_subs(session, tick_ms, at_tick=True)
        held_ms = session.held_until_ms
        if (session.modified_ms + session.gap_ms if held_ms is None else held_ms) < tick_ms:
            ended = self.end(session, judged, tick_ms)
        elif reason := self._cut_short(session, tick_ms):
            ended = self._cut(session, reason, tick_ms)
        else:
            due_ms = self.due_ms(session)
            wheel.schedule(session, due_ms if due_ms > tick_ms else tick_ms)
            return
        if not ended:
            self.try_again(session, wheel)

    def end_or_try_again(self, session: MainSession, reason: str, now_ms: int, wheel: TimeWheel) -> bool:
        """Ends a session; False when nobody took it, and it stands in the wheel for the next attempt."""
        ended = self.end(session, reason, now_ms)
        if not ended:
            self.try_again(session, wheel)
        return ended

    def try_again(self, session: MainSession, wheel: TimeWheel) -> None:
        """Puts a session whose end was refused into the second of its next attempt."""
        # What is due in a second is looked at when that is over.
        wheel.schedule(session, self._waiting[self._name(session)].retry_ms - 1)

    def _cut_short(self, session: MainSession, now_ms: int) -> str | None:
        """Why a session that is not quiet ends now: it is too old, or its day is over."""
        if 0 < self.max_active_ms < now_ms - session.created_ms:
            return "max_active"
        if self._midnight and now_ms >= self._around.days.end_ms(session.created_ms):
            return "split"
        return None

    def due_ms(self, session: MainSession) -> int:
        """When something of a session may be due: itself, a sub-session, its cap, its day, a marker's next attempt."""
        if self._waiting:
            waiting = self._still_waiting(session)
            if waiting is not None:
                return waiting.retry_ms - 1
        held_ms = session.held_until_ms
        due_ms = session.modified_ms + session.gap_ms if held_ms is None else held_ms
        if self.max_active_ms > 0:
            capped_ms = session.created_ms + self.max_active_ms
            if capped_ms < due_ms:
                due_ms = capped_ms
        if self._midnight:
            # A tick at midnight itself is due, so it stands in the second before.
            due_ms = min(due_ms, self._around.days.end_ms(session.created_ms) - 1)
        if not session.sub_sessions:
            return due_ms
        for sub in session.sub_sessions:
            waiting = self._still_waiting(sub, session) if self._waiting else None
            due_ms = min(due_ms, sub.expires_at_ms if waiting is None else waiting.retry_ms - 1)
        return due_ms

    # ---- ends

    def _cut(self, session: MainSession, reason: str, now_ms: int) -> bool:
        """Ends a session whose events may go on, and for max_active remembers until when that would show."""
        expires_at_ms = session.expires_at_ms
        if not self.end(session, reason, now_ms):
            return False
        if reason == "max_active":
            if len(self._cut_until_ms) >= _MOST_CUT:
                self._cut_until_ms = {key: until for key, until in self._cut_until_ms.items() if until > now_ms}
            self._cut_until_ms[session.key] = expires_at_ms
        return True

    def end(self, session: MainSession, reason: str, now_ms: int) -> bool:
        """Ends a session, its sub-sessions before it, oldest first. False when a marker was refused: it lives on."""
        if self._waiting or session.sub_sessions:
            return self._end_fully(session, reason, now_ms)
        sent = self.end_marker
        if sent is not None:
            fields = self._end_fields(sent, session, None, reason, now_ms)
            if not self._output.end_marker(fields, now_ms):
                self._refused(session, None, reason, now_ms, fields)
                return False
        self._gone(session, reason, now_ms)
        return True

    def _end_fully(self, session: MainSession, reason: str, now_ms: int) -> bool:
        # Its room is needed now.
        at_once = reason == "evicted"
        waiting = self._still_waiting(session)
        if waiting is not None:
            reason = waiting.reason
        for sub in list(session.sub_sessions or ()):
            if not self._end_sub(session, sub, "parent", now_ms, at_once=at_once):
                self._remember(session, None, reason, now_ms)
                return False
        if not self._deliver(self, session, None, reason, now_ms, at_once):
            return False
        self._forget_waiting(self._name(session))
        self._gone(session, reason, now_ms)
        return True

    def _gone(self, session: MainSession, reason: str, now_ms: int) -> None:
        """Lets go of a session whose end was taken."""
        if session.due_ms != NOWHERE_MS:  # no tick is at work on it
            TimeWheel.forget(session)
        if not self._alone or self._alone.pop(id(session), None) is None:
            self.table.remove(session)
        self.note_ended(session)
        held_ms, modified_ms = session.held_until_ms, session.modified_ms
        expires_at_ms = modified_ms + session.gap_ms if held_ms is None else held_ms
        self._counters.count_end(reason, modified_ms - session.created_ms, session.count, now_ms - expires_at_ms)

    def _end_due_subs(self, session: MainSession, now_ms: int, *, at_tick: bool) -> None:
        """Ends sub-sessions that are due, the last opened first; ends that were refused are for ticks to try again."""
        # At a tick due means before it (engine.md §6): what expires at the tick itself waits for the next.
        due_ms = now_ms - 1 if at_tick else now_ms
        for sub in reversed(session.sub_sessions or []):
            waiting = self._still_waiting(sub, session)
            if (at_tick and waiting.retry_ms <= now_ms) if waiting is not None else sub.expires_at_ms <= due_ms:
                self._end_sub(session, sub, "gap", now_ms)

    def _end_sub(
        self, session: MainSession, sub: SubSession, reason: str, now_ms: int, *, at_once: bool = False
    ) -> bool:
        kind = self.sub_sessions[sub.number]
        live = session.sub_sessions
        assert live is not None
        waiting = self._still_waiting(sub, session)
        if waiting is not None:
            reason = waiting.reason
        if not self._deliver(kind, sub, session, reason, now_ms, at_once):
            return False
        live.remove(sub)
        kind.counters.count_end(reason, sub.duration_ms, sub.count, now_ms - sub.expires_at_ms)
        return True

    def _deliver(
        self,
        kind: Kind,
        session: SessionBase,
        parent: MainSession | None,
        reason: str,
        now_ms: int,
        at_once: bool,
    ) -> bool:
        """Sends an end marker: the one that was made when the session ended, if it was refused before.

        Between two attempts it is not sent, unless `at_once`.
        """
        sent = kind.end_marker
        if sent is None:
            return True
        waiting = self._still_waiting(session, parent)
        if waiting is not None and waiting.retry_ms > now_ms and not at_once:
            return False
        if waiting is not None and waiting.fields and waiting.events == session.count:
            fields = waiting.fields
        else:
            fields = self._end_fields(sent, session, parent, reason, now_ms)
        if self._output.end_marker(fields, now_ms):
            if waiting is not None:
                self._forget_waiting(self._name(session, parent))
            return True
        self._refused(session, parent, reason, now_ms, fields)
        return False

    def _end_fields(
        self, sent: Marker, session: SessionBase, parent: MainSession | None, reason: str, now_ms: int
    ) -> dict[str, Any]:
        """What an end marker says, and what the kind's rules make of it."""
        fields = sent.end(session, reason)
        if sent.handler is not None:
            self.run_rules(sent, fields, session, parent, now_ms)
        return fields

    def _refused(
        self, session: SessionBase, parent: MainSession | None, reason: str, now_ms: int, fields: dict[str, Any]
    ) -> None:
        self._around.counters.ends_refused += 1
        self._remember(session, parent, reason, now_ms, fields)

    # ---- snapshots

    def state(self) -> dict[str, Any]:
        """Until when those that were cut would have gone on as well."""
        return {**super().state(), "cut_until_ms": self._cut_until_ms}

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Takes what `state` gave."""
        super().go_on_from(state)
        self._cut_until_ms = state["cut_until_ms"]

    # ---- markers and limits

    def _send_begin(self, kind: Kind, session: SessionBase, parent: MainSession | None, now_ms: int) -> None:
        sent = kind.begin_marker
        if sent is not None:
            fields = sent.begin(session)
            if sent.handler is not None:
                self.run_rules(sent, fields, session, parent, now_ms)
            self._output.marker(fields, now_ms)

    def run_rules(
        self, sent: Marker, fields: dict[str, Any], session: SessionBase, parent: SessionBase | None, now_ms: int
    ) -> None:
        """Runs the kind's rules on a marker; their decorations are on it from here on."""
        assert sent.handler is not None
        effects = self._effects
        decorations = sent.handler(sent.as_event(fields), session, parent, now_ms, effects)
        if effects.rows:
            # A marker neither opens nor ends anything, and so do the rows that it makes.
            subs, end = effects.subs.copy(), effects.end
            decorations = effects.further_passes(session, parent, now_ms, decorations)
            effects.subs, effects.end = subs, end
        if decorations:
            fields.update(decorations)

    def _is_too_large(self, session: MainSession) -> bool:
        """True when state and metadata are beyond the limit, as they are stored."""
        values = [getattr(session, attribute) for attribute in self.layout.attributes]
        return len(pack_any(values)) > self._around.max_state_bytes
