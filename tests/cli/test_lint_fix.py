"""`sojourn lint --fix` and `--diff`: what is written, what is only shown, and what is left alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main
from runtime.lint_files import TextFile

RULES = """\
create schema E (a string, n int);
// who has no name
@UpdateCounter('c') select 1 from E(a = null, n = 1);
@DecorateEvent select session.c as c from E(n > 1 or (n > 1));
"""
FIXED = RULES.replace("a = null", "a is null").replace(" or (n > 1)", "")
DIFF = """\
--- rules.epl
+++ rules.epl (fixed)
@@ -1,4 +1,4 @@
 create schema E (a string, n int);
 // who has no name
-@UpdateCounter('c') select 1 from E(a = null, n = 1);
-@DecorateEvent select session.c as c from E(n > 1 or (n > 1));
+@UpdateCounter('c') select 1 from E(a is null, n = 1);
+@DecorateEvent select session.c as c from E(n > 1);
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file of two problems that can be fixed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.epl").write_text(RULES)
    return tmp_path


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["lint", *arguments])


def test_diff_changes_nothing(folder: Path) -> None:
    result = run("rules.epl", "--diff")
    assert (result.exit_code, result.stdout) == (1, DIFF)
    assert result.stderr == "would fix 2, 0 would remain\n"
    assert (folder / "rules.epl").read_text() == RULES


def test_fix(folder: Path) -> None:
    result = run("rules.epl", "--fix")
    assert (result.exit_code, result.stderr) == (0, "2 fixed, 0 remaining\n")
    assert result.stdout == "✓ 1 file, no problems\n"
    assert (folder / "rules.epl").read_text() == FIXED
    assert [path.name for path in folder.iterdir()] == ["rules.epl"]
    again = run("rules.epl", "--diff")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "would fix 0, 0 would remain\n")


def test_only_what_is_selected_is_fixed(folder: Path) -> None:
    result = run("rules.epl", "--fix", "--ignore", "W604", "--strict")
    assert result.exit_code == 0
    assert (folder / "rules.epl").read_text() == RULES.replace("a = null", "a is null")


def test_what_remains_is_reported(folder: Path) -> None:
    (folder / "rules.epl").write_text(RULES + "select b from E;\n")
    result = run("rules.epl", "--fix")
    assert (result.exit_code, result.stderr) == (1, "2 fixed, 1 remaining\n")
    assert "error[E201]" in result.stdout
    assert run("rules.epl", "--diff").exit_code == 1


def test_line_ends_mark_and_mode_stay(folder: Path) -> None:
    file = folder / "rules.epl"
    mixed = RULES.replace("\n", "\r\n", 3)
    file.write_bytes(b"\xef\xbb\xbf" + mixed.encode())
    file.chmod(0o640)
    link = folder / "link.epl"
    link.symlink_to(file)
    assert run("link.epl", "--fix").exit_code == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n", 3).encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert link.is_symlink()


def test_rounds(folder: Path) -> None:
    """An expression that nothing uses goes, and then the variable that only it used."""
    more = "create variable int least = 5;\ncreate expression many alias for { least };\n"
    (folder / "rules.epl").write_text(more + FIXED)
    result = run("rules.epl", "--fix", "--select", "W8", "--ignore", "W806")
    assert result.stderr == "2 fixed, 0 remaining\n"
    assert (folder / "rules.epl").read_text() == FIXED


def test_no_fix_that_makes_an_error(folder: Path) -> None:
    """The escape hides that there is no such field: mended, the file would have an error that it had not."""
    text = RULES + "select b from E(a regexp '\\d');\n"
    (folder / "rules.epl").write_text(text)
    result = run("rules.epl", "--fix")
    assert result.exit_code == 1
    assert result.stderr == "2 fixed, 1 remaining\nrules.epl:5: E105 not fixed: it would make an error\n"
    assert (folder / "rules.epl").read_text() == FIXED + "select b from E(a regexp '\\d');\n"


TENANT = """\
tenant: t # ours
events: {E: {user: string, a: string, n: int}}
controller_text: |

  // who
  @Session('Main') select user as _pk_ from E(user != null);
profiles:
  - name: Main
    type: 1
    rules_text: STYLE
      @UpdateCounter('c') select 1 from E(a = null);
    sub_sessions:
      - {name: Cart, rules: cart.epl}
"""
CART = "@DecorateEvent select parentSession.c as c from E(n > 1 or n > 1);\n"


def test_rules_in_yaml(folder: Path) -> None:
    """A literal block is edited where it stands, and the files of the tenant with it."""
    (folder / "rules.epl").unlink()
    yaml = TENANT.replace("STYLE", "|")
    (folder / "sessionizer.yaml").write_text(yaml)
    (folder / "cart.epl").write_text(CART)
    result = run("--fix", "--select", "W604,W605")
    assert (result.exit_code, result.stderr) == (0, "3 fixed, 0 remaining\n"), result.stdout
    after = yaml.replace("user != null", "user is not null").replace("a = null", "a is null")
    assert (folder / "sessionizer.yaml").read_text() == after
    assert (folder / "cart.epl").read_text() == CART.replace(" or n > 1", "")


def test_rules_in_folded_yaml_are_left(folder: Path) -> None:
    (folder / "rules.epl").unlink()
    yaml = TENANT.replace("STYLE", ">")
    (folder / "sessionizer.yaml").write_text(yaml)
    (folder / "cart.epl").write_text(CART)
    result = run("--fix", "--select", "W605")
    assert result.stderr == (
        "1 fixed, 1 remaining\nsessionizer.yaml#profiles[0].rules_text: not fixed: "
        "only rules in a literal block (`|`) stand in the file as they are\n"
    )
    assert (folder / "sessionizer.yaml").read_text() == yaml.replace("user != null", "user is not null")


def test_a_folder_that_may_not_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: TextFile) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(TextFile, "write", refuse)
    result = run("rules.epl", "--fix")
    assert (result.exit_code, result.stderr) == (2, "Error: rules.epl: Permission denied\n")
