"""The loop over events of a tenant with one profile, generated: its rules stand where they are run.

It does what `Passage._process_each` and `Profile.process` do for most tenants, without what such a tenant has no use
for: an event costs no call of a handler, no look for its type where there is one, no step for counting a match in a
list. That is a tenth of the work of an event.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from textwrap import indent
from typing import Any

from epl.compiler import Compiled, Handler, inlined
from epl.layout import slot_name
from runtime.event import BAD_LINE
from runtime.intake import FROM_DATA, Escaped
from runtime.output import LineOutput
from runtime.reorder import Refuse
from runtime.timeline import Clock, Partition

Loop = Callable[[Any, Partition, Iterator[tuple[int, bytes]], Refuse], None]
"""Called with the engine, the partition at work, numbered lines, and who takes refused ones."""

Handlers = Mapping[type[Any], Handler]
"""Handlers by class of event."""

_SOURCE = """\
def loop(engine, at_work, lines, refuse):
    now = at_work.now_ms
    now_slot = engine._now_slot
    by_event_time = engine._clock is EVENT_TIME
    wheel, fx, tick = at_work.wheel, engine._effects, engine._tick
    decode = engine.decoder.decode
    output = engine._output
    send = output.event if output.wants_events else None
    keep = output.as_it_came if isinstance(output, LineOutput) else None
    (profile,) = engine.profiles
    get, process, counters = profile.table.get, profile.process, profile.counters
    is_shadow, longest_ms, s, p = profile.shadow, counters.max_interval_ms, None, None
    routes, rows = fx.routes, fx.rows
    ok = bypassed = passive = behind = 0
    last, turn = at_work.last
    if last != now:
        turn = 0
{before}
    number, line = 0, b""
    try:
        for number, line in lines:
            try:
                e = decode(line)
            except BAD_LINE as error:
                engine._not_decoded(line, error, number, refuse, now)
                continue
            if now_slot is not None:
                given = getattr(e, now_slot)
                if given is not None and given > now:
                    now, turn = given, 0
                    if now >= wheel.next_tick_ms:
                        tick(at_work, now)
            route = decorations = None
{stage_1}
            if route is None:
                if send is not None:
                    send(line, decorations, now)
                bypassed += 1
                continue
            key, event_ms, duration_ms, is_passive = route
            if event_ms is None:
                event_ms = engine._own_time_ms(e)
                if event_ms is None:
                    event_ms = now
            if by_event_time and event_ms != now:
                if event_ms < now:
                    behind += 1
                else:
                    now, turn = event_ms, 0
                    if now >= wheel.next_tick_ms:
                        tick(at_work, now)
            turn += 1
            s = get(key)
            # The common event: its session is live, and nothing of it can be due before `due_ms`. Where another
            # partition's clock is behind, the session's times do not follow it back. A pause longer than all before is
            # seldom, and noted by `process`.
            if (
                s is not None
                and now < s.due_ms
                and 0 <= now - s.modified_ms <= longest_ms
                and not is_passive
                and profile.is_plain
            ):
                s.modified_ms = now
                s.count += 1
                s.turn = turn
                added = None
{stage_2}
                ok += 1
                if send is None:
                    continue
                if added and not is_shadow:
                    if decorations:
                        decorations.update(added)
                    else:
                        decorations = added
                if decorations or keep is None:
                    send(line, decorations, now)
                else:
                    keep(line)
                continue
            added = process(e, key, event_ms, duration_ms, is_passive, now, turn)
            longest_ms = counters.max_interval_ms
            if send is not None:
                if added and not is_shadow:
                    if decorations:
                        decorations.update(added)
                    else:
                        decorations = added
                send(line, decorations, now)
            if added is False:
                bypassed += 1
            elif is_passive:
                passive += 1
            else:
                ok += 1
            if profile.ending:
                profile.after_event(now)
    except FROM_DATA as error:
        raise Escaped(number, line, f"{{type(error).__name__}}: {{error}}") from error
    finally:
{after}
        engine._leave(at_work, now, (now, turn), behind, ok=ok, bypassed=bypassed, passive=passive)
"""
_CALLED_1 = """\
decorations = {handler}(e, None, None, now, fx)
if rows:
    decorations = fx.further_passes(None, None, now, decorations)
route = routes[0]
routes[0] = None
"""
_CALLED_2 = "added = {handler}(e, s, None, now, fx)\n"
_FILLED = """\
{local} = {spare}
{body}
if {local}:
    {result}, {spare} = {local}, {{}}
