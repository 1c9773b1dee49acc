"""Versions of a tenant's rules: what is kept is what ran, and it can be loaded when the folder has moved on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.config import find_tenants, load_tenant
from runtime.engine import Engine
from runtime.lint import lint
from runtime.output import LineOutput
from runtime.presets import presets
from runtime.rules import TenantRules, compile_tenant
from runtime.service.versions import VersionError, Versions

YAML = """\
tenant: shop
events: {Click: {user: string, page: string}}
controller: controller.epl
profiles: [{name: Visit, type: 1, gap: 10s, begin_marker: Begin, end_marker: End, rules: rules/visit.epl}]
"""
CONTROLLER = "@Session('Visit') select user as _pk_ from Click(user is not null);\n"
RULES = "@Name('pages') @UpdateCounter('pages') select 1 from Click;\n"
EVENTS = [b'{"user":"ann","page":"/home"}', b'{"user":"ann","page":"/cart"}']


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    """A tenant's folder."""
    folder = tmp_path / "tenants" / "shop"
    (folder / "rules").mkdir(parents=True)
    (folder / "sessionizer.yaml").write_text(YAML)
    (folder / "controller.epl").write_text(CONTROLLER)
    (folder / "rules" / "visit.epl").write_text(RULES)
    return folder


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """No versions yet."""
    return Versions(tmp_path / "state", "shop", 3)


def outcome(rules: TenantRules) -> list[bytes]:
    """What the rules make of the events."""
    output = LineOutput()
    engine = Engine(rules, output)
    engine.process(EVENTS, 1_000)
    engine.drain()
    return output.take()


def test_a_version_is_what_it_was(tenant: Path, versions: Versions) -> None:
    before = compile_tenant(load_tenant(tenant))
    number = versions.add(before.config, 7)
    (tenant / "rules" / "visit.epl").unlink()
    (tenant / "controller.epl").write_text("nothing of the kind")
    loaded = versions.load(number)
    assert outcome(loaded) == outcome(before)
    assert loaded.config.source == before.config.source
    assert loaded.profiles[0].compiled.program.source == before.profiles[0].compiled.program.source
    assert (versions.numbers(), versions.about(number).made_ms) == ([1], 7)


def test_the_same_content_is_the_same_version(tenant: Path, versions: Versions) -> None:
    assert [versions.add(load_tenant(tenant), 0) for _ in range(2)] == [1, 1]
    (tenant / "rules" / "visit.epl").write_text(RULES + "// more\n")
    assert versions.add(load_tenant(tenant), 0) == 2
    (tenant / "rules" / "visit.epl").write_text(RULES)
    assert versions.add(load_tenant(tenant), 0) == 3, "only the newest is looked at: what ran when stays in order"


def test_the_last_ones_are_kept_and_those_in_use(tenant: Path, versions: Versions) -> None:
    versions.pin("running", 1)
    for number in range(1, 7):
        (tenant / "controller.epl").write_text(f"{CONTROLLER}// {number}\n")
        assert versions.add(load_tenant(tenant), 0) == number
    assert versions.numbers() == [1, 4, 5, 6]


def test_rule_files_from_elsewhere(tenant: Path, versions: Versions, tmp_path: Path) -> None:
    common = tmp_path / "tenants" / "common.epl"
    common.write_text(RULES)
    for name in ("../common.epl", str(common), "./rules/../../common.epl"):
        (tenant / "sessionizer.yaml").write_text(YAML.replace("rules/visit.epl", name))
        before = compile_tenant(load_tenant(tenant))
        number = versions.add(before.config, 0)
        common.write_text("something else")
        assert outcome(versions.load(number)) == outcome(before)
        common.write_text(RULES)


def test_a_yaml_of_another_name_and_rules_within_it(tmp_path: Path, versions: Versions) -> None:
    yaml = tmp_path / "other.yaml"
    text = YAML.replace("controller: controller.epl", f"controller_text: |\n  {CONTROLLER}")
    yaml.write_text(text.replace("rules: rules/visit.epl", "rules_text: ''"))
    before = compile_tenant(load_tenant(yaml))
    loaded = versions.load(versions.add(before.config, 0))
    assert outcome(loaded) == outcome(before)
    assert loaded.controller.program.source == before.controller.program.source


FUNCTION = """\
from epl.extend import function
from {helper} import GREETING

@function(examples={{"greet('ann')": GREETING + "ann"}})
def greet(name: str) -> str:
    \"\"\"Greets.\"\"\"
    return GREETING + name
"""


@pytest.mark.parametrize("helper", ["words", "words.greetings"])
def test_modules_are_kept_with_what_they_import(helper: str, tenant: Path, versions: Versions) -> None:
    (tenant / "functions.py").write_text(FUNCTION.format(helper=helper))
    file = tenant / f"{helper.replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text("GREETING = 'hello '\n")
    (tenant / "sessionizer.yaml").write_text(f"{YAML}imports: [functions]\n")
    (tenant / "controller.epl").write_text(CONTROLLER.replace("user as", "greet(user) as"))
    before = compile_tenant(load_tenant(tenant))
    number = versions.add(before.config, 0)
    file.write_text("GREETING = 'good bye '\n")
    assert outcome(versions.load(number)) == outcome(before)
    assert versions.add(load_tenant(tenant), 0) == number + 1, "a module counts as content"


@pytest.mark.parametrize("name", sorted(presets()))
def test_shipped_profiles(name: str, versions: Versions) -> None:
    before = compile_tenant(load_tenant(presets()[name]))
    number = versions.add(before.config, 0)
    loaded = versions.load(number)
    assert [each.program.source for each in loaded.programs()] == [each.program.source for each in before.programs()]
    assert find_tenants(versions.folder / str(number)), "it is a tenant's folder"
    assert not lint([versions.folder / str(number)]).errors


def test_matches_go_on_under_another_folder(tenant: Path, versions: Versions) -> None:
    before = compile_tenant(load_tenant(tenant))
    outcome(before)
    loaded = versions.load(versions.add(before.config, 0))
    loaded.add_matches(before.matches())
    assert loaded.matches() == before.matches()
    assert before.matches()[1][::2] == ("rules/visit.epl", 2)


def test_a_version_that_is_not_there(versions: Versions) -> None:
    with pytest.raises(VersionError, match="there is no version 7"):
        versions.load(7)


def test_a_version_that_was_damaged(tenant: Path, versions: Versions) -> None:
    number = versions.add(load_tenant(tenant), 0)
    (versions.folder / "1" / "controller.epl").unlink()
    with pytest.raises(VersionError, match="version 1 cannot be read"):
        versions.load(number)


def test_a_folder_that_cannot_be_written(tenant: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(VersionError, match="Not a directory"):
        Versions(tmp_path / "state", "shop", 3).add(load_tenant(tenant), 0)


@pytest.mark.parametrize("name", ["..", ".", "a b", "é"])
def test_tenants_of_any_name_have_a_folder_of_their_own(name: str, tmp_path: Path) -> None:
    assert Versions(tmp_path, name, 3).folder.resolve().parent == tmp_path / "versions"
