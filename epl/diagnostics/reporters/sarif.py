"""SARIF 2.1.0, the format of static analysis results: for code scanning and for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from epl.diagnostics.fix import Fix
from epl.diagnostics.model import Code, Diagnostic
from epl.diagnostics.reporters.base import Reporter, file_of, full_message
from epl.source import Source, Span

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
    place = {"artifactLocation": _artifact(diagnostic), "region": _region(diagnostic.source, diagnostic.span)}
    return {
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule_index,
        "level": diagnostic.severity.value,
        "message": {"text": full_message(diagnostic)},
        "locations": [{"physicalLocation": place}],
        **({} if diagnostic.fix is None else {"fixes": [_fix(diagnostic, diagnostic.fix)]}),
    }


def _fix(diagnostic: Diagnostic, fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(diagnostic.source, edit.span), "insertedContent": {"text": edit.text}}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(diagnostic), "replacements": replacements}
    return {"description": {"text": fix.description}, "artifactChanges": [change]}


def _artifact(diagnostic: Diagnostic) -> dict[str, str]:
    return {"uri": _uri(file_of(diagnostic))}


def _region(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(span.end)
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(file)
