"""`// noqa: CODE`: what it silences, and when it is reported itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SCHEMA = "create schema E (a string, n int);\n"
NEVER = "@Name('x') @UpdateCounter('c')\nselect 1 from E(n = 1, n = 2)"


@pytest.mark.parametrize(
    "text",
    [
        f"{NEVER}; // noqa: W601 waits for the new app",
        f"// noqa: W601\n{NEVER};",
        f"{NEVER}; // noqa: W702, w601 both\n@AppendState(name='l', colname='a') select a from E; // noqa: W702",
        NEVER.replace("\n", " // noqa:W601\n"),
    ],
)
def test_silenced(text: str, lint: Callable[..., list[object]]) -> None:
    assert "W601" not in [each.code.id for each in lint(SCHEMA + text)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{NEVER}; // noqa: W602", "the statement has no `W602`"),
        (f"{NEVER}; // noqa", "`noqa` needs the codes that it is about: `// noqa: W601`"),
        (f"{NEVER}; // noqa: E201", "errors cannot be suppressed: `E201`"),
        (f"// noqa: W601\n\n{NEVER};", "`W601`: a suppression stands on a line of its statement, or on the line above"),
        (f"@Name('y') @UpdateCounter('d') select 1 from E; // noqa: W601\n{NEVER};", "the statement has no `W601`"),
    ],
)
def test_unused(text: str, reason: str, lint: Callable[..., list[object]]) -> None:
    found = {each.code.id: each.message for each in lint(SCHEMA + text)}  # type: ignore[attr-defined]
    assert found["W814"] == reason
    assert "W601" in found


def test_not_a_comment(lint: Callable[..., list[object]]) -> None:
    text = SCHEMA + "@Name('x') @UpdateState select '// noqa: W601' as x from E(n = 1, n = 2);"
    assert {"W601"} <= {each.code.id for each in lint(text)}  # type: ignore[attr-defined]
    assert "W814" not in {each.code.id for each in lint(text)}  # type: ignore[attr-defined]
