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


def loaded_by(*arguments: object) -> set[str]:
    """The modules that a command has loaded when it has ended, in a process of its own."""
    script = """\
import sys
from runtime.cli import main
main(standalone_mode=False)
print(*sys.modules, file=sys.stderr)
"""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split())


def under(modules: set[str], *names: str) -> list[str]:
    """Those that are one of the names, or below one."""
    return sorted(each for each in modules if any(f"{each}.".startswith(f"{name}.") for name in names))


def test_a_replay_for_a_machine_loads_what_it_needs(project: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text('{"_type": "ShopEvent", "user_id": "u1", "ts": 1767600000000, "et": "view"}\n')
    modules = loaded_by("replay", project / "examples/shop", events, "--out", tmp_path / "out", "--format", "json")
    assert "runtime.engine" in modules
    assert not under(modules, "rich", "epl.lint", "multiprocessing", "runtime.service", "runtime.parallel")
    assert not under(modules, "runtime.config.service", "runtime.config.connectors", "runtime.parquet", "pyarrow")


def test_a_summary_loads_no_progress_bar_where_there_is_no_terminal(project: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text("")
    modules = loaded_by("replay", project / "examples/shop", events)
    assert "rich.console" in modules
    assert not under(modules, "rich.progress", "rich.logging", "runtime.service")


def test_lint_loads_what_it_needs(project: Path) -> None:
    modules = loaded_by("lint", project / "examples/shop")
    assert "epl.lint" in modules
    assert not under(modules, "pygments", "runtime.service", "runtime.engine", "runtime.config.service")


def test_the_version_loads_no_rules(project: Path) -> None:
    assert not under(loaded_by("--version"), "epl", "rich", "lark", "yaml")


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
