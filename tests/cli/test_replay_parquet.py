"""`sojourn replay` of Parquet: what the same events give as NDJSON, and how it fails."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from itertools import islice, zip_longest
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from click.testing import Result

pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
pq = pytest.importorskip("pyarrow.parquet")

Run = Callable[..., Result]
Written = tuple[bytes, bytes, dict[str, Any]]
SHOP = Path(__file__).parents[2] / "examples" / "shop"


def differences(found: Written, expected: Written) -> list[object]:
    """The first line that differs in what was written and in the dead letters, and the summaries if these do."""
    differing: list[object] = []
    for mine, other in zip(found[:2], expected[:2], strict=True):
        lines = zip_longest(mine.splitlines(), other.splitlines())
        differing += islice(((one, two) for one, two in lines if one != two), 1)
    return differing + ([] if found[2] == expected[2] else [found[2], expected[2]])


def write(folder: Path, name: str, events: list[dict[str, Any]]) -> tuple[Path, Path]:
    """The same events as NDJSON and as Parquet. A table cannot tell a null from a field that is not there."""
    fields = sorted({key for event in events for key in event})
    table = pa.Table.from_pylist([{key: event.get(key) for key in fields} for event in events])
    lines = [{key: event[key] for key in fields if event.get(key) is not None} for event in events]
    (folder / f"{name}.ndjson").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    pq.write_table(table, folder / f"{name}.parquet", row_group_size=3000)
    return folder / f"{name}.ndjson", folder / f"{name}.parquet"


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Those of the shop; some of them no rule can read, or of a type that nobody has declared."""
    lines = gzip.decompress((SHOP / "events.ndjson.gz").read_bytes()).splitlines()[:8000]
    found = [json.loads(line) for line in lines]
    for place in range(50, 8000, 999):
        found[place]["_type"] = "Other"
    return found


@pytest.fixture
def both(tmp_path: Path, events: list[dict[str, Any]]) -> tuple[Path, Path]:
    return write(tmp_path, "events", events)


@pytest.fixture
def outputs(sojourn: Run, tmp_path: Path) -> Callable[..., list[Written]]:
    """What a replay of each file writes: events and markers, dead letters, and its summary."""

    def run(files: tuple[Path, ...], *options: object, profile: Path = SHOP) -> list[Written]:
        found = []
        for file in files:
            out, letters = tmp_path / "out", tmp_path / "letters"
            result = sojourn(
                "replay", profile, file, "--out", out, "--dead-letters", letters, "--format", "json", *options
            )
            assert result.exit_code == 0, result.output
            summary = json.loads(result.stdout)
            for measured in ("seconds", "events_per_second"):
                summary.pop(measured, None)
            told = letters.read_bytes().replace(str(file).encode(), b"FILE")
            found.append((out.read_bytes(), told, json.loads(json.dumps(summary).replace(str(file), "FILE"))))
        return found

    return run


@pytest.mark.parametrize("options", [[], ["--markers-only"], ["--now-field", "ts"]])
def test_the_same_as_of_ndjson(outputs: Any, both: tuple[Path, Path], options: list[str]) -> None:
    of_lines, of_rows = outputs(both, *options)
    assert not differences(of_rows, of_lines)
    assert of_lines[0].count(b"VisitEnd") > 100


