"""Profiles that tell why their sessions begin, go on and end, for explaining."""

from __future__ import annotations

from typing import Any

from runtime.config import format_duration, spoken_duration
from runtime.effects import Decorations
from runtime.explained import Life, Watch
from runtime.profile import Profile
from runtime.protocol.answers import Happening
from runtime.session import MainSession, SessionBase, SubSession, session_id

_BECAUSE = {
    "gap": "nothing came for its gap of {gap}",
    "idle_partition": "nothing came for its gap of {gap} by the wall clock, and its partition is quiet",
    "max_active": "it is older than max_active",
    "max_events": "it has as many events as it may",
    "split": "a rule, or midnight, splits it",
    "explicit": "a rule ends it",
    "parent": "its session ends",
    "evicted": "its room was needed, or it grew too large",
}


def watched_profile(base: type[Profile], watch: Watch) -> type[Profile]:
    """A class of profiles that does what `base` does, and tells the watch."""

    class Watched(base):  # type: ignore[misc, valid-type]
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.is_simple = self.is_plain = False

        def process(self, event: Any, key: str, *given: Any) -> Any:
            watch.keyed(self.name, key)
            return super().process(event, key, *given)

        def _is_over(self, session: MainSession, passive: bool, now_ms: int) -> bool:
            quiet_ms = now_ms - session.modified_ms
            over: bool = super()._is_over(session, passive, now_ms)
            if not over:
                why = f"its last event is {spoken_duration(quiet_ms)} old, the gap is {format_duration(session.gap_ms)}"
                if passive:
                    why += "; a passive event does not extend it"
                _note(watch, "went on", self.name, session, why, now_ms)
            return over

        def _first_event(self, event: Any, session: MainSession, now_ms: int, turn: int) -> Decorations:
            why = f"no session of `{session.key}` is live; its gap is {format_duration(session.gap_ms)}"
            _note(watch, "began", self.name, session, why, now_ms)
            made: Decorations = super()._first_event(event, session, now_ms, turn)
            return made

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
            live = [each for each in session.sub_sessions or () if each.number == number and each.key == key]
            what: Happening = "went on"
            why = "this event touches it"
            if not live:
                what, why = "began", f"none of `{key}` is live"
            title = f"{self.name}/{self.sub_sessions[number].name}"
            sub_id = live[0].session_id if live else session_id(session.key + key, event_ms)
            watch.note(Life(what, title, sub_id, why, session.key), now_ms)
            made: Decorations = super()._touch_sub(session, number, key, duration_ms, event, event_ms, now_ms)
            return made

        def end(self, session: MainSession, reason: str, now_ms: int) -> bool:
            ended: bool = super().end(session, reason, now_ms)
            self._tell_end(session, reason, now_ms, ended)
            return ended

        def _end_sub(self, session: MainSession, sub: SubSession, reason: str, now_ms: int, **given: Any) -> bool:
            ended: bool = super()._end_sub(session, sub, reason, now_ms, **given)
            self._tell_end(sub, reason, now_ms, ended)
            return ended

        def _tell_end(self, session: SessionBase, reason: str, now_ms: int, ended: bool) -> None:
            because = _BECAUSE.get(reason, reason).format(gap=format_duration(session.gap_ms))
            why = f"{reason}: {because}; {session.count} event{'' if session.count == 1 else 's'}"
            _note(watch, "ended" if ended else "waits to end", self._title(session), session, why, now_ms)

        def _title(self, session: SessionBase) -> str:
            if isinstance(session, SubSession):
                return f"{self.name}/{self.sub_sessions[session.number].name}"
            return str(self.name)

    return Watched


def _note(watch: Watch, what: Happening, kind: str, session: SessionBase, why: str, now_ms: int) -> None:
    key = session.parent_key if isinstance(session, SubSession) else session.key
    watch.note(Life(what, kind, session.session_id, why, key), now_ms)
