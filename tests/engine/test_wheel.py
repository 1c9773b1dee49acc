"""The time wheel against a plain list: what is scheduled, extended or forgotten comes once, and when it is due.

Sessions stand in it as objects or by the block of their entry; whoever takes them must not see the difference.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epl import SessionLayout
from runtime.cache import NEVER_MS, SLOT_MS, TimeWheel
from runtime.session import MainSession, session_class

GAP_MS = 1_000_000
CLASS = session_class(MainSession, SessionLayout({}, {}), 0)
NUMBERS = st.integers(0, 5)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("schedule"), NUMBERS, st.integers(0, 12_000)),
        st.tuples(st.just("touch"), NUMBERS, st.integers(0, 1)),
        st.tuples(st.just("extend"), NUMBERS, st.integers(0, 5_000)),
        st.tuples(st.just("write"), NUMBERS, st.just(0)),
        st.tuples(st.just("forget"), NUMBERS, st.just(0)),
        st.tuples(st.just("take"), st.just(0), st.integers(1, 3)),
        st.tuples(st.just("first"), st.just(0), st.integers(0, 63)),
    ),
    max_size=40,
)


def waiting(number: int) -> MainSession:
    """A session whose latest event was at `number`, and that is due when somebody schedules it."""
    session: MainSession = CLASS.begin(str(number), number, number, GAP_MS)
    return session


def another(session: MainSession) -> MainSession:
    """The same session as another object."""
    made = waiting(0)
    for name in ("key", "modified_ms", "turn", "due_ms", "block", "slot"):
        setattr(made, name, getattr(session, name))
    return made


class Shelf:
    """Entries without pages: it keeps the sessions by block, and knows where each says that it stands."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, int]] = {}
        self._sessions: dict[int, MainSession] = {}
        self._free = list(range(1, 8))

    def stands_in(self, block: int, wheel: int, second: int) -> bool:
        return self._places.get(block) == (wheel, second)

    def move(self, block: int, wheel: int, second: int) -> None:
        self._places[block] = (wheel, second)

    def session(self, block: int) -> MainSession:
        return self._sessions[block]

    def write(self, session: MainSession, wheel: TimeWheel) -> MainSession:
        """As a table writes a session that stands somewhere: it is another object when it is read again.

        One that is here already moves. Blocks are used again.
        """
        slot, second, before = session.slot, session.due_ms // SLOT_MS, session.block
        if before:
            session = another(session)
            del self._places[before], self._sessions[before]
        session.block = self._free.pop()
        self._places[session.block] = (wheel.number, second)
        if before:
            self._free.append(before)
            wheel.stand(session.block, second)
        else:
            slot.sessions.pop(session, None)
            slot.append(session.block)
            session.slot = None
        self._sessions[session.block] = read = another(session)
        return read

    def remove(self, session: MainSession) -> None:
        """As a table forgets one that has ended."""
        if session.block:
            del self._places[session.block], self._sessions[session.block]
            self._free.append(session.block)
            session.block = 0


def order(session: MainSession, due_ms: int) -> tuple[int, int, int]:
    """Who has to go first when there is no room."""
    return due_ms, session.modified_ms, session.turn


def in_order_of_last_update(sessions: list[MainSession]) -> bool:
    updates = [(session.modified_ms, session.turn) for session in sessions]
    return updates == sorted(updates)


@given(OPERATIONS)
def test_against_a_list(operations: list[tuple[str, int, int]]) -> None:
    """The model knows when each is due, whom nobody took yet; the wheel hears of it when it is scheduled only."""
    shelf = Shelf()
    wheel = TimeWheel(shelf, number=3)
    everyone = [waiting(number) for number in range(6)]
    due_ms: dict[str, int] = {}
    extended: set[str] = set()
    now_ms, serial = 0, len(everyone)
    for operation, number, value in [*operations, ("take", 0, 100)]:
        session = everyone[number]
        if operation == "schedule":
            due_ms[session.key] = now_ms + value
            extended.discard(session.key)
            wheel.schedule(session, due_ms[session.key])
        elif operation == "touch":
            serial += value
            session.modified_ms, session.turn = serial, 0 if value else session.turn + 1
        elif operation == "extend" and session.key in due_ms:
            due_ms[session.key] += value
            extended.add(session.key)
        elif operation == "write" and session.key in due_ms:
            everyone[number] = shelf.write(session, wheel)
        elif operation == "forget":
            wheel.forget(session)
            shelf.remove(session)
            due_ms.pop(session.key, None)
        elif operation == "take":
            now_ms += value * SLOT_MS
            taken = wheel.take(now_ms)
            due = {key for key, due in due_ms.items() if tick_of(due) <= now_ms}
            keys = [each.key for each in taken]
            assert len(keys) == len(set(keys))
            assert due <= set(keys) <= due | extended
            assert in_order_of_last_update(taken)
            for each in taken:
                if each.key in due:
                    shelf.remove(each)
                    del due_ms[each.key]
                else:
                    wheel.schedule(each, due_ms[each.key])
        elif operation == "first":
            passed_over = {id(each) for place, each in enumerate(everyone) if value & 1 << place}
            others = [
                order(each, due_ms[each.key]) for each in everyone if each.key in due_ms and id(each) not in passed_over
            ]
            first = wheel.first(lambda each: due_ms[each.key], passed_over)
            assert (None if first is None else order(first, due_ms[first.key])) == min(others, default=None)
            assert first is None or id(first) not in passed_over
        assert wheel.next_tick_ms <= min(map(tick_of, due_ms.values()), default=NEVER_MS)
        assert {each.key for each in wheel} == due_ms.keys()
    assert not due_ms
    assert wheel.next_tick_ms == NEVER_MS


