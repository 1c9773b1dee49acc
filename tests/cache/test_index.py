"""The index against a dict of lists of blocks."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cache.index import Index

# Few hashes, so that they collide: as a whole, in the bits that choose the place, or in those that choose the segment.
HASHES = st.one_of(
    st.integers(0, 3),
    st.builds(lambda upper, lower: upper << 28 | lower, st.integers(0, 3), st.integers(0, 3)),
    st.builds(lambda high, low: high << 32 | low, st.integers(-2, 2), st.integers(0, 3)),
    st.integers(-(1 << 63), (1 << 63) - 1),
)
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["insert", "insert", "insert", "remove", "replace"]), HASHES, st.integers(0, 100)),
    max_size=200,
)


class Model:
    """Blocks by the lower 32 bits of the hash."""

    def __init__(self) -> None:
        self.blocks: defaultdict[int, list[int]] = defaultdict(list)

    def of(self, hashed: int) -> list[int]:
        return self.blocks[hashed & 0xFFFF_FFFF]

    def check(self, index: Index) -> None:
        """The index knows the same blocks, by hash and in all."""
        everything = [block for blocks in self.blocks.values() for block in blocks]
        assert len(index) == len(everything)
        assert sorted(index.blocks()) == sorted(everything)
        for hashed, blocks in self.blocks.items():
            assert found(index, hashed) == sorted(blocks)


def found(index: Index, hashed: int) -> list[int]:
    """All blocks of a hash."""
    blocks = index.all(hashed)
    assert index.find(hashed) in (blocks or [0])
    return sorted(blocks)


@given(st.sampled_from([0, 1, 5_000, 20_000]), OPERATIONS)
def test_against_a_dict(capacity: int, operations: list[tuple[str, int, int]]) -> None:
    index, model = Index(capacity), Model()
    for block, (operation, hashed, number) in enumerate(operations, 1):
        blocks = model.of(hashed)
        if operation == "insert":
            index.insert(hashed, block)
            blocks.append(block)
        elif blocks:
            other = blocks.pop(number % len(blocks))
            if operation == "remove":
                index.remove(hashed, other)
            else:
                index.replace(hashed, other, block)
                blocks.append(block)
        assert found(index, hashed) == sorted(blocks)
    model.check(index)


@pytest.mark.parametrize("capacity", [0, 30_000, 1_000_000])
def test_growth(capacity: int) -> None:
    """Through many segments, and back to nothing."""
    hashes = random.Random(2).sample(range(1 << 32), 40_000)
    index = Index(capacity)
    for block, hashed in enumerate(hashes, 1):
        index.insert(hashed, block)
    assert [index.find(hashed) for hashed in hashes] == list(range(1, len(hashes) + 1))
    assert sorted(index.blocks()) == list(range(1, len(hashes) + 1))
    for block, hashed in enumerate(hashes, 1):
        index.remove(hashed, block)
    assert len(index) == 0
    assert list(index.blocks()) == []
    assert not any(map(index.find, hashes))


def test_hashes_that_agree_in_their_upper_bits() -> None:
    """All in one segment, however often it is split."""
    index = Index()
    for block in range(1, 10_001):
        index.insert(block, block)
    assert [index.find(hashed) for hashed in range(1, 10_001)] == list(range(1, 10_001))
    assert index.find(0) == 0


def test_more_entries_of_one_hash_than_a_segment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody means to, but no key may be refused for its hash."""
    monkeypatch.setattr("runtime.cache.index._LARGEST", 256)
    index = Index()
    for block in range(1, 601):
        index.insert(7, block)
    index.insert(8, 9_999)
    assert found(index, 7) == list(range(1, 601))
    assert index.find(8) == 9_999
    for block in range(301, 601):
        index.remove(7, block)
    assert sorted(index.blocks()) == [*range(1, 301), 9_999]


@pytest.mark.parametrize("hashed", [0, 1, -1])
def test_what_is_not_there(hashed: int) -> None:
    index = Index()
    index.insert(0, 5)
    assert index.find(hashed ^ 1 << 31) == 0
    with pytest.raises(KeyError):
        index.remove(hashed, 6)
    with pytest.raises(KeyError):
        index.replace(hashed, 6, 7)
    assert len(index) == 1
    assert index.find(0) == 5


@pytest.mark.parametrize("count", [0, 10, 100_000])
def test_a_copy_is_its_own(count: int) -> None:
    index = Index()
    for block in range(1, count + 1):
        index.insert(hash(str(block)), block)
    copy = index.copy()
    assert len(copy) == count and sorted(copy.blocks()) == sorted(index.blocks())
    for block in range(1, count + 1, 2):
        copy.remove(hash(str(block)), block)
    for block in range(count + 1, count + 5_000):
        copy.insert(hash(str(block)), block)
    assert sorted(index.blocks()) == list(range(1, count + 1))
    assert all(block in copy.all(hash(str(block))) for block in range(count + 1, count + 5_000))
