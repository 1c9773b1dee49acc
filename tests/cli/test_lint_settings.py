"""Settings of `sojourn lint`: the command line over `sessionizer.yaml` over `sojourn.toml`, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main

RULES = """\
create schema E (a string, n int);
@UpdateCounter('c') select 1 from E(n = 1, n = 2);
@AppendState(name='l', colname='a') select a from E(a = 'x');
@DecorateEvent select session.c as c, session.l as l from E(not a = 'y');
"""
TENANT = """\
tenant: t
LINT
events: {E: {user: string, a: string, n: int}}
controller_text: |
  @Session('Main') select user as _pk_ from E(user = null);
profiles: [{name: Main, type: 1}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, two levels below that of a repository."""
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "teams" / "shop"
    inner.mkdir(parents=True)
    (inner / "rules.epl").write_text(RULES)
    monkeypatch.chdir(inner)
    return inner


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["lint", *arguments])


def codes(*arguments: str) -> list[str]:
    """The codes that are reported, of the working folder when no other is given."""
    return [each["code"] for each in json.loads(run("--format", "json", *arguments).output)]


@pytest.mark.parametrize("above", [0, 1, 2])
def test_toml_of_a_folder_above(above: int, folder: Path) -> None:
    (folder, *_), place = [folder], [folder, *folder.parents][above]
    (place / "sojourn.toml").write_text('[lint]\nselect = ["w7", "W810"]\nstrict = true\n')
    result = run("--format", "json")
    assert [each["code"] for each in json.loads(result.output)] == ["W702", "W810"]
    assert result.exit_code == 1


def test_the_nearest_one_holds(folder: Path) -> None:
    (folder.parent / "sojourn.toml").write_text('[lint]\nseverity = "error"\n')
    assert codes() == []
    (folder / "sojourn.toml").write_text('[lint]\nignore = ["W6"]\n')
    assert codes() == ["W702"]


def test_not_beyond_the_repository(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder.parent / "sojourn.toml").write_text('[lint]\nselect = ["W7"]\n')
    assert codes() == ["W601", "W702"]


def test_the_command_line_goes_first(folder: Path) -> None:
    (folder / "sojourn.toml").write_text('[lint]\nselect = ["W7"]\nseverity = "error"\nstrict = true\n')
    assert codes() == []
    assert codes("--severity", "warning") == ["W702"]
    assert codes("--severity", "warning", "--select", "W601") == ["W601"]
    assert run("--severity", "warning", "--no-strict").exit_code == 0
    assert run("--severity", "warning").exit_code == 1


def test_yaml_over_toml(folder: Path) -> None:
    (folder / "rules.epl").unlink()
    (folder / "sojourn.toml").write_text('[lint]\nselect = ["W7"]\nstrict = true\n')
    (folder / "sessionizer.yaml").write_text(TENANT.replace("LINT", "lint: {ignore: [W806]}"))
    assert codes() == []
    (folder / "sessionizer.yaml").write_text(TENANT.replace("LINT", "lint: {select: [W6], ignore: [W601]}"))
    assert codes() == ["W605"]
    assert run().exit_code == 1
    (folder / "sessionizer.yaml").write_text(TENANT.replace("LINT", "lint: {select: [W6], strict: false}"))
    assert run().exit_code == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[lint]\nselct = ['W6']\n", "2:1: E504 there is no key `selct` under `lint`"),
        ("[lint]\n\nselect = 'W6'\n", "3:1: E505 `select` wants a list of codes or beginnings of codes, such as"),
        ("[lint]\nstrict = 'true'\n", "2:1: E505 `strict` wants `true` or `false`, not `true`"),
        ("[lint]\nstrict = 1\n", "2:1: E505 `strict` wants `true` or `false`, not `1`"),
        ("[lint]\nseverity = 'info'\n", "2:1: E508 `severity` is one of `error`, `warning`, not `info`"),
        ("[lint]\nignore = ['W6', 'W66']\n", "2:1: E526 there is no code that begins with `W66`"),
        ("[lint]\nignore = ['e2']\n", "2:1: E527 errors cannot be ignored: `E2`"),
        ("# mine\n[lnt]\nstrict = true\n", "2:2: E504 there is no key `lnt` at the top"),
        ("[lint]\nselect = [['W6'], 3, 1979-05-27]\n", "2:1: E505 `select` wants a list of codes"),
        ("lint = 3\n", "1:1: E505 `lint` wants a mapping, not `3`"),
        ("[lint]\nselect = [\n", "E501 `sojourn.toml` cannot be read: it is not TOML: "),
        ("[lint]\nselect = W6\n", "2:10: E501 `sojourn.toml` cannot be read: it is not TOML: invalid value"),
    ],
)
def test_mistakes_in_toml(text: str, line: str, folder: Path) -> None:
    (folder / "sojourn.toml").write_text(text)
    result = run("--format", "compact", "--ignore", "W")
    assert result.exit_code == 1
    only = result.output.splitlines()[0]
    assert only.startswith("sojourn.toml:") and line in only


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("lint: {selct: [W6]}", "2:8: E504 there is no key `selct` under `lint`"),
        ("lint: {select: W6}", "2:16: E505 `select` wants a list of codes or beginnings of codes"),
        ('lint: {strict: "true"}', "2:16: E505 `strict` wants `true` or `false`"),
        ("lint: {select: [X1]}", "2:17: E526 there is no code that begins with `X1`"),
    ],
)
def test_mistakes_in_yaml(section: str, message: str, folder: Path) -> None:
    (folder / "rules.epl").unlink()
    (folder / "sessionizer.yaml").write_text(TENANT.replace("LINT", section))
    result = run("--format", "compact")
    assert result.exit_code == 1
    assert result.output.startswith(f"sessionizer.yaml:{message}")


def test_a_mistake_in_toml_counts_once(folder: Path) -> None:
    (folder / "sojourn.toml").write_text("[lint]\nselct = 1\n")
    (folder / "more.epl").write_text(RULES)
    assert codes("--ignore", "W") == ["E504"]
