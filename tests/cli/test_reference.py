"""The reference pages are those that the code gives now, and say so when they are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES
from epl.registry import ENTRIES
from epl.registry.annotations import ANNOTATIONS
from runtime.config import CONFIG_CODES, KEYS

Run = Callable[..., Result]
PAGES = ["annotations.md", "cli.md", "configuration.md", "diagnostics.md", "functions.md"]


def test_pages_hold_every_entry(sojourn: Run, tmp_path: Path) -> None:
    assert sojourn("reference", "--out", tmp_path).exit_code == 0
    text = {name: (tmp_path / name).read_text() for name in PAGES}
    assert all(f"{entry.name}(" in text["functions.md"] for entry in ENTRIES)
    assert all(f"## @{entry.name}\n" in text["annotations.md"] for entry in ANNOTATIONS)
    assert all(f"## {code.id}: " in text["diagnostics.md"] for code in (*LANGUAGE_CODES, *CONFIG_CODES, *LINT_CODES))
    assert all(f"`{key.name}`" in text["configuration.md"] for key in KEYS)
    assert "## sojourn replay\n" in text["cli.md"]


def test_check(sojourn: Run, tmp_path: Path) -> None:
    sojourn("reference", "--out", tmp_path)
    assert sojourn("reference", "--out", tmp_path, "--check").exit_code == 0
    (tmp_path / "cli.md").write_text("old")
    (tmp_path / "functions.md").unlink()
    result = sojourn("reference", "--out", tmp_path, "--check")
    assert result.exit_code == 1
    assert "cli.md is stale" in result.stderr
    assert "functions.md is stale" in result.stderr
    assert (tmp_path / "cli.md").read_text() == "old"