"""
_OVERLAID = """\
if decorations:
    engine._overlay(e, decorations)
"""
_serial = count(1)


class _Stage:
    """The code of a rule set for each type of event, and what it needs around it."""

    def __init__(
        self, prefix: str, compiled: Compiled, handlers: Handlers, *, inlines: bool, calls: str, result: str
    ) -> None:
        """`inlines`: bodies of handlers may stand in the loop; else they are called as `calls` says.

        Those of `handlers` that are not the compiled ones are called in any case: somebody watches them.
        """
        self._prefix = prefix
        self._handlers = handlers
        self._compiled = compiled
        self._inlines = inlines
        self._calls = calls
        self._result = result
        self.names: dict[str, Any] = {f"{prefix}matches": compiled.matches}
        self.counters: dict[str, int] = {}

    def code(self, event_type: str, class_: type[Any]) -> str:
        """What is run on an event of a type, which has a class."""
        handler = self._handlers.get(class_)
        if handler is None:
            return ""
        if not self._inlines or handler is not self._compiled.bodies[event_type].function:
            name = f"{self._prefix}on_{slot_name(event_type)}"
            self.names[name] = handler
            return self._calls.format(handler=name)
        found = inlined(self._compiled, event_type, self._prefix)
        self.names |= found.names
        self.counters |= found.counters
        text = "".join(f"{line}\n" for line in found.lines)
        if found.decorations is None:
            return text
        # The dict is taken again until something is in it.
        spare = f"{self._prefix}spare"
        return _FILLED.format(local=found.decorations, spare=spare, body=text, result=self._result)

    @property
    def before(self) -> list[str]:
        """Statements that the code counts on."""
        return [f"{self._prefix}spare = {{}}", *(f"{name} = 0" for name in self.counters)]

    @property
    def after(self) -> list[str]:
        """Statements that write down what it has counted."""
        return [f"{self._prefix}matches[{number}] += {name}" for name, number in self.counters.items()]


def loop_of(
    controller: tuple[Compiled, Handlers],
    profile: tuple[Compiled, Handlers],
    classes: Mapping[str, type[Any]],
    *,
    inserts: bool,
    is_simple: bool,
) -> Loop:
    """The loop of a tenant: its rule sets with the handlers in use, and the classes of its events by type.

    `inserts`: its controller makes rows; `is_simple`: the profile's rules change no more than the slots of a session
    and the decorations of an event.
    """
    first = _Stage("a_", *controller, inlines=not inserts, calls=_CALLED_1, result="decorations")
    second = _Stage("b_", *profile, inlines=is_simple, calls=_CALLED_2, result="added")
    codes = {name: (first.code(name, class_), second.code(name, class_)) for name, class_ in classes.items()}
    stages = (first, second)
    overlaid = _OVERLAID if any("decorations" in code for code, _ in codes.values()) else ""
    source = _SOURCE.format(
        before=_indented(line for stage in stages for line in stage.before),
        stage_1=_indented([_by_class({name: code for name, (code, _) in codes.items()}) + overlaid], 12),
        stage_2=_indented([_by_class({name: code for name, (_, code) in codes.items()})], 16),
        after=_indented((line for stage in stages for line in stage.after), 8),
    )
    namespace: dict[str, Any] = {
        "BAD_LINE": BAD_LINE,
        "EVENT_TIME": Clock.EVENT_TIME,
        "Escaped": Escaped,
        "FROM_DATA": FROM_DATA,
        "LineOutput": LineOutput,
        **{_class_name(name): class_ for name, class_ in classes.items()},
    }
    for stage in stages:
        namespace |= stage.names
    name = f"<sojourn loop #{next(_serial)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)
    made: Loop = namespace["loop"]
    return made


def _by_class(codes: Mapping[str, str]) -> str:
    """The code for the class of the event at hand; where there is one class only, no look is needed."""
    if len(codes) == 1:
        return next(iter(codes.values()))
    tests = [f"kind is {_class_name(name)}:\n{indent(code, '    ')}" for name, code in codes.items() if code]
    return "kind = e.__class__\nif " + "elif ".join(tests) if tests else ""


def _class_name(event_type: str) -> str:
    return f"Event_{slot_name(event_type)}"


def _indented(lines: Iterable[str], columns: int = 4) -> str:
    return indent("\n".join(lines), " " * columns)
