"""`sojourn generate`: the command around the simulator."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli.generate import generate


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(generate, arguments)


def test_stdout_by_default() -> None:
    """Events on stdout, one line about them on stderr."""
    result = run("--events", "50")
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(events) == 50
    assert all(line.startswith('{"_type":"ShopEvent",') for line in result.stdout.splitlines())
    assert events[0]["ts"] == 1_767_600_000_000
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("50 shop events of up to 500 users to stdout: ")


def test_the_same_bytes_in_a_file(tmp_path: Path) -> None:
    """Plain, gzip and stdout hold the same."""
    for name in ("a.ndjson", "a.ndjson.gz"):
        assert run("app", "--events", "3000", "--out", str(tmp_path / name)).exit_code == 0
    plain = (tmp_path / "a.ndjson").read_bytes()
    assert plain == gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes())
    assert plain == run("app", "--events", "3000").stdout_bytes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ndjson", "a.ndjson.gz"]


@pytest.mark.parametrize(
    ("start", "start_ms"),
    [
        ("2026-01-05T08:00:00Z", 1_767_600_000_000),
        ("2026-01-05T09:00:00+01:00", 1_767_600_000_000),
        ("2026-01-05 08:00", 1_767_600_000_000),
        ("2026-01-05", 1_767_571_200_000),
    ],
)
def test_start(start: str, start_ms: int) -> None:
    """ISO 8601; UTC when no zone is named."""
    assert json.loads(run("pulsar", "--events", "1", "--start", start).stdout)["ct"] == start_ms


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "is not one of 'shop', 'app', 'pulsar'"),
        (["--events", "0"], "is not in the range"),
        (["--users", "0"], "is not in the range"),
        (["--hours", "0"], "is not in the range"),
        (["--start", "yesterday"], "'yesterday' is no time such as"),
        (["--start", "9999-12-31"], "is not between 1971 and 2199"),
        (["--out", "no/such/folder/x"], "its folder does not exist"),
    ],
)
def test_usage_errors(arguments: list[str], message: str) -> None:
    """Exit code 2 and a sentence."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_help_names_all_scenarios() -> None:
    """With examples that can be copied."""
    text = run("--help").stdout
    for words in ("shop    a web shop", "app     a phone app", "pulsar  a clickstream", "sojourn generate | head -3"):
        assert words in text
