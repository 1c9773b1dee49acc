"""The command line as a user has it: arguments in, exit code and text out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def sojourn(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `sojourn` with arguments, in a terminal of 100 columns without colours."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)

    return run


@pytest.fixture
def project() -> Path:
    """The folder of the checkout."""
    return PROJECT
