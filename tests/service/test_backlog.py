"""Lines that wait keep their numbers, also where others between them are not wanted."""

from __future__ import annotations

from runtime.service.backlog import Backlog


def test_lines_are_numbered_from_where_it_resumes() -> None:
    backlog = Backlog()
    backlog.next_number = 7
    backlog.add([b"a", b"bb", b"c"])
    assert (backlog.taken, backlog.next_number, backlog.size) == (7, 10, 7)
    backlog.drop(2)
    assert (backlog.taken, backlog.waiting(), backlog.size) == (9, [b"c"], 2)
    backlog.drop(1)
    assert (backlog.taken, backlog.waiting(), backlog.size) == (10, [], 0)


def test_lines_that_are_not_wanted_count() -> None:
    backlog = Backlog(lambda line: line.startswith(b"end"))
    backlog.add([b"a", b"b"])
    assert backlog.taken == 2
    backlog.add([b"end 1", b"c", b"end 2", b"d"])
    assert (backlog.taken, list(backlog.lines)) == (2, [b"end 1", b"end 2"])
    assert backlog.waiting() == [b"end 1", b"", b"end 2", b""]
    backlog.drop(1)
    assert backlog.taken == 4
    backlog.drop(1)
    assert backlog.taken == 6
