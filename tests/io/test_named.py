"""The files that names stand for, and their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.io import SourceError, files_named


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("day-10.csv", "day-2.csv", "day-2b.csv", "day-1/10.ndjson.gz", "day-1/9.ndjson.zst", "a[1].ndjson"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "logs"


def named(*names: str) -> list[str]:
    return [path.removeprefix("logs" + os.sep) for path in files_named(names)]


def test_a_pattern_in_the_order_in_which_people_count(logs: Path) -> None:
    assert named("logs/*.csv") == ["day-2.csv", "day-2b.csv", "day-10.csv"]


def test_names_in_their_own_order(logs: Path) -> None:
    assert named("logs/day-10.csv", "-", "logs/day-2*.csv") == ["day-10.csv", "-", "day-2.csv", "day-2b.csv"]


def test_a_folder_with_those_in_it(logs: Path) -> None:
    every = ["a[1].ndjson", "day-1/9.ndjson.zst", "day-1/10.ndjson.gz", "day-2.csv", "day-2b.csv", "day-10.csv"]
    assert named("logs") == every
    assert named("logs/**") == every


def test_a_folder_without_what_is_no_events(logs: Path) -> None:
    for name in (".day-3.csv", "_SUCCESS", "_temporary.csv", "README.md"):
        (logs / name).touch()
    (logs / "_old").mkdir()
    (logs / "_old" / "day-0.csv").touch()
    assert len(named("logs")) == 6


def test_a_file_whose_name_looks_like_a_pattern(logs: Path) -> None:
    assert named("logs/a[1].ndjson") == ["a[1].ndjson"]


def test_a_file_that_is_not_there_is_for_the_reader_to_tell() -> None:
    assert files_named(["none.ndjson"]) == ["none.ndjson"]


@pytest.mark.parametrize("name", ["logs/*.tsv", "logs/empty"])
def test_nothing_to_be_found(logs: Path, name: str) -> None:
    (logs / "empty").mkdir()
    with pytest.raises(SourceError, match=r"no file is named like this|no files of events in this folder") as caught:
        files_named([name])
    assert str(caught.value).startswith(f"{name}: ")
