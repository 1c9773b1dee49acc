"""`sojourn` itself, `lint`, `profiles` and `completion`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from runtime.cli import main

Run = Callable[..., Result]
CONTEXT = click.Context(main)
COMMANDS = main.list_commands(CONTEXT)


def test_version(sojourn: Run) -> None:
    assert sojourn("--version").output.startswith("sojourn ")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(sojourn: Run, name: str) -> None:
    result = sojourn(name, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"sojourn {name}" in result.output


def test_every_option_is_explained() -> None:
    for name in COMMANDS:
        command = main.get_command(CONTEXT, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"sojourn {command.name} {parameter.opts[0]}"


def test_a_command_loads_what_it_needs() -> None:
    script = """\
import sys
from runtime.cli import main
main(["replay", "--help"], standalone_mode=False)
print([name for name in sys.modules if name.startswith(("runtime.service", "epl.lint"))], file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"


def test_profiles(sojourn: Run) -> None:
    assert "PulsarSession" in sojourn("profiles").output
    shipped = {each["profile"]: each for each in json.loads(sojourn("profiles", "--format", "json").output)}
    pulsar = shipped["pulsar"]
    assert pulsar["sessions"] == [{"name": "PulsarSession", "gap": "30m", "sub_sessions": []}]
    assert (Path(sojourn("profiles", "--path", "pulsar").output.strip()) / "sessionizer.yaml").exists()
    assert sojourn("profiles", "--path", "nope").exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(sojourn: Run, shell: str) -> None:
    result = sojourn("completion", shell)
    assert result.exit_code == 0
    assert "_SOJOURN_COMPLETE" in result.output


def test_lint_finds_nothing_wrong(sojourn: Run, project: Path) -> None:
    result = sojourn("lint", project / "profiles", project / "examples")
    assert result.exit_code == 0, result.output
    assert "no problems" in result.output


def test_lint_a_file_with_its_own_schema(sojourn: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.epl"
    file.write_text("create schema E (n int);\nselect m from E;\nselect n from E(n = 'x');\n")
    result = sojourn("lint", file)
    assert result.exit_code == 1
    assert "rules.epl:2:8" in result.output
    assert "rules.epl:3:17" in result.output
    found = json.loads(sojourn("lint", file, "--format", "json").output)
    assert [(each["code"], each["line"], each["column"]) for each in found] == [("E201", 2, 8), ("E302", 3, 17)]


def test_lint_a_rule_file_of_a_tenant_checks_the_tenant(sojourn: Run, project: Path) -> None:
    assert sojourn("lint", project / "examples" / "shop" / "cart.epl").exit_code == 0


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_lint_of_nothing(sojourn: Run, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.mkdir()
    result = sojourn("lint", path)
    assert result.exit_code == 2
    assert str(path) in result.stderr
