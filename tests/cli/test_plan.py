"""`sojourn plan`: what it says of a change, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from pytest_regressions.file_regression import FileRegressionFixture

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, n: int, big: long, page: string, part: string}}
controller_text: |
  @Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);
profiles:
  - name: Visit
    type: 1
    gap: 10s
    begin_marker: VisitBegin
    end_marker: VisitEnd
    rules: visit.epl
    sub_sessions:
      - {name: Part, gap: 5s, rules_text: "@UpdateState select n as steps from Click;"}
"""
VISIT = """\
@UpdateState select n as total, big as large, page as last_page from Click;
@AppendState(name='pages', colname='page') select page from Click;
@UpdateMetadata select page as landing from Click(session.eventCount = 1);
@SubSession('Part') select part as _pk_ from Click;
"""
NEW_VISIT = """\
@UpdateState select big as total, cast(big, int) as large, n as last_page, page as title from Click;
@AppendState(name='pages', colname='page') select page from Click;
@SubSession('Stage') select part as _pk_ from Click;
"""
EVENTS = b'{"user":"a","at":1000,"n":1,"part":"p"}\n{"user":"b","at":2000,"page":"/x"}\n'


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tenant in the folder at work, by whose name everything is shown."""
    monkeypatch.chdir(tmp_path)
    return write("old", TENANT, VISIT)


@pytest.fixture
def new(old: Path) -> Path:
    """The same with other rules, another sub-session, another gap and one more profile."""
    yaml = TENANT.replace("name: Part", "name: Stage").replace("gap: 10s", "gap: 20s, max_active: 1h")
    yaml = yaml.replace("    gap: 20s, max_active: 1h", "    gap: 20s\n    max_active: 1h\n    keys: {id: visit}")
    return write("new", yaml + "  - {name: Day, type: 2, rules_text: ''}\n", NEW_VISIT)


def write(name: str, yaml: str, visit: str) -> Path:
    folder = Path(name)
    folder.mkdir()
    (folder / "sessionizer.yaml").write_text(yaml)
    (folder / "visit.epl").write_text(visit)
    return folder


def test_a_change(sojourn: Run, old: Path, new: Path, file_regression: FileRegressionFixture) -> None:
    result = sojourn("plan", old, new)
    assert result.exit_code == 1
    assert "\x1b[" not in result.output
    file_regression.check(result.output, basename="change", extension=".txt")


def test_a_change_for_machines(sojourn: Run, old: Path, new: Path, file_regression: FileRegressionFixture) -> None:
    result = sojourn("plan", old, new, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.output)["loses"] is True
    file_regression.check(result.output, basename="change", extension=".json")


def test_back_again(sojourn: Run, old: Path, new: Path, file_regression: FileRegressionFixture) -> None:
    """A profile that goes is told as well."""
    result = sojourn("plan", new, old)
    assert result.exit_code == 1
    file_regression.check(result.output, basename="back", extension=".txt")


def test_nothing_is_lost(sojourn: Run, old: Path) -> None:
    (old / "visit.epl").write_text(VISIT + "@UpdateCounter('views') select 1 from Click;\n")
    kept = write("before", TENANT, VISIT)
    result = sojourn("plan", kept, old)
    assert result.exit_code == 0
    assert "session.views  –       int    added" in result.output
    assert result.output.endswith("nothing is lost\n")


def test_a_snapshot_says_how_many(sojourn: Run, old: Path, new: Path) -> None:
    assert sojourn("replay", old, "-", "-q", "--snapshot", "open.snap", stdin=EVENTS).exit_code == 0
    result = sojourn("plan", "open.snap", new)
    assert result.exit_code == 1
    assert result.output.startswith("Visit, 2 open\n")
    assert sojourn("plan", "open.snap", old).exit_code == 0


def test_only_what_is_in_a_snapshot_can_be_lost(sojourn: Run, old: Path, new: Path) -> None:
    """Once every session has been written by the new rules, what the old ones had is no loss any more."""
    sojourn("replay", old, "-", "-q", "--snapshot", "open.snap", stdin=EVENTS)
    sojourn("replay", new, "-", "-q", "--resume", "open.snap", "--snapshot", "open.snap", stdin=EVENTS)
    result = sojourn("plan", "open.snap", new)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "nothing is lost")


def test_another_tenant(sojourn: Run, old: Path) -> None:
    other = write("other", TENANT.replace("tenant: clicks", "tenant: taps"), VISIT)
    result = sojourn("plan", old, other)
    assert result.exit_code == 1
    assert "its sessions are of tenant `clicks`, not of `taps`" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "old"], "Missing argument"),
        (["plan", "old", "nowhere"], "nowhere"),
        (["plan", "nowhere", "old"], "nowhere"),
        (["plan", "old/visit.epl", "old"], "old/visit.epl: it is no file of Sojourn's"),
        (["plan", "old", "old/visit.epl"], "name the folder that has sessionizer.yaml"),
    ],
)
def test_usage_errors(sojourn: Run, old: Path, arguments: list[str], message: str) -> None:
    result = sojourn(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_rules_with_mistakes_are_no_finding(sojourn: Run, old: Path) -> None:
    wrong = write("wrong", TENANT, VISIT.replace("n as total", "m as total"))
    result = sojourn("plan", old, wrong)
    assert result.exit_code == 2
    assert "error[E201]" in result.stderr
