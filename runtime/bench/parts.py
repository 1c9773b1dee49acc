"""The way of an event in growing prefixes, each timed as a whole, so that nothing in the engine needs a hook.

    read                      lines cut from the files, columns made values
    read, decode              and made events, with the fields that rules read
    ... stage 1               through the engine, the controller's rules included, to a profile that does nothing
    ... sessions              to profiles whose sessions begin and end as ever, with rule sets that are empty
    ... stage 2               with all rules, into an output that takes everything and keeps nothing
    all                       a replay as `sojourn replay --out` does it, lines made and written

A part is the CPU time that its prefix takes beyond the one before. What rules cause (a sub-session, a split, an early
end) counts as theirs; so does what it costs that their attributes are written to colder memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from epl.compiler import Compiled
from runtime.clocks import clock_options
from runtime.effects import Decorations
from runtime.engine import Engine
from runtime.event import BAD_LINE
from runtime.io import FileSink
from runtime.output import NOWHERE
from runtime.profile import Profile
from runtime.reading import read_events
from runtime.replay import Replay, Replayed
from runtime.row import Lines
from runtime.rules import ProfileRules, SubSessionRules, TenantRules
from runtime.watchdog import Watchdog

PARTS = ("read", "decode", "stage_1", "sessions", "stage_2", "write")
"""The parts of the way of an event, in its order."""


class NoEvents(Exception):
    """There is nothing to measure by."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is measured: the rules of a tenant over files, with the options of a replay. Raises NoClock when used.

    `out`: the file that events and markers are written to, anew each time; None: they are made and thrown away.
    """

    rules: TenantRules
    sources: Sequence[str]
    out: str | None = None
    markers_only: bool = False
    now_field: str | None = None
    time_field: str | None = None

    def blocks(self, engine: Engine) -> Iterator[tuple[Lines, int]]:
        """The lines or rows of all sources for an engine, block by block, with the number of the first.

        Of rows what its rules read, as no event leaves it. Raises SourceError.
        """
        for name in self.sources:
            yield from read_events(name, engine, lambda line, size, head: None, None, wants_events=False)

    def engine(self, rules: TenantRules, made: Callable[..., Engine] = Engine) -> Engine:
        """An engine of some rules, whose output goes nowhere."""
        return made(rules, NOWHERE, **clock_options(rules, now_field=self.now_field, time_field=self.time_field))

    def replay(self) -> Callable[[], Replayed]:
        """All of it, ready to run once. Raises SinkError."""
        options: dict[str, Any] = {"now_field": self.now_field, "time_field": self.time_field}
        sink = FileSink(os.devnull if self.out is None else self.out)
        replay = Replay(self.rules, sink, markers_only=self.markers_only, **options)

        def run() -> Replayed:
            with sink:
                return replay.run(self.sources)

        return run


def prefixes(job: Job) -> dict[str, Callable[[], object]]:
    """What to run for each part: it and all before it. Each runs once; making engines is over by then."""
    return {
        "read": partial(_read, job, job.engine(job.rules)),
        "decode": partial(_decode, job, job.engine(job.rules)),
        "stage_1": partial(drive, job, job.engine(job.rules, _Stage1Engine)),
        "sessions": partial(drive, job, job.engine(without_stage_2(job.rules))),
        "stage_2": partial(drive, job, job.engine(job.rules)),
        "write": job.replay(),
    }


def drive(job: Job, engine: Engine) -> None:
    """Takes all events through an engine, then lets time run on until every session has ended."""
    with Watchdog(job.rules.config.limits.rule_time_ms):
        for lines, first_line in job.blocks(engine):
            engine.process(lines, first_line=first_line)
        engine.drain()


def without_stage_2(rules: TenantRules) -> TenantRules:
    """The same tenant with the same fields and sessions, and no rule that runs on an event or a marker of them."""
    return with_compiled(rules, lambda compiled: compiled if compiled is rules.controller else _mute(compiled))


def with_compiled(rules: TenantRules, changed: Callable[[Compiled], Compiled]) -> TenantRules:
    """The same tenant with other code for its rule sets."""

    def sub(each: SubSessionRules) -> SubSessionRules:
        return replace(each, compiled=changed(each.compiled))

    def profile(each: ProfileRules) -> ProfileRules:
        return replace(each, compiled=changed(each.compiled), sub_sessions=tuple(map(sub, each.sub_sessions)))

    profiles = tuple(map(profile, rules.profiles))
    return replace(rules, controller=changed(rules.controller), profiles=profiles)


def _mute(compiled: Compiled) -> Compiled:
    return replace(compiled, handlers={})


def _read(job: Job, engine: Engine) -> None:
    for _ in job.blocks(engine):
        pass


def _decode(job: Job, engine: Engine) -> None:
    for lines, _ in job.blocks(engine):
        decode = engine.decoder.decode
        for line in lines:
            try:
                decode(line)
            except BAD_LINE:
                continue


class _NoSessions(Profile):
    """Where an event has arrived: its profile and key are known, and nothing is done with them."""

    def process(
        self, event: Any, key: str, event_ms: int, duration_ms: int | None, passive: bool, now_ms: int, turn: int
    ) -> Decorations | Literal[False]:
        """Nothing."""
        return None

    def holds(self, key: str, event_ms: int, now_ms: int) -> bool:
        """No event is late where nothing has begun."""
        return True


class _Stage1Engine(Engine):
    def _profile_class(self) -> type[Profile]:
        return _NoSessions
