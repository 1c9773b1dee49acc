"""`sojourn explain PROFILE EVENTS`: what each rule saw, what was written, and why sessions began and ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from pytest_regressions.file_regression import FileRegressionFixture

Run = Callable[..., Result]
FOLDER = Path(__file__).parent / "explained"
TENANT, EVENTS = FOLDER / "events_tenant", FOLDER / "events.ndjson"


def test_the_tree(sojourn: Run, file_regression: FileRegressionFixture) -> None:
    """Updates, splits, shadows, errors, routed rows, sub-sessions, passive events, markers, time: every step."""
    result = sojourn("explain", TENANT, EVENTS)
    assert result.exit_code == 0, result.output
    file_regression.check(result.stdout, fullpath=FOLDER / "events.txt")


def test_json_says_the_same(sojourn: Run) -> None:
    found = json.loads(sojourn("explain", TENANT, EVENTS, "--format", "json").stdout)
    fourth = next(each for each in found if each["line"] == 4)
    rules = {seen["rule"]: seen for step in fourth["steps"] if step["kind"] == "rules" for seen in step["rules"]}
    assert rules["fails"]["error"].startswith("RuleError")
    assert rules["large"]["matched"] and rules["tried"]["shadow"]
    assert rules["campaign"] == {
        "rule": "campaign",
        "matched": False,
        "shadow": False,
        "failed": "act = 'campaign'",
        "read": {"act": "odd"},
        "row": None,
        "error": None,
    }
    main = next(step for step in fourth["steps"] if step["kind"] == "rules" and step["of"] == "Visit")
    assert {"name": "session.large", "before": 1, "after": 2} in main["changes"]
    assert fourth["due"][0]["due_ms"] == 12_000, "its sub-session is due first"


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (("--event", "3"), [3]),
        (("--key", "b"), [2, None]),
        (("--limit", "2"), [1, 2]),
        (("--key", "nobody"), []),
    ],
)
def test_what_is_chosen(sojourn: Run, options: tuple[str, ...], lines: list[int | None]) -> None:
    found = json.loads(sojourn("explain", TENANT, EVENTS, "--format", "json", *options).stdout)
    assert [each["line"] for each in found] == lines


def test_the_engine_does_what_it_does_unwatched(sojourn: Run, project: Path, tmp_path: Path) -> None:
    """The sessions of a tenant end as in a replay, for the same reasons."""
    shop = project / "examples" / "shop"
    events = shop / "events.ndjson.gz"
    out = tmp_path / "out.ndjson"
    assert sojourn("replay", shop, events, "--out", out, "--quiet").exit_code == 0
    markers = [json.loads(line) for line in out.read_text().splitlines() if '"VisitEnd"' in line or '"CartEnd"' in line]
    users = {marker["_snid"][:7] for marker in markers if marker["_type"] == "VisitEnd"}
    user = sorted(users)[0]
    found = json.loads(sojourn("explain", shop, events, "--key", user, "--limit", "9999", "--format", "json").stdout)
    ended = [step["session"] for each in found for step in each["steps"] if step["kind"] == "ended"]
    expected = [marker["_snid"] for marker in markers if marker["_snid"].startswith(user)]
    assert ended == expected


def test_what_cannot_be_explained(sojourn: Run, tmp_path: Path) -> None:
    assert sojourn("explain", TENANT).exit_code == 2
    assert sojourn("explain", TENANT, EVENTS, "--code").exit_code == 2
    assert sojourn("explain", TENANT, tmp_path / "none.ndjson").exit_code == 2
    assert sojourn("explain", TENANT, EVENTS, "--time-field", "n").exit_code == 2
