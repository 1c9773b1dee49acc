"""What the front keeps of sources that go on at a position, until workers have it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runtime.fleet import journal as module
from runtime.fleet.journal import Journal
from runtime.service.intake import Answer
from runtime.service.log import StateDamaged
from runtime.service.records import Handed, Share


def handed(number: int, source: str = "file") -> Handed:
    """A batch with one part."""
    return Handed(source.encode(), number * 10, 0, [Share(0, number, 1, [b"{}" * 50], None, [])])


async def noted() -> None:
    """Returns when answers that have come are noted."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_process_after_a_crash_finds_what_was_handed_on(tmp_path: Path) -> None:
    before = Journal(tmp_path)
    for number in (1, 2):
        before.write(handed(number))
    before.write(handed(3, "other"))
    after = Journal(tmp_path)
    assert after.positions == {"file": 20, "other": 30}
    assert [each.shares[0].number for _, each in after.unfinished()] == [1, 2, 3]
    assert after.unfinished() == []


def test_a_batch_that_was_torn_was_not_handed_on(tmp_path: Path) -> None:
    before = Journal(tmp_path)
    for number in (1, 2):
        before.write(handed(number))
    before.close()
    (file,) = tmp_path.glob("*.log")
    file.write_bytes(file.read_bytes()[:-3])
    after = Journal(tmp_path)
    assert after.positions == {"file": 10}
    after.write(handed(3))
    assert [each.shares[0].number for _, each in Journal(tmp_path).unfinished()] == [1, 3]


def test_a_file_is_removed_when_all_of_it_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 300)

    async def write() -> None:
        journal = Journal(tmp_path)
        answers = []
        for number in range(1, 10):
            answers.append(asyncio.get_running_loop().create_future())
            journal.note([answers[-1]], journal.write(handed(number)))
        files = sorted(tmp_path.glob("*.log"))
        assert len(files) > 2
        for place in (1, 2, 3, 4, 5, 6):
            answers[place].set_result(Answer())
        await noted()
        await journal.sync()
        assert sorted(tmp_path.glob("*.log")) == files, "the first batch has no answer"
        answers[0].set_result(Answer())
        await noted()
        await journal.sync()
        left = sorted(tmp_path.glob("*.log"))
        assert left == files[-len(left) :] and len(left) < len(files)
        again = Journal(tmp_path)
        assert again.positions == {"file": 90}
        assert {8, 9} <= {each.shares[0].number for _, each in again.unfinished()}

    asyncio.run(write())


def test_a_journal_that_is_damaged_is_not_begun_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 300)
    journal = Journal(tmp_path)
    for number in range(1, 10):
        journal.write(handed(number))
    first = min(tmp_path.glob("*.log"))
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(StateDamaged, match=r"0000000001\.log"):
        Journal(tmp_path)