def test_sorted(outputs: Any, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    shuffled = Random(7).sample(events, len(events))
    of_lines, of_rows = outputs(write(tmp_path, "shuffled", shuffled), "--sort")
    assert not differences(of_rows, of_lines)


def test_events_that_wait_for_their_turn(outputs: Any, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    """Also over a snapshot that some of them wait in."""
    patient = tmp_path / "patient"
    shutil.copytree(SHOP, patient)
    config = patient / "sessionizer.yaml"
    waits = "time: {domain: event, allowed_lateness: 60s, late: dead_letter}"
    config.write_text(config.read_text().replace("time: {domain: event}", waits))
    shuffled = sorted(events, key=lambda event: event["ts"] + Random(event["ts"]).randrange(90_000))
    first, rest = write(tmp_path, "first", shuffled[:4000]), write(tmp_path, "rest", shuffled[4000:])
    found = []
    for one, other in ((first[0], rest[0]), (first[1], rest[1]), (first[1], rest[0])):
        snapshot = tmp_path / "open.snap"
        before = outputs((one,), "--snapshot", snapshot, profile=patient)
        after = outputs((other,), "--resume", snapshot, profile=patient)
        found.append(before + after)
    of_lines, of_rows, of_both = found
    for place in (0, 1):
        assert not differences(of_rows[place], of_lines[place])
        assert not differences(of_both[place], of_lines[place])
    assert b'"late"' in of_lines[1][1]


def test_rows_that_are_no_events_are_dead_letters_as_their_lines_are(
    outputs: Any, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    """Prices as text: some are a number in text, which is no number either; the letters hold all of a row."""
    torn = [event | {"price": str(event["price"])} if "price" in event else event for event in events]
    of_lines, of_rows = outputs(write(tmp_path, "torn", torn), "--markers-only")
    assert not differences(of_rows, of_lines)
    letter = json.loads(of_rows[1].splitlines()[0])
    assert (letter["code"], letter["reason"]) == ("bad_type", "Expected `float | null`, got `str` - at `$.price`")
    assert json.loads(letter["raw"])["ua"].startswith("Mozilla")


def test_to_the_tenants_that_rows_name(sojourn: Run, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    for name in ("one", "two"):
        shutil.copytree(SHOP, tmp_path / "tenants" / name)
        config = tmp_path / "tenants" / name / "sessionizer.yaml"
        config.write_text(config.read_text().replace("tenant: shop", f"tenant: {name}"))
    named = [event | {"tenant": ("one", "two", "three")[place % 3]} for place, event in enumerate(events)]
    found = []
    for file in write(tmp_path, "named", named):
        out = tmp_path / f"out-{file.suffix}"
        assert sojourn("replay", tmp_path / "tenants", file, "--out", f"{out}/").exit_code == 0
        found.append([(each.name, each.read_bytes()) for each in sorted(out.iterdir())])
    assert [found[0] == found[1], len(found[0])] == [True, 2]


def test_one_stream_with_files_of_other_kinds(outputs: Any, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    for name, some in (("1", events[:3000]), ("2", events[3000:5000]), ("3", events[5000:])):
        write(tmp_path, name, some)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in ("1.parquet", "2.ndjson", "3.parquet"):
        (tmp_path / name).rename(mixed / name)
    (one, _) = write(tmp_path, "all", events)
    of_one, of_many = outputs((one, mixed))
    assert not differences((*of_many[:2], {}), (*of_one[:2], {}))


def test_explained(sojourn: Run, both: tuple[Path, Path], events: list[dict[str, Any]]) -> None:
    key = events[0]["user_id"]
    of_lines, of_rows = (sojourn("explain", SHOP, file, "--key", key).output for file in both)
    assert (of_rows == of_lines, key in of_rows) == (True, True)


def damaged(whole: bytes) -> bytes:
    return whole[:100] + bytes(len(whole) - 1000) + whole[-900:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: whole[:-100], "its Parquet data is cut off: the end is missing"),
        (lambda whole: whole[:4], "its Parquet data is damaged: "),
        (damaged, "its Parquet data is damaged: "),
        (lambda whole: whole[:-20] + b"x" * 12 + whole[-8:], "its Parquet data is damaged: "),
    ],
    ids=["cut off", "only the magic", "damaged", "damaged in its footer"],
)
def test_broken_files(sojourn: Run, both: tuple[Path, Path], change: Callable[[bytes], bytes], message: str) -> None:
    file = both[1]
    file.write_bytes(change(file.read_bytes()))
    result = sojourn("replay", SHOP, file)
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert f"{file}: {message}" in result.stderr


def test_columns_that_cannot_be_told_apart_or_named(sojourn: Run, tmp_path: Path) -> None:
    for names, message in ((["a", "a"], "two columns named 'a'"), (['say "a"'], "a column whose name has quotes")):
        pq.write_table(pa.Table.from_arrays([pa.array([1])] * len(names), names=names), tmp_path / "x.parquet")
        result = sojourn("replay", SHOP, tmp_path / "x.parquet")
        assert (result.exit_code, message in result.stderr) == (2, True), result.output


def test_from_a_pipe(sojourn: Run, both: tuple[Path, Path]) -> None:
    result = sojourn("replay", SHOP, "-", stdin=both[1].read_bytes())
    assert (result.exit_code, "stdin: it is Parquet, which is read by its name" in result.stderr) == (2, True)


def test_without_the_library(sojourn: Run, both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("runtime.parquet")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("runtime.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = sojourn("replay", SHOP, both[1])
    assert (result.exit_code, "pip install 'sojourn[parquet]'" in result.stderr) == (2, True), result.output


def test_no_rows(sojourn: Run, tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": pa.array([], pa.string())}), tmp_path / "none.parquet")
    result = sojourn("replay", SHOP, tmp_path / "none.parquet", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["events"]) == (0, {})
