"""The time wheel against a plain list: what is scheduled, extended or forgotten comes once, and when it is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.cache import NEVER_MS, SLOT_MS, TimeWheel

NUMBERS = st.integers(0, 5)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("schedule"), NUMBERS, st.integers(0, 12_000)),
        st.tuples(st.just("touch"), NUMBERS, st.just(0)),
        st.tuples(st.just("forget"), NUMBERS, st.just(0)),
        st.tuples(st.just("take"), st.just(0), st.integers(1, 3)),
    ),
    max_size=40,
)


@dataclass(eq=False)
class Waiting:
    """The part of a session that the wheel knows."""

    modified_ms: int
    turn: int = 0
    due_ms: int = 0


@dataclass
class Slots:
    """The model: who is due when, looked through at each tick."""

    due_ms: dict[Any, int] = field(default_factory=dict)

    def tick_of(self, waiting: Any) -> int:
        return (self.due_ms[waiting] // SLOT_MS + 1) * SLOT_MS

    def take(self, tick_ms: int) -> list[Any]:
        found = sorted((w for w in self.due_ms if self.tick_of(w) <= tick_ms), key=lambda w: w.modified_ms)
        for waiting in found:
            del self.due_ms[waiting]
        return found


@given(OPERATIONS)
def test_against_a_list(operations: list[tuple[str, int, int]]) -> None:
    wheel: TimeWheel = TimeWheel()
    model = Slots()
    everyone: list[Any] = [Waiting(number) for number in range(6)]
    now_ms, serial = 0, len(everyone)
    for operation, number, value in operations:
        waiting = everyone[number]
        if operation == "schedule":
            wheel.schedule(waiting, now_ms + value)
            model.due_ms[waiting] = now_ms + value
        elif operation == "touch":
            serial += 1
            waiting.modified_ms = serial
        elif operation == "forget":
            wheel.forget(waiting)
            model.due_ms.pop(waiting, None)
        else:
            now_ms += value * SLOT_MS
            assert wheel.take(now_ms) == model.take(now_ms)
        assert wheel.next_tick_ms <= min(map(model.tick_of, model.due_ms), default=NEVER_MS)
    now_ms += 20_000
    assert wheel.take(now_ms) == model.take(now_ms)
    assert wheel.next_tick_ms == NEVER_MS


def test_back_in_a_slot_that_it_has_left() -> None:
    wheel, waiting = TimeWheel(), Waiting(1)
    session: Any = waiting
    for due_ms in (9_000, 5_000, 9_500):
        wheel.schedule(session, due_ms)
    assert wheel.take(6_000) == []
    assert wheel.take(10_000) == [session]


def test_next_tick() -> None:
    wheel = TimeWheel()
    assert wheel.next_tick_ms == NEVER_MS
    for due_ms in (5_000, 3_999, 7_000):
        session: Any = Waiting(due_ms)
        wheel.schedule(session, due_ms)
    assert wheel.next_tick_ms == 4_000
    wheel.take(4_000)
    assert wheel.next_tick_ms == 6_000
