"""How far a partition is committed: what was taken, or a gap before it."""

from __future__ import annotations

from runtime.service.commits import Commits


def test_without_a_gap_what_was_taken() -> None:
    commits = Commits(0)
    assert commits.due is None
    commits.taken(10, 1_000)
    assert commits.due == 10
    commits.committed = 10
    assert commits.due is None


def test_with_a_gap_what_is_older() -> None:
    commits = Commits(60_000)
    for minute in range(5):
        commits.taken(10 * (minute + 1), 60_000 * minute)
    assert commits.due == 40
    commits.taken(51, 60_000 * 4 + 59_999)
    assert commits.due == 40


def test_before_the_gap_is_full_nothing_is_committed() -> None:
    commits = Commits(60_000)
    commits.taken(10, 5_000_000)
    commits.taken(20, 5_059_999)
    assert commits.due is None


def test_times_that_go_back_do_not_take_it_back() -> None:
    commits = Commits(1_000)
    commits.taken(10, 10_000)
    commits.taken(20, 11_000)
    assert commits.due == 10
    commits.taken(30, 2_000)
    assert commits.due == 10


def test_a_long_gap_is_kept_to_a_thousandth() -> None:
    commits = Commits(86_400_000)
    for second in range(0, 3 * 86_400, 10):
        commits.taken(second, second * 1_000)
    due = commits.due
    assert due is not None
    assert 0 <= 2 * 86_400 - 10 - due < 100
