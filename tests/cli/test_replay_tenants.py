"""`sojourn replay` of a folder of several tenants: whose an event is, what each sends, and what nobody takes.

`tenants/` holds two tenants, events of both and of others, and in `expected/` what must leave: a file a tenant, and the
dead letters. `--force-regen` writes these.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from pytest_regressions.file_regression import FileRegressionFixture

from runtime.engine import Engine

Run = Callable[..., Result]
TENANTS = Path(__file__).parent / "tenants"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tenants in the working folder, as a user has them."""
    shutil.copytree(TENANTS, tmp_path / "tenants")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_leaves(sojourn: Run, folder: Path, file_regression: FileRegressionFixture) -> None:
    result = sojourn("replay", "tenants", "tenants/events.ndjson", "--out", "out/", "--dead-letters", "dead.ndjson")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (folder / "out").iterdir()} == {"app.ndjson", "shop.ndjson"}
    for path in (folder / "out" / "app.ndjson", folder / "out" / "shop.ndjson", folder / "dead.ndjson"):
        file_regression.check(path.read_text(), fullpath=TENANTS / "expected" / path.name)


@pytest.mark.parametrize("tenant", ["app", "shop"])
def test_each_as_if_it_were_alone(sojourn: Run, folder: Path, tenant: str) -> None:
    lines = (TENANTS / "events.ndjson").read_bytes().splitlines(keepends=True)
    own = b"".join(line for line in lines if f'"tenant":"{tenant}"'.encode() in line)
    alone = sojourn("replay", f"tenants/{tenant}", "-", "--out", "-", "--quiet", stdin=own).stdout
    assert alone == (TENANTS / "expected" / f"{tenant}.ndjson").read_text()


def test_one_file_for_all(sojourn: Run, folder: Path) -> None:
    result = sojourn("replay", "tenants", "tenants/events.ndjson", "--out", "-")
    each = [(TENANTS / "expected" / f"{name}.ndjson").read_text().splitlines() for name in ("app", "shop")]
    assert sorted(result.stdout.splitlines()) == sorted([*each[0], *each[1]])
    assert "2 tenants" in result.stderr


def test_summary(sojourn: Run, folder: Path) -> None:
    result = sojourn("replay", "tenants", "tenants/events.ndjson", "--dead-letters", "dead letters.ndjson")
    for shown in ("2 tenants: ", "shop", "app", "events refused", "sojourn dlq show 'dead letters.ndjson'"):
        assert shown in result.stdout
    assert "there is no tenant `nobody`" in result.stdout
    assert "\x1b[" not in result.stdout


def test_summary_as_json(sojourn: Run, folder: Path) -> None:
    summary = json.loads(sojourn("replay", "tenants", "tenants/events.ndjson", "--format", "json").stdout)
    assert summary["refused"] == {"unknown_tenant": 3, "bad_json": 1}
    assert summary["tenants"]["app"]["refused"] == {"throttled": 1, "unknown_type": 1}
    assert summary["tenants"]["shop"]["refused"] == {"bad_type": 1, "too_long": 1}
    assert summary["tenants"]["shop"]["sessions"]["Visit"]["created"] == 1
    assert summary["disabled"] == []


def test_another_field(sojourn: Run, folder: Path) -> None:
    event = b'{"site-id":"app","device":"x","at":1}\n'
    arguments = ("replay", "tenants", "-", "--tenant-field", "site-id", "--format", "json")
    summary = json.loads(sojourn(*arguments, stdin=event).stdout)
    assert summary["tenants"]["app"]["events"] == {"ok": 1}


def test_csv(sojourn: Run, folder: Path) -> None:
    (folder / "events.csv").write_text("tenant,user,device,at,price\nshop,a,,1000,5\napp,,x,2000,\n")
    result = sojourn("replay", "tenants", "events.csv", "--format", "json")
    summary = json.loads(result.stdout)
    assert [summary["tenants"][name]["events"] for name in ("app", "shop")] == [{"ok": 1}, {"ok": 1}]


def test_a_defect_of_one(sojourn: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on, its events are dead letters, and the exit code tells."""
    process = Engine._process

    def broken(self: Engine, *arguments: object) -> None:
        if self.rules.config.tenant == "shop":
            raise OSError("what a defect")
        process(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_process", broken)
    result = sojourn("replay", "tenants", "tenants/events.ndjson", "--out", "out/", "--dead-letters", "dead.ndjson")
    assert result.exit_code == 1
    assert "shop: the tenant is switched off after a defect of Sojourn: OSError: what a defect" in result.stdout
    assert (folder / "out" / "app.ndjson").read_text() == (TENANTS / "expected" / "app.ndjson").read_text()
    letters = [json.loads(line) for line in (folder / "dead.ndjson").read_bytes().splitlines()]
    assert [each["line"] for each in letters if each["code"] == "disabled"] == [1, 4, 7, 17]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tenants", "-", "--sort"], "--sort is for one tenant"),
        (["tenants/shop", "-", "--tenant-field", "t"], "--tenant-field is for a folder of several tenants"),
        (["tenants", "-", "--now-field", "user"], "tenant `shop`: `Click.user` is string; a clock is a long"),
        (["tenants", "no-such-file"], "no-such-file"),
        (["twice", "-"], "are both called `shop`"),
    ],
)
def test_usage_errors(sojourn: Run, folder: Path, arguments: list[str], message: str) -> None:
    for name in ("a", "b"):
        shutil.copytree(TENANTS / "shop", folder / "twice" / name)
    result = sojourn("replay", *arguments, stdin=b"")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_problems_of_all_tenants_at_once(sojourn: Run, folder: Path) -> None:
    for name, word in (("shop", "price >"), ("app", "eventCount")):
        path = folder / "tenants" / name / "sessionizer.yaml"
        path.write_text(path.read_text().replace(word, f"x{word}"))
    result = sojourn("replay", "tenants", "-", stdin=b"")
    assert result.exit_code == 1
    assert "shop/sessionizer.yaml" in result.stderr
    assert "app/sessionizer.yaml" in result.stderr


def test_refused_after_sorting_keeps_its_line(sojourn: Run, folder: Path) -> None:
    """One tenant, out of order: what the engine itself refuses is told with the line that it had."""
    events = b"".join(b'{"device":"x","at":%d}\n' % at for at in (1900, 1100, 1300, 1200))
    unknown = b'{"_type":"Tap","at":5}\n'
    sojourn("replay", "tenants/app", "-", "--sort", "--dead-letters", "dead.ndjson", stdin=events + unknown)
    letters = [json.loads(line) for line in (folder / "dead.ndjson").read_bytes().splitlines()]
    assert sorted((each["line"], each["code"]) for each in letters) == [(1, "throttled"), (5, "unknown_type")]
