"""Pages against a plain set of blocks, and what long use does to them."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runtime.cache.pages
from runtime.cache.entries import Entries, NoRoom
from runtime.cache.pages import Pages

BLOCK = 64
LENGTHS = st.one_of(st.integers(1, 5), st.integers(1, 40))
SMALL = [30, 100, 150, 200, 400, 900]
SOME_LARGE = [50, 200, 1200, 1500, 4000, 9000]
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), LENGTHS),
        st.tuples(st.just("take some"), LENGTHS),
        st.tuples(st.just("give back"), st.integers(0, 1000)),
        st.tuples(st.just("shorten"), st.integers(0, 1000)),
    ),
    max_size=120,
)


def heads(pages: Pages) -> list[int]:
    """The first blocks of all entries."""
    return [block for page in range(pages.reserved_pages) for block in pages.heads(page)]


def pages_of(blocks_per_page: int, most_pages: int) -> Pages:
    return Pages(BLOCK, BLOCK * blocks_per_page, BLOCK * blocks_per_page * most_pages)


def check(pages: Pages, runs: dict[int, int]) -> None:
    """What has been handed out and not given back is what the pages say that is."""
    blocks = [block for first, length in runs.items() for block in range(first, first + length)]
    assert len(blocks) == len(set(blocks)), "a block was handed out twice"
    assert 0 not in blocks
    for first, length in runs.items():
        assert first // pages.blocks_per_page == (first + length - 1) // pages.blocks_per_page, "a run crosses pages"
    assert pages.used_blocks == len(blocks)
    assert pages.free_blocks == pages.most_pages * pages.blocks_per_page - 1 - len(blocks)
    assert heads(pages) == sorted(runs)
    assert pages.reserved_pages <= pages.most_pages


def fill(pages: Pages, runs: dict[int, int]) -> None:
    """Takes whatever is left."""
    while (some := pages.take_some(7)) is not None:
        runs[some[0]] = some[1]


@pytest.mark.parametrize("can_grow", [sys.platform == "linux", False])
@given(st.sampled_from([1, 2, 16, 64, 200]), st.integers(1, 3), OPERATIONS)
def test_against_a_set(
    can_grow: bool, blocks_per_page: int, most_pages: int, operations: list[tuple[str, int]]
) -> None:
    """Also where a mapping cannot grow, as on macOS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.cache.pages, "_CAN_GROW", can_grow)
        take_and_give_back(pages_of(blocks_per_page, most_pages), operations)


def take_and_give_back(pages: Pages, operations: list[tuple[str, int]]) -> None:
    runs: dict[int, int] = {}
    for operation, number in operations:
        if operation == "take":
            block = pages.take(number)
            if block is not None:
                assert block not in runs
                runs[block] = number
        elif operation == "take some":
            some = pages.take_some(number)
            if some is None:
                assert pages.free_blocks == 0
            else:
                assert 1 <= some[1] <= number
                assert some[0] not in runs
                runs[some[0]] = some[1]
        elif runs:
            first = sorted(runs)[number % len(runs)]
            length = runs.pop(first)
            kept = number % length if operation == "shorten" else 0
            if kept:
                runs[first] = kept
            pages.give_back(first + kept, length - kept)
        check(pages, runs)
    fill(pages, runs)
    check(pages, runs)
    assert pages.free_blocks == 0, "a block was lost"


@pytest.mark.parametrize(("blocks_per_page", "most_pages"), [(1, 1), (1, 5), (4, 1), (65_536, 1)])
def test_each_block_but_the_first_is_there_to_be_taken(blocks_per_page: int, most_pages: int) -> None:
    pages = pages_of(blocks_per_page, most_pages)
    taken = []
    while (block := pages.take(1)) is not None:
        taken.append(block)
    assert sorted(taken) == list(range(1, blocks_per_page * most_pages))
    assert pages.take_some(1) is None
    assert pages.used_bytes == BLOCK * len(taken)


def test_memory_is_reserved_page_by_page() -> None:
    pages = pages_of(16, 4)
    assert pages.reserved_bytes == 0
    for _ in range(15):
        pages.take(1)
    assert pages.reserved_bytes == 16 * BLOCK
    pages.take(1)
    assert pages.reserved_bytes == 2 * 16 * BLOCK


def test_a_run_longer_than_a_page_is_none() -> None:
    pages = pages_of(16, 4)
    assert pages.take(17) is None
    assert pages.take(16) == 16, "the first page lacks the block that means none"
    assert pages.take_some(100) == (1, 15)


