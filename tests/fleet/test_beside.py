"""What parts have beside their sessions: numbers of lines, letters and ends, whether they are paused."""

from __future__ import annotations

from typing import Any

from runtime.fleet.beside import beside


def part(line: int = 0, letters: int = 0, ends: tuple[int, ...] = (), *, is_paused: bool = False) -> dict[str, Any]:
    """An old part of which so many lines have left, and sessions ended at these times."""
    return {
        "line": line,
        "letter": letters,
        "letter_counts": {"bad_json": letters} if letters else {},
        "is_paused": is_paused,
        "ends": [[at_ms, {"_snec": 1}] for at_ms in ends],
        "letters": [],
    }


def test_no_part_begins_with_a_number_that_another_has_had() -> None:
    new = beside([part(line=10, letters=2), part(line=7, letters=5)], 3, {})
    assert [(each["line"], each["letter"]) for each in new] == [(10, 5)] * 3


def test_letters_are_counted_once() -> None:
    new = beside([part(letters=2), part(letters=5), part(letters=1)], 2, {})
    assert [each["letter_counts"] for each in new] == [{"bad_json": 3}, {"bad_json": 5}]


def test_the_latest_ends_come_first_and_no_more_than_are_shown() -> None:
    (new,) = beside([part(ends=(90, 50, 10)), part(ends=tuple(range(200, 80, -1)))], 1, {})
    times = [at_ms for at_ms, _ in new["ends"]]
    assert len(times) == 100
    assert times == sorted(times, reverse=True)
    assert times[0] == 200


def test_where_one_is_paused_all_are() -> None:
    assert [each["is_paused"] for each in beside([part(), part(is_paused=True)], 3, {})] == [True] * 3


def test_who_reads_sources_knows_where_they_go_on() -> None:
    (new,) = beside([part()], 1, {"/var/log/events.ndjson": "1 2 3 4"})
    assert new["positions"] == {"/var/log/events.ndjson": "1 2 3 4"}
