"""`sojourn top` beside a real service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from runtime.cli import main
from runtime.cli.top import spark

from .running import Running, click


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with room for all columns."""
    monkeypatch.setenv("COLUMNS", "160")


def test_each_tenant_is_shown(running: Running) -> None:
    running.send([click("ann"), click("bob")])
    result = CliRunner().invoke(main, ["top", "--url", running.service.monitor_url, "--times", "2", "--every", "0.1"])
    assert result.exit_code == 0, result.output
    row = next(line for line in result.output.splitlines() if line.startswith("shop"))
    assert "running" in row and " 2 " in row


def test_its_token(serve: Callable[..., Running], tmp_path: Path) -> None:
    running = serve(service="monitor: {token_file: admin.token}")
    look = ["top", "--url", running.service.monitor_url, "--times", "1"]
    refused = CliRunner().invoke(main, look)
    assert (refused.exit_code, "it answered 401; give the token's file" in refused.output) == (2, True)
    (tmp_path / "token").write_text("the-token-of-admin\n")
    assert CliRunner().invoke(main, [*look, "--token-file", str(tmp_path / "token")]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--url", "http://127.0.0.1:9"), "no service answers there"),
        (("--url", "nonsense"), "no service answers there"),
        (("--token-file", "no.token"), "it cannot be read"),
    ],
)
def test_what_cannot_be_watched(options: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["top", *options])
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_sparks() -> None:
    assert spark([0, 1, 4, 8]) == " ▁▄█"
    assert spark([0, 0]) == "  "
    assert spark([]) == ""
