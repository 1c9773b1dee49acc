"""`sojourn explain --code`: the Python of each rule set, readable, and the same that runs."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main

Run = Callable[..., Result]
FOLDER = Path(__file__).parent / "explained"
TENANTS = ["profiles/pulsar", "examples/shop", "examples/app-pings"]


def test_a_small_tenant(sojourn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`UPDATE_GOLDEN=1 pytest` writes the `.py.txt` file anew."""
    monkeypatch.chdir(FOLDER)
    result = sojourn("explain", "tenant", "--code")
    assert result.exit_code == 0, result.output
    golden = FOLDER / "tenant.py.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(result.stdout, encoding="utf-8")
    assert result.stdout == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("tenant", TENANTS)
def test_all_of_a_tenant_is_python(sojourn: Run, project: Path, tenant: str) -> None:
    result = sojourn("explain", project / tenant, "--code")
    assert result.exit_code == 0, result.output
    # Headings and legends are comments, so that the whole output is Python.
    functions = [node.name for node in ast.parse(result.stdout).body if isinstance(node, ast.FunctionDef)]
    assert functions and all(name.startswith("on_") for name in functions)
    for file in (project / tenant).glob("*.epl"):
        assert f"{file.name}: " in result.stdout


@pytest.mark.parametrize("tenant", [*TENANTS, FOLDER / "tenant"])
def test_every_name_is_explained(sojourn: Run, project: Path, tenant: str) -> None:
    for rule_set in json.loads(sojourn("explain", project / tenant, "--code", "--format", "json").stdout):
        names = set(re.findall(r"\b[A-Z][A-Z_a-z]*_\d+\b", re.sub(r"#.*", "", rule_set["python"])))
        assert names <= set(rule_set["names"])
        assert all(rule_set["names"].values())


def test_every_statement_has_its_comment(sojourn: Run, project: Path) -> None:
    (visit,) = json.loads(
        sojourn("explain", project / "examples/shop", "--code", "--rules", "visit", "--format", "json").stdout
    )
    assert (visit["kind"], visit["name"], visit["event_types"]) == ("profile", "Visit", ["ShopEvent", "VisitEnd"])
    statements = set(re.findall(r"m\[(\d+)\]", visit["python"]))
    comments = set(re.findall(r"# visit\.epl:(\d+) ", visit["python"]))
    assert len(comments) == len(statements) > 10


def test_one_rule_set(sojourn: Run, project: Path) -> None:
    output = sojourn("explain", project / "examples/shop", "--code", "--rules", "CART").stdout
    assert "sub-session Cart" in output
    assert "visit.epl: " not in output
    result = sojourn("explain", project / "examples/shop", "--code", "--rules", "nothing")
    assert result.exit_code == 2
    assert "no rule set has `nothing`" in result.stderr
    assert "profile Visit" in result.stderr


def test_what_to_show_must_be_said(sojourn: Run) -> None:
    result = sojourn("explain", "pulsar")
    assert result.exit_code == 2
    assert "--code" in result.stderr


def test_a_shipped_profile_goes_by_its_name(sojourn: Run) -> None:
    assert "# session.epl:3 visitor\n" in sojourn("explain", "pulsar", "--code").stdout


def test_problems_of_rules_are_shown(sojourn: Run, tmp_path: Path) -> None:
    (tmp_path / "sessionizer.yaml").write_text(
        "tenant: t\nevents:\n  E: {s: string}\ncontroller_text: |\n  @Session('A') select t as _pk_ from E;\n"
        "profiles: [{name: A, type: 1}]\n"
    )
    result = sojourn("explain", tmp_path, "--code")
    assert result.exit_code == 1
    assert "E201" in result.stderr
    assert not result.stdout


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    arguments = ["explain", "pulsar", "--code"]
    plain = CliRunner().invoke(main, arguments).stdout
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    assert "\x1b[" in CliRunner().invoke(main, arguments).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    without = re.sub(r"\x1b\[[0-9;]*m", "", CliRunner().invoke(main, arguments).stdout)
    assert "def on_PulsarEvent(e, s, p, now, fx):" in without