def tick_of(due_ms: int) -> int:
    return (due_ms // SLOT_MS + 1) * SLOT_MS


@pytest.mark.parametrize("written", [False, True])
def test_back_in_a_slot_that_it_has_left(written: bool) -> None:
    shelf = Shelf()
    wheel = TimeWheel(shelf)
    session = waiting(1)
    wheel.schedule(session, 9_000)
    if written:
        session = shelf.write(session, wheel)
    for due_ms in (5_000, 9_500):
        wheel.schedule(session, due_ms)
    assert wheel.take(6_000) == []
    assert wheel.take(10_000) == [session]


def test_a_block_used_again_stands_for_the_one_that_has_it_now() -> None:
    shelf = Shelf()
    wheel = TimeWheel(shelf)
    first, second = waiting(1), waiting(2)
    wheel.schedule(first, 5_000)
    first = shelf.write(first, wheel)
    block = first.block
    wheel.forget(first)
    shelf.remove(first)
    wheel.schedule(second, 5_500)
    second = shelf.write(second, wheel)
    assert second.block == block
    assert wheel.take(6_000) == [second], "once, though its block stands there twice"


def test_wheels_tell_their_entries_apart() -> None:
    shelf = Shelf()
    one, other = TimeWheel(shelf, 1), TimeWheel(shelf, 2)
    session = waiting(1)
    one.schedule(session, 5_000)
    session = shelf.write(session, one)
    other.stand(session.block, 5)
    assert other.take(6_000) == []
    assert one.take(6_000) == [session]


def test_seconds_that_agree_in_their_lower_bits() -> None:
    """An entry tells its second modulo 2**32, a session all of it."""
    shelf = Shelf()
    wheel = TimeWheel(shelf)
    session = waiting(1)
    far_ms = 7_000 + (1 << 32) * SLOT_MS
    wheel.schedule(session, 7_000)
    session = shelf.write(session, wheel)
    shelf.stands_in = lambda block, number, second: True  # type: ignore[method-assign]
    wheel.schedule(session, far_ms)
    assert wheel.take(8_000) == []
    assert wheel.take(far_ms + SLOT_MS) == [session]


@pytest.mark.parametrize("written", [False, True])
def test_one_after_the_other_goes_first(written: bool) -> None:
    """Those that were extended are looked at in their new place; nobody is, of those passed over."""
    shelf = Shelf()
    wheel = TimeWheel(shelf)
    a, b, c, d = (waiting(number) for number in range(4))
    due_ms = {"0": 5_100, "1": 5_000, "2": 5_000, "3": 9_000}
    for session in (a, b, c, d):
        wheel.schedule(session, due_ms[session.key])
    if written:
        a, b, c, d = (shelf.write(session, wheel) for session in (a, b, c, d))
    due_ms["1"] = 12_000
    gone = []
    while (first := wheel.first(lambda session: due_ms[session.key], {id(a)})) is not None:
        gone.append(first)
        wheel.forget(first)
        shelf.remove(first)
    assert gone == [c, d, b]
    assert wheel.first(lambda session: due_ms[session.key]) is a


def test_one_that_moves_to_another_block_while_others_go() -> None:
    """It was known by the block that it had, which says nothing of it any more."""
    shelf = Shelf()
    wheel = TimeWheel(shelf)
    a, b = waiting(0), waiting(1)
    for session in (a, b):
        wheel.schedule(session, 5_000)
    a, b = shelf.write(a, wheel), shelf.write(b, wheel)
    assert wheel.first(lambda session: 5_000) is a
    b = shelf.write(b, wheel)
    wheel.forget(a)
    shelf.remove(a)
    assert wheel.first(lambda session: 5_000) is b
    assert wheel.take(6_000) == [b]


def test_next_tick() -> None:
    wheel = TimeWheel(Shelf())
    assert wheel.next_tick_ms == NEVER_MS
    for due_ms in (5_000, 3_999, 7_000):
        wheel.schedule(waiting(due_ms), due_ms)
    assert wheel.next_tick_ms == 4_000
    wheel.take(4_000)
    assert wheel.next_tick_ms == 6_000


def test_nothing_is_left_of_a_wheel_that_is_gone() -> None:
    """The garbage collector would not find out: it passes sessions over."""
    wheel = TimeWheel(Shelf())
    session = waiting(1)
    wheel.schedule(session, 5_000)
    slot = session.slot
    assert list(slot.sessions) == [session]
    del wheel
    assert not slot.sessions
