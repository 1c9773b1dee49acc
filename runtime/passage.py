"""The way of each event through an engine (engine.md §2 in the design): the loops over lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from runtime.config import Late
from runtime.event import BAD_LINE
from runtime.intake import FROM_DATA, Escaped, Intake
from runtime.reorder import Refuse
from runtime.timeline import Clock, Partition


class Passage(Intake):
    """Takes events through stage 1, the profiles and out."""

    _loop: Any

    def _process_all(
        self,
        at_work: Partition,
        lines: Iterator[tuple[int, bytes]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        # Where another partition's clock is behind, a session's times do not follow it back: the loop knows one clock.
        is_one = len(self.profiles) == 1 and len(self._partitions) == 1
        if is_one and not (self._judges or self._judges_late or self._config.limits.rate):
            self._loop(self, at_work, lines, refuse)
        else:
            self._process_each(at_work, lines, refuse, latest_ms, wall_ms)

    def _process_each(
        self,
        at_work: Partition,
        lines: Iterator[tuple[int, bytes]],
        refuse: Refuse,
        latest_ms: int,
        wall_ms: int,
    ) -> None:
        """For any tenant."""
        now = at_work.now_ms
        now_slot = self._now_slot
        by_event_time = self._clock is Clock.EVENT_TIME
        judges_late, lateness = self._judges_late, self._config.time.late
        wheel, effects, stage_1 = at_work.wheel, self._effects, self._stage_1
        routes, rows = effects.routes, effects.rows
        decode = self.decoder.decode
        send = self._output.event if self._output.wants_events else None
        profiles = self._numbered
        several = len(profiles) > 1
        is_limited = self._config.limits.rate > 0
        doubt = self._doubt
        ok = bypassed = passive = dropped = behind = 0
        last, turn = at_work.last
        number, line = 0, b""
        try:
            for number, line in lines:
                try:
                    event = decode(line)
                except BAD_LINE as error:
                    self._not_decoded(line, error, number, refuse, now)
                    continue
                if now_slot is not None:
                    given = getattr(event, now_slot)
                    if given is not None and given > now:
                        now = given
                if now >= wheel.next_tick_ms:
                    self._tick(at_work, now)
                handler = stage_1.get(event.__class__)
                decorations = None
                if handler is not None:
                    decorations = handler(event, None, None, now, effects)
                    if rows:
                        decorations = effects.further_passes(None, None, now, decorations)
                    if decorations:
                        self._overlay(event, decorations)
                if by_event_time:
                    # Before any profile: all see the event at one time.
                    for route in routes:
                        if route is not None:
                            event_ms = self._own_time_ms(event) if route[1] is None else route[1]
                            if event_ms is not None and event_ms > now:
                                if event_ms > latest_ms:
                                    routes[routes.index(route)] = (route[0], wall_ms, route[2], route[3])
                                    self.counters.future += 1
                                    event_ms = max(now, wall_ms)
                                now = event_ms
                    if now >= wheel.next_tick_ms:
                        self._tick(at_work, now)
                if is_limited and self._is_too_many(now):
                    routes[:] = [None] * len(routes)
                    refuse(self._refused(number, "throttled", line))
                    continue
                outcome = None
                late: Late | Literal["put off"] | None = None
                for place, profile in profiles:
                    route = routes[place]
                    if route is None:
                        continue
                    routes[place] = None
                    key, event_ms, duration_ms, is_passive = route
                    if event_ms is None:
                        event_ms = self._own_time_ms(event)
                        if event_ms is None:
                            event_ms = now
                    if doubt is not None and doubt.covers(key, is_passive, now):
                        # Where there is doubt there is one profile. Whether it is late is judged when it is taken.
                        last, turn = now, turn + 1 if now == last else 0
                        behind += by_event_time and event_ms < now
                        self.put_off.append(
                            (number, line, now, turn, key, event_ms, duration_ms, is_passive, decorations or None)
                        )
                        late = "put off"
                        continue
                    is_late = False
                    if by_event_time and event_ms < now:
                        behind += 1
                        is_late = judges_late and not is_passive and not profile.holds(key, event_ms, now)
                        if is_late:
                            self.counters.late[lateness.value] += 1
                            if lateness is Late.DROP or lateness is Late.DEAD_LETTER:
                                if not profile.shadow:
                                    late = lateness
                                continue
                    if now == last:
                        turn += 1
                    else:
                        last = now
                        turn = 0
                    if is_late and lateness is Late.NEW:
                        added: Any = profile.process_late(event, key, event_ms, duration_ms, now)
                    else:
                        added = profile.process(event, key, event_ms, duration_ms, is_passive, now, turn)
                    if added is False:
                        continue
                    outcome = is_passive
                    if added and not profile.shadow:
                        if decorations:
                            decorations.update(added)
                        else:
                            decorations = added
                        if several:
                            self._overlay(event, added)
                if late is not None and outcome is None:
                    # No profile took it.
                    if late is Late.DEAD_LETTER:
                        refuse(self._refused(number, "late", line))
                    elif late is Late.DROP:
                        dropped += 1
                    continue
                if send is not None:
                    send(line, decorations, now)
                if outcome is None:
                    bypassed += 1
                else:
                    if outcome:
                        passive += 1
                    else:
                        ok += 1
                    for _, profile in profiles:
                        if profile.ending:
                            profile.after_event(now)
        except FROM_DATA as error:
            raise Escaped(number, line, f"{type(error).__name__}: {error}") from error
        finally:
            self._leave(at_work, now, (last, turn), behind, ok=ok, bypassed=bypassed, passive=passive, late=dropped)
