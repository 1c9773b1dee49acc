"""Entries against a dict: they grow, shrink, lie in several runs, and are as they were when there is no room."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cache.entries import Entries, NoRoom
from runtime.cache.pages import Pages

HEADER_BYTES = 18
SIZES = st.one_of(st.integers(0, 60), st.integers(0, 60), st.integers(0, 2_000))
KEYS = st.sampled_from([b"", b"k", b"key", b"a longer key" * 20])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS, SIZES),
        st.tuples(st.just("change"), st.integers(0, 100), SIZES),
        st.tuples(st.just("move"), st.integers(0, 100), st.integers(-(1 << 40), 1 << 40)),
        st.tuples(st.just("remove"), st.integers(0, 100), st.just(0)),
    ),
    max_size=80,
)


def heads(pages: Pages) -> list[int]:
    """The first blocks of all entries."""
    return [block for page in range(pages.reserved_pages) for block in pages.heads(page)]


@dataclass
class Stored:
    """What an entry must say."""

    table: int
    wheel: int
    second: int
    key: bytes
    payload: bytes


def entries_of(block_size: int, blocks_per_page: int, pages: int) -> Entries:
    page_size = block_size * blocks_per_page
    return Entries(Pages(block_size, page_size, page_size * pages))


def payload_of(size: int, serial: int) -> bytes:
    """Bytes that tell where they are, and whose."""
    return bytes((serial + place) % 251 for place in range(size))


def check(entries: Entries, model: dict[int, Stored]) -> None:
    assert heads(entries.pages) == sorted(model)
    for block, stored in model.items():
        assert entries.read(block) == (stored.key, stored.payload)
        assert entries.owner(block) == (stored.table, stored.key)
        assert entries.table(block) == stored.table
        assert entries.wheel(block) == stored.wheel
        assert entries.stands_in(block, stored.wheel, stored.second)
        assert not entries.stands_in(block, stored.wheel + 1, stored.second)
        assert not entries.stands_in(block, stored.wheel, stored.second + 1)


@given(st.sampled_from([(64, 1, 60), (64, 16, 4), (64, 64, 1), (512, 4, 8), (100, 7, 9)]), OPERATIONS)
def test_against_a_dict(sizes: tuple[int, int, int], operations: list[tuple[str, int, int]]) -> None:
    entries = entries_of(*sizes)
    model: dict[int, Stored] = {}
    for serial, (operation, which, number) in enumerate(operations):
        if operation == "add":
            stored = Stored(serial % 3, serial % 5, serial - 40, which, payload_of(number, serial))
            try:
                block = entries.add(stored.table, stored.wheel, stored.second, stored.key, stored.payload)
            except NoRoom:
                pass
            else:
                assert block not in model
                model[block] = stored
        elif model:
            block = sorted(model)[which % len(model)]
            stored = model[block]
            if operation == "remove":
                entries.remove(block)
                del model[block]
            elif operation == "move":
                entries.move(block, serial % 5, number)
                stored.wheel, stored.second = serial % 5, number
            else:
                payload = payload_of(number, serial)
                try:
                    moved = entries.change(block, payload)
                except NoRoom:
                    pass
                else:
                    del model[block]
                    stored.payload = payload
                    model[moved] = stored
        check(entries, model)
    for block in model:
        entries.remove(block)
    assert entries.pages.used_blocks == 0


def fill(entries: Entries, size: int) -> list[int]:
    """Entries of a size until there is no room."""
    blocks: list[int] = []
    while True:
        try:
            blocks.append(entries.add(0, 0, 0, b"", payload_of(size, len(blocks))))
        except NoRoom:
            return blocks


def test_an_entry_in_as_many_runs_as_it_has_blocks() -> None:
    """Every second block is free; what is in several runs can grow, shrink to one run, and leave nothing behind."""
    entries = entries_of(64, 64, 2)
    blocks = fill(entries, 40)
    for block in blocks[::2]:
        entries.remove(block)
    block = entries.add(7, 3, 5, b"scattered", payload_of(700, 0))
    assert len(entries._runs(block)) > 10
    assert entries.read(block) == (b"scattered", payload_of(700, 0))
    block = entries.change(block, payload_of(1_500, 1))
    assert entries.read(block) == (b"scattered", payload_of(1_500, 1))
    assert (entries.owner(block), entries.wheel(block)) == ((7, b"scattered"), 3)
    assert entries.stands_in(block, 3, 5)
    block = entries.change(block, payload_of(30, 2))
    assert len(entries._runs(block)) == 1
    assert entries.read(block) == (b"scattered", payload_of(30, 2))
    assert entries.pages.used_blocks == len(blocks[1::2]) + 1


def test_one_larger_than_a_page() -> None:
    entries = entries_of(64, 8, 10)
    block = entries.add(0, 0, 0, b"large", payload_of(3_000, 1))
    assert entries.read(block) == (b"large", payload_of(3_000, 1))
    entries.remove(block)
    assert entries.pages.used_blocks == 0


def test_a_key_larger_than_a_page() -> None:
    entries = entries_of(64, 8, 10)
    key = payload_of(2_000, 3)
    block = entries.add(5, 0, 0, key, b"payload")
    assert entries.read(block) == (key, b"payload")
    assert entries.owner(block) == (5, key)
    assert entries.read(entries.change(block, b"another")) == (key, b"another")


def test_no_room_says_whether_there_ever_is() -> None:
    entries = entries_of(64, 16, 2)
    blocks = fill(entries, 40)
    with pytest.raises(NoRoom) as full:
        entries.add(0, 0, 0, b"", b"x")
    assert full.value.ever
    with pytest.raises(NoRoom, match=r"2,018 bytes") as too_large:
        entries.add(0, 0, 0, b"", bytes(2_000))
    assert not too_large.value.ever
    assert [entries.read(block) for block in blocks] == [(b"", payload_of(40, place)) for place in range(len(blocks))]


def test_no_room_to_grow_leaves_the_entry_as_it_was() -> None:
    entries = entries_of(64, 16, 2)
    blocks = fill(entries, 40)
    with pytest.raises(NoRoom) as full:
        entries.change(blocks[3], payload_of(100, 9))
    assert full.value.ever
    assert entries.read(blocks[3]) == (b"", payload_of(40, 3))
    entries.remove(blocks[20])
    moved = entries.change(blocks[3], payload_of(90, 9))
    assert entries.read(moved) == (b"", payload_of(90, 9)), "its own block and the one that is free are enough"
    assert entries.pages.free_blocks == 0


def test_one_that_shrinks_stays_and_gives_back_what_it_leaves() -> None:
    entries = entries_of(64, 64, 1)
    block = entries.add(0, 0, 0, b"", bytes(600))
    assert entries.pages.used_blocks == 10
    assert entries.change(block, bytes(100)) == block
    assert entries.pages.used_blocks == 2
    assert entries.add(0, 0, 0, b"", bytes(480)) is not None
    assert entries.read(block) == (b"", bytes(100))


def test_the_largest_so_far() -> None:
    """However it has come to its size."""
    entries = entries_of(64, 16, 2)
    block = entries.add(0, 0, 0, b"abc", bytes(10))
    assert entries.largest_bytes == HEADER_BYTES + 13
    for size in (40, 20, 500, 30):
        block = entries.change(block, bytes(size))
    entries.remove(block)
    assert entries.largest_bytes == HEADER_BYTES + 3 + 500
    small = entries.add(0, 0, 0, b"", bytes(500))
    entries.change(small, bytes(510))
    assert entries.largest_bytes == HEADER_BYTES + 510, "in place as well"
