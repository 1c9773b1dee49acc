"""What leaves two rule sets that got the same events, compared: lines by type, events one by one, ends by session.

An end marker may leave one of them earlier than the other, so it waits for its counterpart: both are compared when both
have left.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from runtime.config import ProfileConfig, SubSessionConfig, TenantConfig
from runtime.protocol import reload_answers

_MOST_WAITING = 10_000
MOST_KEPT = 50
"""How many of the latest differences there are to look at."""

Fields = dict[str, Any]
_End = tuple[str, str]
"""The type of an end marker, and the id of its session."""
_Left = tuple[int, Fields]
"""When a line left, and what it says."""
_read = msgspec.json.Decoder(Fields).decode


@dataclass(frozen=True, slots=True)
class Difference:
    """An event, or the end of a session, that is not the same; None where it did not leave or has not yet.

    `at_ms` is when both had left, or the one.
    """

    at_ms: int
    what: str
    running: Fields | None
    shadow: Fields | None


@dataclass(slots=True)
class Tally:
    """How many were compared, and what the latest differences were."""

    same: int = 0
    different: int = 0
    latest: deque[Difference] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))

    def note(self, at_ms: int, what: str, running: Fields, shadow: Fields) -> None:
        """Counts a pair."""
        if running == shadow:
            self.same += 1
        else:
            self.different += 1
            self.latest.appendleft(Difference(at_ms, what, running, shadow))


class Side:
    """What one of them sends: `lines` counts by type, `waiting` has the ends whose counterpart has not left."""

    def __init__(self, config: TenantConfig) -> None:
        self.lines: Counter[str] = Counter()
        self.waiting: dict[_End, _Left] = {}
        self.unmatched = 0
        """Ends that have waited for so long that nobody expects their counterpart any more."""
        self._type_field = config.type_field
        self._markers = {name for kind in _kinds(config) for name in (kind.begin_marker, kind.end_marker) if name}
        self._id_fields = {kind.end_marker: kind.keys.id for kind in _kinds(config) if kind.end_marker}

    @property
    def alone(self) -> int:
        """Ends that only this side has."""
        return self.unmatched + len(self.waiting)

    def sort(self, lines: Iterable[bytes]) -> tuple[list[Fields], list[tuple[_End, Fields]]]:
        """The events among lines, and the end markers with what they are known by. All of them count."""
        events, ends = [], []
        for line in lines:
            try:
                fields = _read(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                # Fields that no rule reads may be unreadable; the line stands for the event then.
                fields = {"": line}
            name = str(fields.get(self._type_field, ""))
            self.lines[name] += 1
            if name not in self._markers:
                events.append(fields)
            elif name in self._id_fields:
                ends.append(((name, str(fields.get(self._id_fields[name] or "", ""))), fields))
        return events, ends

    def wait(self, end: _End, at_ms: int, fields: Fields) -> None:
        """Keeps an end for its counterpart."""
        self.waiting[end] = at_ms, fields
        if len(self.waiting) > _MOST_WAITING:
            del self.waiting[next(iter(self.waiting))]
            self.unmatched += 1


class Comparison:
    """All that has been compared since it began."""

    def __init__(self, running: TenantConfig, shadow: TenantConfig) -> None:
        self.running, self.shadow = Side(running), Side(shadow)
        self.events, self.ends = Tally(), Tally()

    def compare(self, running: Sequence[bytes], shadow: Sequence[bytes], at_ms: int) -> None:
        """What left both because of the same events, or of the same tick, and when."""
        events, ends = self.running.sort(running)
        other_events, other_ends = self.shadow.sort(shadow)
        # Each event leaves once, so where one has more of them, some wait for their turn there.
        for event, other in zip(events, other_events, strict=False):
            self.events.note(at_ms, "event", event, other)
        self.events.different += abs(len(events) - len(other_events))
        for end, fields in ends:
            if (theirs := self.shadow.waiting.pop(end, None)) is not None:
                self.ends.note(at_ms, end[1], fields, theirs[1])
            else:
                self.running.wait(end, at_ms, fields)
        for end, fields in other_ends:
            if (ours := self.running.waiting.pop(end, None)) is not None:
                self.ends.note(at_ms, end[1], ours[1], fields)
            else:
                self.shadow.wait(end, at_ms, fields)

    def data(self) -> reload_answers.Comparison:
        """For machines and for the page: numbers, and the latest differences."""
        types = sorted({*self.running.lines, *self.shadow.lines})
        alone = [Difference(at_ms, end[1], fields, None) for end, (at_ms, fields) in _latest(self.running.waiting)]
        alone += [Difference(at_ms, end[1], None, fields) for end, (at_ms, fields) in _latest(self.shadow.waiting)]
        alone.sort(key=lambda each: each.at_ms, reverse=True)
        return {
            "lines": [
                {"type": name, "running": self.running.lines[name], "shadow": self.shadow.lines[name]} for name in types
            ],
            "events": _tally(self.events, self.events.latest),
            "ends": {
                **_tally(self.ends, self.ends.latest),
                "only_running": self.running.alone,
                "only_shadow": self.shadow.alone,
                "alone": [_difference(each) for each in alone],
            },
        }


def _latest(waiting: dict[_End, _Left]) -> list[tuple[_End, _Left]]:
    return list(islice(reversed(waiting.items()), MOST_KEPT // 2))


def _tally(tally: Tally, latest: Iterable[Difference]) -> reload_answers.Tally:
    return {
        "same": tally.same,
        "different": tally.different,
        "differences": [_difference(each) for each in latest],
    }


def _difference(difference: Difference) -> reload_answers.Difference:
    running, shadow = difference.running, difference.shadow
    names = [] if running is None or shadow is None else [*dict.fromkeys([*running, *shadow])]
    return {
        "at_ms": difference.at_ms,
        "what": difference.what,
        "fields": [name for name in names if (running or {}).get(name) != (shadow or {}).get(name)],
        "running": running,
        "shadow": shadow,
    }


def _kinds(config: TenantConfig) -> Iterator[ProfileConfig | SubSessionConfig]:
    for profile in config.profiles:
        yield profile
        yield from profile.sub_sessions
