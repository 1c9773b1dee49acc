"""Which worker owns a key: fair shares, few moves, and the same answer in every process."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runtime.fleet.ring import Ring

workers = st.integers(1, 12)


@given(workers, st.lists(st.text() | st.binary(), min_size=1, max_size=4))
def test_with_one_worker_more_a_key_stays_or_goes_to_the_new_one(count: int, key: list[str | bytes]) -> None:
    assert Ring(count + 1).owner(*key) in (Ring(count).owner(*key), count)


@given(st.integers(2, 8), st.text(max_size=5))
def test_shares_are_fair(count: int, tenant: str) -> None:
    ring, keys = Ring(count), 4000
    shares = Counter(ring.owner(tenant, "Visit", f"user-{number}") for number in range(keys))
    assert all(0.7 <= shares[worker] * count / keys <= 1.3 for worker in range(count)), shares


def test_a_key_with_half_a_surrogate_pair_has_an_owner() -> None:
    assert Ring(3).owner("shop", "Visit", "\ud800") in range(3)


def test_another_process_says_the_same() -> None:
    asked = "from runtime.fleet.ring import Ring; print([Ring(5).owner('shop', str(n)) for n in range(50)])"
    folder = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert told.strip() == str([Ring(5).owner("shop", str(number)) for number in range(50)])
