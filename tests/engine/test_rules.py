"""A tenant's rule sets together: all mistakes of all files are reported, and what one file declares others may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from epl.diagnostics import InvalidInput
from runtime.config import load_tenant
from runtime.rules import TenantChecker, TenantRules, compile_tenant

YAML = """
tenant: shop
events: {Click: {user: string, n: int}}
controller: controller.epl
profiles:
  - name: Visit
    type: 1
    begin_marker: VisitBegin
    rules: visit.epl
    sub_sessions: [{name: Cart, end_marker: CartEnd, rules: cart.epl}]
  - name: Other
    type: 2
    events: {Click: {n: string}}
    rules: other.epl
"""
FILES = {
    "controller.epl": "@Session('Visitt') select user as _pk_ from Click;"
    "@Session('Visit') select usr as _pk_ from Click;",
    "visit.epl": "@SubSession('Cart') select user from Click; @EndSession select 1 from VisitBegin;",
    "cart.epl": "@UpdateDuration select 5 as _duration_ from Click;\nselect from Click;",
    "other.epl": "@UpdateState select n + as x from Click;",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sessionizer.yaml").write_text(YAML)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_mistakes_of_all_files_are_reported(folder: Path) -> None:
    found = TenantChecker(load_tenant(folder)).diagnostics
    places = [(Path(each.source.name).name, each.code.id) for each in found]
    assert places == [
        ("sessionizer.yaml", "E520"),
        ("controller.epl", "E408"),
        ("controller.epl", "E201"),
        ("visit.epl", "E406"),
        ("visit.epl", "E409"),
        ("cart.epl", "E402"),
        ("cart.epl", "E101"),
        ("other.epl", "E101"),
    ]
    with pytest.raises(InvalidInput) as failed:
        compile_tenant(load_tenant(folder))
    assert list(failed.value.diagnostics) == found


def programs(rules: TenantRules) -> Iterator[set[str]]:
    return (set(compiled.handlers) for compiled in rules.programs())


def test_programs_stand_in_configuration_order(compile_text: Callable[[dict[str, Any]], TenantRules]) -> None:
    rules = compile_text(
        {
            "controller_text": """
                create schema Click (user string);
                @Session('B') select user as _pk_ from Click;""",
            "profiles": [
                {
                    "name": "A",
                    "type": 1,
                    "rules_text": "create schema Made (x int); insert into Made select 1 as x from Click; "
                    "@DecorateEvent select x from Made;",
                    "sub_sessions": [
                        {"name": "Sub", "end_marker": "SubEnd", "rules_text": "select _snec from SubEnd;"}
                    ],
                },
                {"name": "B", "type": 2, "begin_marker": "Begin", "rules_text": "select _snid, _snst from Begin;"},
            ],
        }
    )
    assert list(programs(rules)) == [{"Click"}, {"Click", "Made"}, {"SubEnd"}, {"Begin"}]
    assert set(rules.event_types) == {"Click"}


@pytest.mark.parametrize("marker", ["VisitBegin", "VisitEnd"])
@pytest.mark.parametrize("annotation", ["@SubSession('Cart')", "@SplitSession", "@EndSession"])
def test_refused_on_markers(
    compile_text: Callable[[dict[str, Any]], TenantRules], marker: str, annotation: str
) -> None:
    profile = {"name": "Visit", "type": 1, "begin_marker": "VisitBegin", "end_marker": "VisitEnd"}
    with pytest.raises(InvalidInput) as failed:
        compile_text(
            {
                "controller_text": "",
                "profiles": [
                    {
                        **profile,
                        "rules_text": f"{annotation} select _snid as _pk_ from {marker};",
                        "sub_sessions": [{"name": "Cart", "rules_text": ""}],
                    }
                ],
            }
        )
    assert [each.code.id for each in failed.value.diagnostics] == ["E409"]
