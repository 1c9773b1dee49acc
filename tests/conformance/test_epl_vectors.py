"""Answers of Esper 5.2: rows by value and by number type, rejections, and constructs that we refuse by name."""

from __future__ import annotations

from collections import Counter, deque
from types import SimpleNamespace
from typing import Any

from epl import Environment, EventType, Source, check, compile_program, parse, session_layout
from epl.layout import slot_name
from epl.types import parse_type

NOW_MS = 1_700_000_000_000
Vector = tuple[str, dict[str, Any]]


class Rows:
    """Effects that only collect rows, as `[statement, row]`."""

    def __init__(self) -> None:
        self.reported: list[list[Any]] = []
        self.rows: deque[Any] = deque()
        self.routes: list[Any] = [None]
        self.subs: dict[int, Any] = {}
        self.is_new = True

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.reported.append([rule, row])

    def fail(self, rule: int, error: Exception, event: Any) -> None:
        """A statement that fails yields no row."""

    def count(self, counter: str) -> None:
        """Debug counters are no rows."""

    def set_duration(self, session: Any, gap_ms: int) -> None:
        """Neither are durations."""


def exact(value: Any) -> Any:
    """The value with its types, so that 3 is not 3.0 and 1 is not true; hashable."""
    if isinstance(value, dict):
        return tuple(sorted((key, exact(inner)) for key, inner in value.items()))
    if isinstance(value, list | tuple):
        return tuple(exact(inner) for inner in value)
    return type(value).__name__, value


def test_vector(vector: Vector) -> None:
    _, case = vector
    types = {
        name: EventType(name, {field: parse_type(type_) for field, type_ in fields.items()})
        for name, fields in case["schema"].items()
    }
    checked = check(parse(Source(case["id"], ";\n".join(case["statements"]))), Environment(event_types=types))
    if "reject" in case or "unsupported" in case:
        assert checked.problems.has_errors, case["statements"]
        return
    assert not checked.problems.has_errors, [str(found.message) for found in checked.problems]
    profiles = [getattr(effect, "profile", "") for rule in checked.program.rules for effect in rule.effects]
    layout = session_layout(checked.attributes)
    compiled = compile_program(checked.program, layout, profiles=profiles, report=True)
    session = SimpleNamespace(**dict.fromkeys(layout.attributes), count=1)
    for (type_name, fields), expected in zip(case["events"], case["rows"], strict=True):
        slots = {*types[type_name].fields, *compiled.fields.get(type_name, {})}
        effects = Rows()
        effects.rows.append(
            (compiled.handlers.get(type_name), SimpleNamespace(**{slot_name(name): fields.get(name) for name in slots}))
        )
        while effects.rows:
            handler, event = effects.rows.popleft()
            if handler is not None:
                handler(event, session, None, NOW_MS, effects)
        assert Counter(map(exact, effects.reported)) == Counter(map(exact, expected)), fields
