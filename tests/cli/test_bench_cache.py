"""`sojourn bench cache`: what it says, never how much."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from runtime.cli import main

KEYS = {
    *("sessions", "hot", "bytes_per_session", "rss_bytes", "entry_bytes"),
    *("put_ns", "get_ns", "store_ns", "update_ns", "expire_ns", "evict_ns"),
    *("snapshot_mb_per_second", "restore_mb_per_second"),
}


def run(*options: str) -> str:
    done = CliRunner().invoke(main, ["bench", "cache", "--sessions", "3000", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_keys() -> None:
    found = json.loads(run("--hot", "100", "--compare", "--snapshot", "--format", "json"))
    assert set(found) == {*KEYS, "dicts"}
    assert found["sessions"] == found["dicts"]["sessions"] == 3000
    assert all(value > 0 for name, value in found.items() if name != "dicts")


def test_table() -> None:
    lines = run("--hot", "0").splitlines()
    assert lines[0] == "3,000 live sessions, up to 0 as objects"
    assert [line.split()[0] for line in lines[3:]] == [
        *("bytes", "resident", "put", "get", "store", "update", "expire", "evict"),
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--sessions", "0"], "0 is not in the range"),
        (["--block-size", "many"], "'many' is no size such as 64, 64KiB or 4MiB"),
        (["--block-size", "64", "--page-size", "8MiB"], "a page has at most 65,536 blocks"),
        (["--block-size", "8KiB", "--page-size", "4KiB"], "--block-size 8,192 is larger than --page-size 4,096"),
    ],
)
def test_options_that_cannot_be(options: list[str], problem: str) -> None:
    done = CliRunner().invoke(main, ["bench", "cache", *options])
    assert done.exit_code == 2
    assert problem in done.output
