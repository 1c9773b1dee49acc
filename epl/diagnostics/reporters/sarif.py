"""SARIF 2.1.0, the format of static analysis results: for code scanning and for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from epl.diagnostics.model import Code, Diagnostic
from epl.diagnostics.reporters.base import Reporter, file_of, full_message

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class SarifReporter(Reporter):
    """One run with the rules that have results."""

    name = "sarif"

    def render(self, found: Sequence[Diagnostic]) -> str:
        """The log as JSON."""
        return json.dumps(sarif_log(found), indent=2) + "\n"


def sarif_log(found: Sequence[Diagnostic]) -> dict[str, Any]:
    """The log as plain data."""
    codes = sorted({each.code for each in found}, key=lambda code: code.id)
    index = {code: number for number, code in enumerate(codes)}
    driver = {"name": "sojourn", "rules": [_rule(code) for code in codes]}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, index[each.code]) for each in found],
            }
        ],
    }


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.why},
        "help": {"text": f"{code.why}\n\nInstead of\n\n{code.bad}\n\nwrite\n\n{code.good}"},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(diagnostic: Diagnostic, rule_index: int) -> dict[str, Any]:
    start = diagnostic.source.position(diagnostic.span.start)
    end = diagnostic.source.position(diagnostic.span.end)
    region = {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
    return {
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule_index,
        "level": diagnostic.severity.value,
        "message": {"text": full_message(diagnostic)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file_of(diagnostic))}, "region": region}}],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(file)
