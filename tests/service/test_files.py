"""Files that grow: finished by size and age, whole lines only, and a full disk loses nothing."""

from __future__ import annotations

from pathlib import Path

from runtime.config.service import FilesConfig
from runtime.service.files import RotatingFile

from .running import full_after

PLENTY = FilesConfig(1 << 30, 1 << 40)


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "new" / "out.ndjson", PLENTY)
    file.write([b"one", b"two"])
    assert (tmp_path / "new" / "out.ndjson").read_bytes() == b"one\ntwo\n"
    file.close()


def test_a_file_is_finished_by_size(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "out.ndjson", FilesConfig(10, 1 << 40))
    for number in range(10):
        file.write([b"line %d" % number])
    file.close()
    finished = sorted(tmp_path.glob("out-*.ndjson"))
    assert [each.read_bytes().count(b"\n") for each in finished] == [2] * 5
    assert b"".join(each.read_bytes() for each in finished) == b"".join(b"line %d\n" % n for n in range(10))


def test_a_file_is_finished_by_age(tmp_path: Path) -> None:
    now_ms = 0
    file = RotatingFile(tmp_path / "out.ndjson", FilesConfig(1 << 30, 1000), lambda: now_ms)
    file.write([b"one"])
    now_ms = 999
    file.tick()
    assert list(tmp_path.glob("out-*")) == []
    now_ms = 1000
    file.tick()
    assert [each.read_bytes() for each in tmp_path.glob("out-*")] == [b"one\n"]
    now_ms = 9000
    file.tick()
    assert len(list(tmp_path.glob("out-*"))) == 1, "an empty file is not finished"
    file.close()


def test_the_next_run_cuts_a_torn_line_off_and_knows_which_is_next(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    before = RotatingFile(path, PLENTY)
    assert before.resume(0) == 0
    before.write([b"one"])
    with path.open("ab") as file:
        file.write(b"tw")
    after = RotatingFile(path, PLENTY)
    assert after.resume(0) == 1
    after.write([b"two", b"three"])
    assert (after.taken, path.read_bytes()) == (3, b"one\ntwo\nthree\n")


def test_lines_are_counted_through_all_files(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    file = RotatingFile(path, FilesConfig(10, 1 << 40))
    for number in range(5):
        file.write([b"line %d" % number])
    file.close()
    for finished in tmp_path.glob("out-*.ndjson"):
        finished.unlink()  # somebody takes them away
    assert RotatingFile(path, PLENTY).resume(0) == 5


def test_who_dies_between_two_files_knows_the_number_of_the_second(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    RotatingFile(path, PLENTY).write([b"one"])
    (tmp_path / ".out.ndjson.first").write_text('{"first": 0, "following": 1}')
    assert RotatingFile(path, PLENTY).resume(0) == 1, "it died before it had another name"
    path.rename(tmp_path / "finished")
    assert RotatingFile(path, PLENTY).resume(0) == 1, "it died after that"


def test_lines_that_somebody_took_out_do_not_come_again_for_good(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    file = RotatingFile(path, PLENTY)
    file.write([b"one", b"two"])
    path.write_bytes(b"")
    again = RotatingFile(path, PLENTY)
    assert again.resume(2) == 2
    again.write([b"three"])
    assert RotatingFile(path, PLENTY).resume(0) == 3


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "out.ndjson", FilesConfig(1, 0))
    one, two, three, four = (word * 10 for word in (b"one ", b"two ", b"three ", b"four "))
    with full_after(60):
        file.write([one, two, three])
        assert not file.is_ready and "it cannot be written" in (file.health.problem or "")
        assert file.waiting_bytes == len(one + b"\n" + two + b"\n" + three + b"\n") - 60
        assert (file.taken, file.waiting_lines()) == (1, [two, three]), "half a line is none"
        file.write([four])
        file.tick()
        assert file.health.failures == 2
    file.tick()
    assert file.is_ready and file.waiting_bytes == 0
    file.close()
    written = b"".join(each.read_bytes() for each in sorted(tmp_path.glob("out*.ndjson")))
    assert written.splitlines() == [one, two, three, four]
