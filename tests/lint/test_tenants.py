"""What rules learn from a tenant's configuration: each case is a rule set that is judged by what is around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.config import LintConfig
from runtime.lint import lint

HEAD = """\
tenant: t
events:
  E: {user: string, a: string, n: int, own: string}
  MainEnd: {_snid: string, a: string, _snut: long}
cache: {block_size: 256}
"""
PROFILE = """\
profiles:
  - name: Main
    type: 1
    gap: 10m
    begin_marker: MainBegin
    end_marker: MainEnd
    rules_text: |
      RULES
    sub_sessions:
      - name: Cart
        gap: 5m
        end_marker: CartEnd
        rules_text: |
          SUB
"""
KEY = "@Session('Main') select user as _pk_ from E;"
CART = "@SubSession('Cart') select a as _pk_ from E;"
AT_FIRST = "@DecorateEvent select metadata.a as x from E(session.eventCount = 1);"
LISTED = "select session.list('l') as l from E(a = 'x')"


def codes(folder: Path, rules: str = "", sub: str = "", key: str = KEY, more: str = "") -> set[str]:
    """The codes of a tenant, those of style and migration left out."""
    text = f"{HEAD}{more}controller_text: |\n  {key}\n{PROFILE}".replace("RULES", rules).replace("SUB", sub)
    (folder / "sessionizer.yaml").write_text(text)
    linted = lint([folder], LintConfig(select=("E", "W6", "W7")))
    assert not linted.errors, [found.message for found in linted.diagnostics]
    return {found.code.id for found in linted.diagnostics}


@pytest.mark.parametrize(
    ("code", "rules", "sub"),
    [
        ("W633", "@DecorateEvent select 1 as x from CartEnd;", ""),
        ("W633", "", "@DecorateEvent select 1 as x from MainBegin;"),
        ("W634", "@UpdateState select 1 as x from MainEnd; @DecorateEvent select session.x as y from E;", ""),
        ("W630", "@SubSession('Cart') select a as _pk_, 900000 as _duration_ from E;", ""),
        ("W708", "@UpdateState select n from E;", "@UpdateMetadata select parentSession.int('n') as n from E(n < 0);"),
        ("W619", "@UpdateMetadata select n from E;", "@DecorateEvent select parentMetadata.int('m') as x from E;"),
        ("W709", f"@AppendState(name='l', colname='a', maxlength=99) select a from E; @DecorateEvent {LISTED};", ""),
        (
            "W621",
            "@UpdateMetadata select a from E; @DecorateEvent select metadata.a as x from E(session.eventCount=1);",
            "",
        ),
    ],
)
def test_found(code: str, rules: str, sub: str, tmp_path: Path) -> None:
    found = codes(tmp_path, f"{CART} {rules}", sub)
    # W708 stands for the opposite: a sub-session reads what the session's own rules do not.
    assert (code in found) is (code != "W708")


def test_state_that_not_even_a_sub_session_reads(tmp_path: Path) -> None:
    assert codes(tmp_path, f"{CART} @UpdateState select n from E;") == {"W708"}


def test_gaps_that_vary(tmp_path: Path) -> None:
    rules = "@SubSession('Cart') select a as _pk_, 900000 as _duration_ from E;"
    key = "@Session('Main') select user as _pk_, n as _duration_ from E;"
    assert codes(tmp_path, rules, key=key) == set()


def test_passive_events_come_after_the_first_and_do_not_count(tmp_path: Path) -> None:
    rules = f"@UpdateMetadata select a from E; {AT_FIRST}"
    key = f"{KEY.replace('E;', 'E(n = 0);')} @Passive @Session('Main') select user as _pk_ from E(n = 1);"
    assert codes(tmp_path, rules, key=key) == set()


def test_the_controller_decorated_it(tmp_path: Path) -> None:
    key = f"{KEY} @DecorateEvent select 'x' as own from E;"
    # Without sub-sessions, whose rules could be meant to read it.
    assert codes(tmp_path, "@DecorateEvent select 'y' as own from E;", key=key) == {"W631"}


def test_markers_carry_metadata(tmp_path: Path) -> None:
    rules = "@DecorateEvent select a as x from MainEnd;"
    assert codes(tmp_path, rules) == {"W632"}
    assert codes(tmp_path, f"@UpdateMetadata select a from E; {rules}") == set()


def test_the_ender_puts_the_users_time_on_end_markers(tmp_path: Path) -> None:
    rules = "@DecorateEvent select _snut as x from MainEnd;"
    assert codes(tmp_path, rules) == {"W632"}
    assert codes(tmp_path, rules, more="time: {policy: ender}\n") == set()


def test_errors_leave_out_rules_that_look_at_the_whole(tmp_path: Path) -> None:
    text = "create schema E (a string);\n@UpdateState select a from E;\n@DecorateEvent select session.a as x from Ee;"
    (tmp_path / "rules.epl").write_text(text)
    assert [found.code.id for found in lint([tmp_path]).diagnostics] == ["E203"]


@pytest.mark.parametrize("folder", ["profiles", "examples"])
def test_what_is_shipped(folder: str) -> None:
    root = Path(__file__).parents[2]
    assert lint([root / folder]).diagnostics == []
