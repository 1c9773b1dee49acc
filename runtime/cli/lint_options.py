"""The options of `sojourn lint` that settings can give, too: read, checked, and left open where they are not given."""

from __future__ import annotations

from typing import NoReturn

from epl.diagnostics import did_you_mean
from runtime.cli.errors import fail
from runtime.config import LintConfig, LintSeverity
from runtime.lint import CODES


def settings_of(
    select: tuple[str, ...], ignore: tuple[str, ...], severity: str | None, strict: bool | None
) -> LintConfig:
    """What the command line says. Ends the command for a code that there is not, and for errors to be ignored."""
    ignored = _prefixes(ignore)
    for prefix in ignored or ():
        if prefix.startswith("E"):
            fail(f"--ignore {prefix}: errors cannot be ignored")
    return LintConfig(_prefixes(select), ignored, None if severity is None else LintSeverity(severity), strict)


def unknown_code(code: str) -> NoReturn:
    """Ends the command because of a code that there is not."""
    hint = did_you_mean(code, [known.id for known in CODES])
    fail(f"there is no code `{code}`" + (f": {hint}" if hint else ""))


def _prefixes(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Codes and beginnings of codes; one that no code has is a slip, and would quietly select nothing."""
    prefixes = tuple(part.strip().upper() for text in given for part in text.split(",") if part.strip())
    for prefix in prefixes:
        if not any(code.id.startswith(prefix) for code in CODES):
            unknown_code(prefix)
    return prefixes or None
