"""`sojourn cache inspect`: what it says of a snapshot, and of files that are none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pytest_regressions.file_regression import FileRegressionFixture

from runtime.frames import new_file, read_frames

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, n: int, part: string}}
time: {domain: event, allowed_lateness: 5s}
controller_text: |
  @Session('Visit') select user as _pk_, at as _timestamp_ from Click;
  @Session('Day') select 'all' as _pk_, at as _timestamp_ from Click;
profiles:
  - {name: Day, type: 2, gap: 30m, rules_text: "@UpdateCounter('clicks') select 1 from Click;"}
  - name: Visit
    type: 1
    gap: 10s
    rules_text: |
      @UpdateState select cast(n, decimal) as exact, 'x' as x from Click(n > 0);
      @UpdateState select n as x from Click(n <= 0);
      @SubSession('Part') select part as _pk_ from Click;
    sub_sessions:
      - {name: Part, gap: 5s, rules_text: "@UpdateMetadata select n as step from Click;"}
"""


@pytest.fixture(scope="module", params=["", "cache: {hot: 0, page_size: 64KiB}\n"], ids=["hot", "cold"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shop's first events, and a folder for the snapshot after them."""
    example = Path(__file__).parents[2] / "examples" / "shop"
    folder = tmp_path_factory.mktemp("shop")
    for file in example.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    yaml = folder / "sessionizer.yaml"
    yaml.write_text(request.param + yaml.read_text())
    with gzip.open(example / "events.ndjson.gz") as lines:
        (folder / "first.ndjson").write_bytes(b"".join(islice(lines, 400)))
    return {"tenant": folder, "events": folder / "first.ndjson", "snapshot": folder / "open.snap"}


@pytest.fixture
def snapshot(sojourn: Run, shop: dict[str, Path]) -> Path:
    result = sojourn("replay", shop["tenant"], shop["events"], "-q", "--snapshot", shop["snapshot"])
    assert result.exit_code == 0, result.output
    return shop["snapshot"]


def test_figures(sojourn: Run, snapshot: Path, shop: dict[str, Path]) -> None:
    """As many are open as a replay that ends there has begun and not ended."""
    replayed = sojourn("replay", shop["tenant"], shop["events"], "--snapshot", snapshot, "--format", "json").stdout
    found = json.loads(sojourn("cache", "inspect", snapshot, "--format", "json").stdout)
    (visit,) = found["profiles"]
    counters = json.loads(replayed)["sessions"]["Visit"]
    are_open = counters["created"] - sum(counters["ended"].values())
    assert visit["open_sessions"] == json.loads(replayed)["open_sessions"] == are_open > 20
    sizes = visit["sizes"]
    assert sum(part["sessions"] for part in sizes["histogram"]) == are_open
    assert sizes["min"] <= sizes["median"] <= sizes["max"]
    assert sizes["histogram"][0]["from"] == sizes["min"]
    assert found["used_bytes"] + found["free_bytes"] == found["pages"] * found["page_size"]
    assert (visit["objects"] < are_open) == (found["pages"] > 0)
    last = json.loads(shop["events"].read_bytes().splitlines()[-1])
    assert found["clocks"] == [{"partition": 0, "now_ms": last["ts"], "events_waiting": 0}]


def test_sessions_by_name(sojourn: Run, snapshot: Path) -> None:
    listed = json.loads(sojourn("cache", "inspect", snapshot, "--limit", "1000", "--format", "json").stdout)
    assert len({each["key"] for each in listed}) == len(listed)
    with_cart = next(each for each in listed if each["sub_sessions"])
    result = sojourn("cache", "inspect", snapshot, "--key", with_cart["key"], "--profile", "Visit", "--format", "json")
    assert json.loads(result.stdout) == [with_cart]
    assert with_cart["id"] == f"{with_cart['key']}{with_cart['first_event_ms']:016x}"
    assert with_cart["expires_at_ms"] == with_cart["modified_ms"] + with_cart["gap_ms"]
    assert with_cart["metadata"].keys() <= {"landing", "campaign", "device", "country"}
    cart = with_cart["sub_sessions"][0]
    assert (cart["kind"], cart["metadata"]["visit_id"]) == ("Cart", with_cart["id"])


def test_the_text(sojourn: Run, snapshot: Path) -> None:
    result = sojourn("cache", "inspect", snapshot)
    assert "\x1b[" not in result.output
    assert "clock of partition 0  2026-01-05 08:" in result.output
    assert "\nVisit, 29 open sessions\n" in result.output
    assert len(sojourn("cache", "inspect", snapshot, "--limit", "3").output.splitlines()) == 4


# ---- what only some snapshots have


@pytest.fixture
def clicks(sojourn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A snapshot of two profiles, with an event that waits and attributes of strange types."""
    monkeypatch.chdir(tmp_path)
    Path("sessionizer.yaml").write_text(TENANT)
    events: list[dict[str, Any]] = [
        {"user": "a", "at": 1767600000000, "n": 7, "part": "p"},
        {"user": "b\u0007", "at": 1767600001000, "n": -1},
        {"user": "a", "at": 1767600006000, "n": 8},
    ]
    lines = "".join(f"{json.dumps(event)}\n" for event in events).encode()
    assert sojourn("replay", ".", "-", "-q", "--snapshot", "open.snap", stdin=lines).exit_code == 0
    return "open.snap"


def test_all_of_it(sojourn: Run, clicks: str, file_regression: FileRegressionFixture) -> None:
    shown = [sojourn("cache", "inspect", clicks, *more).output for more in ((), ("--key", "a"), ("--limit", "5"))]
    # The file also holds counters, of which there are more from time to time.
    shown[0] = shown[0].replace(f"{Path(clicks).stat().st_size:,} bytes", "some bytes")
    file_regression.check("\n".join(shown), basename="clicks", extension=".txt")


def test_one_profile(sojourn: Run, clicks: str) -> None:
    found = json.loads(sojourn("cache", "inspect", clicks, "--profile", "Day", "--format", "json").stdout)
    assert [each["name"] for each in found["profiles"]] == ["Day"]
    listed = sojourn("cache", "inspect", clicks, "--profile", "Day", "--limit", "9", "--format", "json").stdout
    assert [each["profile"] for each in json.loads(listed)] == ["Day"]


def test_nothing_is_open(sojourn: Run, clicks: str) -> None:
    sojourn("replay", ".", "-", "-q", "--snapshot", "empty.snap", stdin=b"")
    result = sojourn("cache", "inspect", "empty.snap")
    assert "Visit, 0 open sessions" in result.output
    assert "no event yet" in result.output
    assert sojourn("cache", "inspect", "empty.snap", "--limit", "1").output == "no open sessions\n"


def test_no_such_session(sojourn: Run, clicks: str) -> None:
    result = sojourn("cache", "inspect", clicks, "--key", "nobody")
    assert result.exit_code == 1
    assert result.stderr == "no open session of `nobody`\n"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-20], "it ends "),
        (lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:], "is damaged: its checksum is another"),
        (lambda data: data + b"more", "frames are missing"),
        (lambda data: data[:8] + b"\x63" + data[9:], "it is of format 99; this version of Sojourn reads format"),
        (lambda data: b'{"user": "a"}\n', "it is no file of Sojourn's"),
        (lambda data: b"", "it is no file of Sojourn's"),
    ],
)
def test_damaged_and_foreign_files(sojourn: Run, clicks: str, damage: Callable[[bytes], bytes], message: str) -> None:
    Path("bad.snap").write_bytes(damage(Path(clicks).read_bytes()))
    result = sojourn("cache", "inspect", "bad.snap")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: bad.snap: ")
    assert message in result.stderr


@pytest.mark.parametrize("most", [0, 1])
def test_a_whole_file_of_too_few_frames(sojourn: Run, clicks: str, most: int) -> None:
    with Path(clicks).open("rb") as file:
        frames = list(islice(read_frames(file), most))
    with new_file(Path("few.snap")) as writer:
        for kind, data in frames:
            writer.write(kind, data)
    result = sojourn("cache", "inspect", "few.snap")
    assert (result.exit_code, result.stderr) == (2, "Error: few.snap: frames are missing\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.snap"], "nowhere.snap: No such file or directory"),
        (["."], ".: Is a directory"),
        (["open.snap", "--profile", "Visits"], "there is no profile `Visits` in open.snap; there are: Day, Visit"),
        (["open.snap", "--limit", "0"], "0 is not in the range"),
    ],
)
def test_usage_errors(sojourn: Run, clicks: str, arguments: list[str], message: str) -> None:
    result = sojourn("cache", "inspect", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
