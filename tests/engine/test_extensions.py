"""Where a tenant's functions and annotations come from: modules beside its rules, installed modules, packages."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from epl.diagnostics import Diagnostic
from runtime.config import load_tenant
from runtime.rules import TenantChecker

YAML = """\
tenant: test
events: {E: {n: int}}
imports: [IMPORTS]
controller_text: "@DecorateEvent select RULE as x from E;"
profiles: [{name: P, type: 1}]
"""
MODULE = """\
from epl.extend import function

@function("NAME", examples={"NAME(1)": RESULT})
def implementation(n: int) -> int:
    \"""Whatever.\"""
    return RESULT
"""


def module_text(name: str = "f", result: int = 1) -> str:
    return MODULE.replace("NAME", name).replace("RESULT", str(result))


def check_tenant(
    folder: Path, modules: dict[str, str], imports: str = "functions", rule: str = "f(n)"
) -> TenantChecker:
    """A tenant with these files beside its rules."""
    folder.mkdir(exist_ok=True)
    for name, text in modules.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "sessionizer.yaml").write_text(YAML.replace("IMPORTS", imports).replace("RULE", rule))
    return TenantChecker(load_tenant(folder))


def shown(found: list[Diagnostic]) -> list[str]:
    return [f"{each.code.id} {each.source.position(each.span.start).line} {each.message}" for each in found]


def value_of(checker: TenantChecker) -> Any:
    """What the controller's rule decorates an event with."""
    assert shown(checker.diagnostics) == []

    class Event:
        n = 1

    class Effects:
        rows: tuple[()] = ()

    return checker.compile().controller.handlers["E"](Event(), None, None, 0, Effects())["x"]


def test_two_tenants_may_have_modules_of_one_name(tmp_path: Path) -> None:
    before = set(sys.modules)
    one = check_tenant(tmp_path / "one", {"functions.py": module_text(result=1)})
    two = check_tenant(tmp_path / "two", {"functions.py": module_text(result=2)})
    assert (value_of(one), value_of(two)) == (1, 2)
    assert "functions" not in set(sys.modules) - before, "nothing of it stays behind"
    assert str(tmp_path / "one") not in sys.path
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_module_is_read_again_when_its_tenant_is(tmp_path: Path) -> None:
    assert value_of(check_tenant(tmp_path, {"functions.py": module_text(result=1)})) == 1
    assert value_of(check_tenant(tmp_path, {"functions.py": module_text(result=2)})) == 2


def test_a_module_may_use_others_beside_it(tmp_path: Path) -> None:
    modules = {
        "lib/__init__.py": "",
        "lib/numbers.py": "ONE = 1\n",
        "functions.py": "from lib.numbers import ONE\n" + module_text(result=1).replace("return 1", "return ONE"),
    }
    assert value_of(check_tenant(tmp_path, modules)) == 1
    assert not any(name.partition(".")[0] == "lib" for name in sys.modules)


def test_a_dotted_module(tmp_path: Path) -> None:
    assert value_of(check_tenant(tmp_path, {"own/functions.py": module_text()}, imports="own.functions")) == 1


def test_a_file_does_not_replace_what_python_has(tmp_path: Path) -> None:
    import json

    check_tenant(tmp_path, {"json.py": "raise ValueError", "functions.py": "import json\n" + module_text()})
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "E521 3 `functions` cannot be imported: there is no such module"),
        ("import nothing_of_that_name\n", "E521 3 `functions` cannot be imported: ModuleNotFoundError: "),
        ("def (:\n", "E521 3 `functions` cannot be imported: SyntaxError: "),
        ("raise RuntimeError('no licence')\n", "E521 3 `functions` cannot be imported: RuntimeError: no licence"),
        ("import sys; sys.exit(3)\n", "E521 3 `functions` cannot be imported: SystemExit: 3"),
        ("x = 1\n", "E522 3 `functions` registers neither a function nor an annotation"),
        (
            module_text().replace("Whatever.", ""),
            "E521 3 `functions` cannot be imported: the function `f`: it has no",
        ),
        (module_text("coalesce"), "E523 3 `coalesce` of `functions` is there already"),
        (module_text("toJson"), "E523 3 `toJson` of `functions` is there already"),
        (module_text("Math.abs"), "E523 3 `Math.abs` of `functions` is there already"),
        (
            module_text().replace("return 1", "return 2"),
            "E524 3 the example `f(1)` of `f` in `functions` gives 2, not 1",
        ),
    ],
)
def test_what_cannot_be_imported(tmp_path: Path, text: str | None, expected: str) -> None:
    checker = check_tenant(tmp_path, {} if text is None else {"functions.py": text}, rule="1")
    assert [found[: len(expected)] for found in shown(checker.diagnostics)] == [expected]


def test_an_installed_package_adds_to_all_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.extensions.entry_points", entry_points)  # all tests share one list otherwise
    site = tmp_path / "site"
    (site / "acme-1.0.dist-info").mkdir(parents=True)
    (site / "acme-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[sojourn.extensions]\nacme = acme_rules\n")
    (site / "acme_rules.py").write_text(module_text("Acme.f", 7))
    monkeypatch.syspath_prepend(str(site))
    checker = check_tenant(tmp_path / "tenant", {}, imports="", rule="Acme.f(n)")
    assert value_of(checker) == 7
    assert [extension.module for extension in checker.extensions.added] == ["acme_rules"]
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[sojourn.extensions]\nacme = acme_gone\n")
    found = shown(check_tenant(tmp_path / "tenant", {}, imports="", rule="1").diagnostics)
    assert found == ["E521 1 `acme_gone` cannot be imported: there is no such module"]
