"""The log: whole records or none, whatever the process died of and however full the disk is."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.service.log import Log, NotLogged, StateDamaged, log_file, read_log, torn_bytes
from runtime.service.records import Lines, Paused, Record, Rules, Taken, Tick, packed, unpacked

from .running import full_after


def records(path: Path) -> list[Record]:
    """All that are whole."""
    return [record for record, _ in read_log(path)]


def lines(count: int, position: str | int | None = None) -> Lines:
    """A record of so many lines."""
    given = [b'{"n": %d}\n\n' % number for number in range(count)]
    return Lines(line=1, letter=2, at_ms=3, source=packed("test"), first_line=4, lines=given, position=position)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    given = [lines(3, "here"), Tick(line=7, letter=0, at_ms=1 << 50, is_ready=False), Paused(True), Taken({"a": 5})]
    for record in given:
        log.append(record)
    assert records(log_file(log.folder, 1)) == given


def test_a_torn_record_is_none(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for record in (lines(1), lines(2)):
        log.append(record)
    path = log_file(tmp_path, 1)
    whole = path.read_bytes()
    (_, first), (_, second) = read_log(path)
    for size in range(8, len(whole)):
        path.write_bytes(whole[:size])
        assert records(path) == ([lines(1)] if size >= first else [])
        assert torn_bytes(path, first if size >= first else 0) == size - (first if size >= first else 8)
    assert second == len(whole)


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(lines(1))
    path = log_file(tmp_path, 1)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    assert records(path) == []


def test_a_file_of_something_else(tmp_path: Path) -> None:
    log_file(tmp_path, 1).write_bytes(b"something else")
    with pytest.raises(StateDamaged, match="no log that this version"):
        records(log_file(tmp_path, 1))


def test_the_next_run_goes_on(tmp_path: Path) -> None:
    for number in range(3):
        log = Log(tmp_path)
        log.append(lines(number))
        log.close()
    assert records(log_file(tmp_path, 1)) == [lines(0), lines(1), lines(2)]


def test_what_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(lines(1))
    size = log_file(tmp_path, 1).stat().st_size
    with full_after(size + 20):
        with pytest.raises(NotLogged, match="File too large"):
            log.append(lines(100))
        assert log.problem is not None
        assert log_file(tmp_path, 1).stat().st_size == size
    log.append(lines(2))
    assert log.problem is None
    assert records(log_file(tmp_path, 1)) == [lines(1), lines(2)]


def test_a_snapshot_makes_older_files_needless(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(lines(1))
    assert log.rotate() == 2
    log.append(lines(2))
    assert log.uncovered_bytes == sum(each.stat().st_size - 8 for each in tmp_path.glob("*.log"))
    (tmp_path / ".0000000001.snapshot.77.part").touch()
    assert sorted(each.name for each in log.covered()) == [".0000000001.snapshot.77.part", "0000000001.log"]
    assert log.uncovered_bytes == log_file(tmp_path, 2).stat().st_size - 8


def test_texts_of_any_kind() -> None:
    for text in ("", "ö", "\ud800", "file\udcff"):
        assert unpacked(packed(text)) == text


def test_each_file_begins_with_the_version_of_the_rules(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.version = 1
    log.append(Paused(True))
    with full_after(12), pytest.raises(OSError):
        log.rotate()
    log.version = 2
    assert log.rotate() == 2
    log.append(Paused(False))
    assert [records(log_file(tmp_path, number)) for number in (1, 2)] == [
        [Rules(1), Paused(True)],
        [Rules(2), Paused(False)],
    ]
    log.need(3)
    assert log.needs == {1: {1}, 2: {2, 3}}
    log.covered()
    assert log.needs == {2: {2, 3}}


def test_a_file_whose_beginning_is_torn_begins_again(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.version = 1
    log_file(tmp_path, 1).write_bytes(b"SOJLOG\n\x01")
    log.append(Paused(True))
    assert records(log_file(tmp_path, 1)) == [Rules(1), Paused(True)]
