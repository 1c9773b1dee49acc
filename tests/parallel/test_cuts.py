"""Where files are cut, and when they are not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from runtime.parallel.cuts import Cuts, Part, Piece, cut

SECOND_MS = 1000


def line(time_ms: int) -> bytes:
    return json.dumps({"at": time_ms, "padding": "x" * 100}).encode() + b"\n"


def written(path: Path, times_ms: Sequence[int]) -> str:
    text = b"".join(map(line, times_ms))
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return str(path)


def time_of(text: bytes) -> int | None:
    time_ms: int | None = json.loads(text)["at"] if text.startswith(b'{"at"') else None
    return time_ms


def first_line(name: str) -> bytes | None:
    with gzip.open(name) if name.endswith(".gz") else open(name, "rb") as file:
        return next(iter(file), None)


def cuts_of(sources: Sequence[str], parts: int, longest_pause_ms: int = 10 * SECOND_MS) -> Cuts:
    return cut(sources, parts, longest_pause_ms, time_of, first_line)


def text_of(part: Part) -> bytes:
    """The bytes of a part, put together."""
    found = b""
    for piece in part.pieces:
        data = Path(piece.name).read_bytes()
        found += data[piece.start : piece.end]
    return found


@pytest.fixture
def hour(tmp_path: Path) -> str:
    """An hour of events, two in each second."""
    return written(tmp_path / "hour.ndjson", [second * SECOND_MS for second in range(3600) for _ in range(2)])


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_a_file_is_cut_into_parts_of_about_one_size(hour: str, parts: int) -> None:
    cuts = cuts_of([hour], parts)
    assert len(cuts.parts) == parts
    texts = [text_of(part) for part in cuts.parts]
    assert b"".join(texts) == Path(hour).read_bytes()
    assert max(map(len, texts)) < 1.2 * min(map(len, texts))


def test_a_part_begins_later_than_all_before_it(hour: str) -> None:
    cuts = cuts_of([hour], 4)
    for before, part in pairwise(cuts.parts):
        times_ms = [time_of(each) for each in text_of(before).splitlines()]
        assert part.first_ms == time_of(text_of(part).splitlines()[0])
        assert part.first_ms is not None
        assert all(time_ms is not None and time_ms < part.first_ms for time_ms in times_ms)


def test_packed_files_are_cut_between_them(tmp_path: Path) -> None:
    days = [
        written(tmp_path / f"{day}.ndjson.gz", [day * 3600 * SECOND_MS + each for each in range(0, 3_600_000, 5000)])
        for day in range(4)
    ]
    assert [[piece.name for piece in part.pieces] for part in cuts_of(days, 2).parts] == [days[:2], days[2:]]


def test_a_cut_within_the_second_of_two_files(tmp_path: Path) -> None:
    first = written(tmp_path / "1.ndjson", [each * SECOND_MS for each in range(1000)])
    second = written(tmp_path / "2.ndjson", [each * SECOND_MS for each in range(1000, 4000)])
    before, behind = cuts_of([first, second], 2).parts
    assert before.pieces == (Piece(first), Piece(second, 0, behind.pieces[0].start))
    assert behind.pieces == (Piece(second, behind.pieces[0].start),)


def test_parts_too_short_for_a_session_to_end_are_none(hour: str) -> None:
    cuts = cuts_of([hour], 2, longest_pause_ms=1800 * SECOND_MS)
    assert len(cuts.parts) == 1
    assert cuts.why == "a part would span less than twice 30m, for which a session may be quiet"


def test_there_are_as_many_parts_as_sessions_leave_time_for(hour: str) -> None:
    cuts = cuts_of([hour], 8, longest_pause_ms=500 * SECOND_MS)
    assert len(cuts.parts) == 3
    assert cuts.why == "a part would span less than twice 500s, for which a session may be quiet"


def test_a_file_in_which_nothing_comes_later_is_not_cut(tmp_path: Path) -> None:
    source = written(tmp_path / "back.ndjson", range(9000, 0, -1))
    cuts = cuts_of([source], 2)
    assert len(cuts.parts) == 1
    assert cuts.why == "there are too few places with an event that is later than all before it"


def test_stdin_is_not_cut() -> None:
    assert cuts_of(["-"], 2).why == "stdin is no file that several processes can read"


def test_a_file_that_is_not_there_is_for_one_process_to_miss(tmp_path: Path) -> None:
    assert len(cuts_of([str(tmp_path / "nowhere.ndjson")], 2).parts) == 1


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path, hour: str) -> None:
    torn = tmp_path / "torn.ndjson"
    torn.write_bytes(Path(hour).read_bytes().replace(b'{"at": 19', b'{"no": 19'))
    read: Callable[[Part], bytes] = text_of
    assert b"".join(map(read, cuts_of([str(torn)], 2).parts)) == torn.read_bytes()
