"""Diagnostics: what each code means, what triggers it, what to write instead."""

from __future__ import annotations

from epl.diagnostics import Code
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES
from runtime.config import CONFIG_CODES
from runtime.config.service_codes import SERVICE_CODES
from runtime.reference.markdown import block, page

_LEAD = (
    "Codes are stable and never used again for something else. E1 syntax, E2 names, E3 types, E4 stages and "
    "annotations, E5 configuration; W6 correctness, W7 cost, W8 style, W9 what differs from Pulsar's sessionizer. "
    "Every example here is a test."
)


def diagnostics_page() -> str:
    """The page of diagnostics."""
    language = [part for code in LANGUAGE_CODES for part in _parts(code, "sql")]
    configuration = [part for code in (*CONFIG_CODES, *SERVICE_CODES) for part in _parts(code, "yaml")]
    lint = [part for code in LINT_CODES for part in _parts(code, "sql")]
    return page("Diagnostics", _LEAD, *language, *configuration, *lint)


def _parts(code: Code, language: str) -> list[str]:
    title = code.title[0].lower() + code.title[1:]
    return [f"## {code.id}: {title}", code.why, "Bad:", block(code.bad, language), "Good:", block(code.good, language)]
