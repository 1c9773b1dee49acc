"""Each code's bad example triggers it and nothing else; its good example triggers nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from epl.diagnostics import Code, Diagnostic, Severity
from runtime.config import CONFIG_CODES


@pytest.mark.parametrize("code", CONFIG_CODES, ids=lambda code: code.id)
def test_examples(code: Code, problems_of: Callable[[str], list[Diagnostic]]) -> None:
    assert [found.code for found in problems_of(code.bad)] == [code]
    assert problems_of(code.good) == []


def test_codes_are_numbered_without_gaps() -> None:
    assert [code.id for code in CONFIG_CODES] == [f"E{501 + number}" for number in range(len(CONFIG_CODES))]
    assert all(code.severity is Severity.ERROR and code.title and code.why.endswith(".") for code in CONFIG_CODES)
