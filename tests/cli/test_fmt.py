"""`sojourn fmt`: what it writes where, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main

UGLY = "@UpdateCounter(\"views\") select 1 from PageView(et='view')"
TIDY = "@UpdateCounter('views')\nselect 1 from PageView(et = 'view');\n"
BROKEN = "select a frm T;\n"


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["fmt", *map(str, arguments)], input=stdin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An ugly file, a tidy one below, and what must not be touched."""
    (tmp_path / "below").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "ugly.epl").write_text(UGLY)
    (tmp_path / "below" / "tidy.epl").write_text(TIDY)
    (tmp_path / ".hidden" / "ugly.epl").write_text(UGLY)
    (tmp_path / "notes.txt").write_text(UGLY)
    return tmp_path


def test_a_folder(folder: Path) -> None:
    """Every rule file below it, but nothing hidden and nothing else; nothing is left lying about."""
    result = run(folder)
    assert (result.exit_code, result.output) == (0, "reformatted 1 file, 1 unchanged\n")
    assert (folder / "ugly.epl").read_text() == TIDY
    assert (folder / ".hidden" / "ugly.epl").read_text() == UGLY
    assert (folder / "notes.txt").read_text() == UGLY
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "below", "notes.txt", "ugly.epl"]
    assert run(folder).output == "reformatted 0 files, 2 unchanged\n"


def test_the_current_folder_by_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for `sojourn lint`."""
    monkeypatch.chdir(folder / "below")
    assert run().output == "reformatted 0 files, 1 unchanged\n"


def test_each_file_once(folder: Path) -> None:
    """However often and by whatever path it is named."""
    ugly = folder / "ugly.epl"
    assert run(ugly, folder, folder / "below" / ".." / "ugly.epl").output == "reformatted 1 file, 1 unchanged\n"


def test_an_unchanged_file_is_not_written(folder: Path) -> None:
    """Its time stays, so nothing that watches it wakes up; a changed one keeps its permissions."""
    tidy, ugly = folder / "below" / "tidy.epl", folder / "ugly.epl"
    ugly.chmod(0o640)
    before = tidy.stat()
    run(folder)
    assert (tidy.stat().st_ino, tidy.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert ugly.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(folder: Path) -> None:
    """What it points to is formatted."""
    link = folder / "below" / "link.epl"
    link.symlink_to(folder / "ugly.epl")
    assert run(link).exit_code == 0
    assert link.is_symlink()
    assert (folder / "ugly.epl").read_text() == TIDY


def test_check(folder: Path) -> None:
    """Names what would change, and changes nothing."""
    result = run("--check", folder)
    assert result.exit_code == 1
    assert result.stdout == f"would reformat {folder / 'ugly.epl'}\n"
    assert result.stderr == "would reformat 1 file, 1 unchanged\n"
    assert (folder / "ugly.epl").read_text() == UGLY
    assert run("--check", folder / "below").exit_code == 0


@pytest.mark.parametrize("options", [["--diff"], ["--check", "--diff"]])
def test_diff(folder: Path, options: list[str]) -> None:
    """What `patch` understands, on stdout alone."""
    name = folder / "ugly.epl"
    result = run(*options, folder)
    assert result.exit_code == 1
    assert result.stdout == (
        f"--- {name}\n+++ {name} (formatted)\n@@ -1 +1,2 @@\n-{UGLY}\n\\ No newline at end of file\n"
        "+@UpdateCounter('views')\n+select 1 from PageView(et = 'view');\n"
    )
    assert name.read_text() == UGLY
    assert run(*options, folder / "below").exit_code == 0


def test_stdin() -> None:
    """From stdin to stdout, and nothing else there."""
    result = run("-", stdin=UGLY)
    assert (result.exit_code, result.output) == (0, TIDY)
    assert run("-", stdin=TIDY).output == TIDY
    assert run("-", stdin="").output == ""


def test_stdin_under_check() -> None:
    """Nothing is written then either."""
    assert run("--check", "-", stdin=TIDY).exit_code == 0
    result = run("--check", "-", stdin=UGLY)
    assert (result.exit_code, result.stdout) == (1, "would reformat <stdin>\n")
    assert "--- <stdin>\n" in run("--diff", "-", stdin=UGLY).stdout


def test_a_file_that_does_not_parse(folder: Path) -> None:
    """It is reported and left alone; the others are formatted."""
    broken = folder / "a.epl"
    broken.write_text(BROKEN)
    result = run(folder)
    assert result.exit_code == 1
    assert "error[E101]" in result.stderr
    assert f"{broken}:1:14" in result.stderr.replace("\n", "")
    assert result.stderr.endswith("reformatted 1 file, 1 unchanged, 1 not formatted\n")
    assert broken.read_text() == BROKEN
    assert (folder / "ugly.epl").read_text() == TIDY


def test_stdin_that_does_not_parse() -> None:
    """Nothing on stdout, so that an editor replaces nothing."""
    result = run("-", stdin=BROKEN)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "<stdin>:1:14" in result.stderr


def test_other_line_ends(folder: Path) -> None:
    """Line ends of Windows and byte order marks go; that is a change too."""
    tidy = folder / "below" / "tidy.epl"
    tidy.write_bytes(b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode())
    assert run("--check", tidy).exit_code == 1
    assert run(tidy).output == "reformatted 1 file, 0 unchanged\n"
    assert tidy.read_bytes() == TIDY.encode()


def test_what_is_not_text(folder: Path) -> None:
    """A message, not a traceback."""
    binary = folder / "binary.epl"
    binary.write_bytes(b"select \xff")
    result = run(binary)
    assert result.exit_code == 1
    assert result.output == f"{binary}: it is not UTF-8 (byte 7)\nreformatted 0 files, 0 unchanged, 1 not formatted\n"


def test_a_missing_path(folder: Path) -> None:
    """Nothing is formatted then, as the call was not meant so."""
    result = run(folder, folder / "missing")
    assert result.exit_code == 2
    assert f"{folder / 'missing'}: there is no such file or folder" in result.output.replace("\n", "")
    assert (folder / "ugly.epl").read_text() == UGLY


def test_help_has_examples() -> None:
    """The first thing anyone looks for."""
    result = run("--help")
    assert result.exit_code == 0
    assert "sojourn fmt --check --diff" in result.output
