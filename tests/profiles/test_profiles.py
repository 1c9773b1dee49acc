"""Everything that ships as a profile or an example is sound: its rules compile without a word of complaint."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from epl import parse
from epl.ast import Select, Statement, Update
from runtime.cli.generate import generate
from runtime.config import find_tenants, load_tenant
from runtime.io import MemorySink
from runtime.replay import Replay
from runtime.rules import TenantChecker, compile_tenant

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    path
    for name in ("profiles", "examples")
    for path in (ROOT / name).iterdir()
    if path.is_dir() and path.name != "deploy"  # where services run, not what they run
)


def events_of(folder: Path) -> Path:
    """The recorded events of a folder; there may be none."""
    packed = folder / "events.ndjson.gz"
    return packed if packed.exists() else folder / "events.ndjson"


STORIES = [folder for folder in FOLDERS if events_of(folder).exists()]
GENERATED = [folder for folder in STORIES if "sojourn generate " in (folder / "README.md").read_text(encoding="utf-8")]


def test_there_are_some() -> None:
    """And each folder is a tenant's."""
    assert {"pulsar", "shop", "app-pings"} <= {folder.name for folder in FOLDERS}
    for folder in FOLDERS:
        assert find_tenants(folder) == [folder]
        assert (folder / "README.md").exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_diagnostics(folder: Path) -> None:
    """Neither errors nor warnings."""
    checker = TenantChecker(load_tenant(folder))
    assert [str(found) for found in checker.diagnostics] == []
    checker.compile()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_rules_have_names(folder: Path) -> None:
    """Each rule has a name, and no two of one file the same: reports name rules by it."""
    config = load_tenant(folder)
    files = [config.controller]
    for profile in config.profiles:
        files += [profile.rules, *(sub.rules for sub in profile.sub_sessions)]
    for file in files:
        rules = [each for each in parse(file).statements if isinstance(each, Select | Update)]
        names = [names_of(rule) for rule in rules]
        assert all(len(found) == 1 for found in names), file.name
        assert len({found[0] for found in names}) == len(names), file.name


def names_of(rule: Statement) -> list[object]:
    """The values of a statement's @Name annotations."""
    return [annotation.arguments[0].value for annotation in rule.annotations if annotation.name == "Name"]


@pytest.mark.parametrize("folder", GENERATED, ids=lambda folder: folder.name)
def test_events_are_reproducible(folder: Path, tmp_path: Path) -> None:
    """The command in the README makes the events that lie beside it."""
    command = next(line for line in readme(folder) if line.startswith("sojourn generate "))
    words = shlex.split(command)
    assert words[-2] == "--out"
    assert ROOT / words[-1] == events_of(folder)
    out = tmp_path / events_of(folder).name
    result = CliRunner().invoke(generate, [*words[2:-1], str(out)])
    assert result.exit_code == 0, result.output
    assert text_of(out) == text_of(events_of(folder))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_output_in_the_readme_is_real(folder: Path) -> None:
    """Each line of JSON that it shows is one of the output's, perhaps without some of its fields."""
    sink = MemorySink()
    Replay(compile_tenant(load_tenant(folder)), sink).run([str(events_of(folder))])
    sent = [json.loads(line) for line in sink.lines]
    shown = [json.loads(line) for line in readme(folder) if line.startswith("{")]
    assert shown or folder.name not in ("shop", "app-pings")
    for line in shown:
        assert any(line.items() <= other.items() for other in sent), line


def readme(folder: Path) -> list[str]:
    """The lines of a folder's README."""
    return (folder / "README.md").read_text(encoding="utf-8").splitlines()


def text_of(path: Path) -> bytes:
    """What a file holds, compressed or not: how gzip packs it depends on its version."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