@pytest.mark.parametrize("length", [2, 16, 17, 60])
def test_neighbours_freed_one_by_one_are_one_run_again(length: int) -> None:
    pages = pages_of(256, 1)
    singles: dict[int, int] = {}
    while (block := pages.take(1)) is not None:
        singles[block] = 1
    for block in random.Random(1).sample(sorted(singles), len(singles)):
        pages.give_back(block, 1)
    runs = {}
    while (block := pages.take(length)) is not None:
        runs[block] = length
    check(pages, runs)
    assert len(runs) == 255 // length


# ---- a long churn


class Crowd:
    """Entries of random sizes that come and go, in order of a seed."""

    def __init__(self, entries: Entries, sizes: list[int], seed: int) -> None:
        self.entries = entries
        self.live: dict[int, bytes] = {}
        self._order: list[int] = []
        self._sizes = sizes
        self._random = random.Random(seed)

    def come(self) -> None:
        """Raises NoRoom."""
        payload = self._random.randbytes(8) + bytes(self._random.choice(self._sizes) - 8)
        block = self.entries.add(0, 0, 0, b"key", payload)
        self.live[block] = payload
        self._order.append(block)

    def go(self) -> None:
        place = self._random.randrange(len(self._order))
        block = self._order[place]
        self._order[place] = self._order[-1]
        self._order.pop()
        assert self.entries.read(block) == (b"key", self.live.pop(block))
        self.entries.remove(block)

    def fill(self) -> int:
        """Lets them come until there is no room; how many bytes there are then."""
        while True:
            try:
                self.come()
            except NoRoom:
                return sum(map(len, self.live.values()))

    @property
    def in_several_runs(self) -> int:
        return sum(len(self.entries._runs(block)) > 1 for block in self.live)


@pytest.mark.parametrize(
    ("sizes", "most_in_several_runs"),
    [
        pytest.param(SMALL, 0.03, id="small"),
        pytest.param(SOME_LARGE, 0.6, id="some large"),
    ],
)
def test_a_long_churn_keeps_the_capacity(sizes: list[int], most_in_several_runs: float) -> None:
    """At 95 % full, through some thirty generations. Where no run is long enough entries lie in several, and are read
    from there; how many do is what fragmentation costs."""
    pages = pages_of(1024, 8)
    crowd = Crowd(Entries(pages), sizes, seed=5)
    at_first = crowd.fill()
    full = pages.free_blocks + pages.used_blocks
    for _ in range(30 * len(crowd.live)):
        while pages.used_blocks > full * 0.95:
            crowd.go()
        crowd.come()
    assert crowd.in_several_runs <= most_in_several_runs * len(crowd.live)
    assert crowd.fill() >= 0.98 * at_first
    while crowd.live:
        crowd.go()
    assert pages.used_blocks == 0
    assert heads(pages) == []
    assert crowd.fill() >= 0.98 * at_first


def test_each_look_over_a_page_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look costs about a millisecond for a large page: however full it is, a 64th of it has been freed before."""
    looks = freed = 0
    look_over, give_back = Pages._look_over, Pages.give_back

    def counted_look(pages: Pages, length: int) -> bool:
        nonlocal looks
        found = look_over(pages, length)
        looks += found
        return found

    def counted_blocks(pages: Pages, block: int, length: int) -> None:
        nonlocal freed
        freed += length
        give_back(pages, block, length)

    pages = pages_of(4096, 4)
    crowd = Crowd(Entries(pages), SOME_LARGE, seed=6)
    crowd.fill()
    monkeypatch.setattr(Pages, "_look_over", counted_look)
    monkeypatch.setattr(Pages, "give_back", counted_blocks)
    for _ in range(5_000):
        while pages.free_blocks < 0.05 * 4 * 4096:
            crowd.go()
        crowd.come()
    assert 0 < looks <= freed / (4096 // 64)


def test_a_copy_is_its_own() -> None:
    pages = Pages(block_size=64, page_size=1024, memory=4096)
    taken = [pages.take(3) for _ in range(8)]
    size = pages.reserved_bytes
    pages.memory[:size] = b"x" * size
    copy = pages.copy()
    assert (copy.used_blocks, copy.free_blocks, bytes(copy.map)) == (24, pages.free_blocks, bytes(pages.map))
    assert taken[0] is not None
    copy.give_back(taken[0], 3)
    copy.memory[:size] = b"y" * size
    assert pages.used_blocks == 24 and pages.memory[:size] == b"x" * size
    free = copy.free_blocks
    assert sum(copy.take(1) is not None for _ in range(free)) == free, "what is free is found"
