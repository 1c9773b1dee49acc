"""JUnit XML, which most CI servers show as test results: a suite a file, a failed test a diagnostic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from epl.diagnostics.model import Diagnostic
from epl.diagnostics.render import as_text
from epl.diagnostics.reporters.base import Reporter, file_of, full_message

# What XML 1.0 cannot hold in any spelling.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class JunitReporter(Reporter):
    """Without diagnostics, one test that passed."""

    name = "junit"

    def render(self, found: Sequence[Diagnostic]) -> str:
        """The document."""
        total = {"tests": str(max(1, len(found))), "failures": str(len(found)), "errors": "0"}
        root = ET.Element("testsuites", {"name": "sojourn lint", **total})
        by_file: dict[str, list[Diagnostic]] = {}
        for each in found:
            by_file.setdefault(file_of(each), []).append(each)
        for file, diagnostics in by_file.items():
            count = str(len(diagnostics))
            suite = ET.SubElement(root, "testsuite", {"name": _text(file), "tests": count, "failures": count})
            for each in diagnostics:
                _add_case(suite, file, each)
        if not found:
            suite = ET.SubElement(root, "testsuite", {"name": "sojourn lint", "tests": "1", "failures": "0"})
            ET.SubElement(suite, "testcase", {"name": "no problems", "classname": "sojourn.lint"})
        ET.indent(root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ET.Element, file: str, diagnostic: Diagnostic) -> None:
    start = diagnostic.source.position(diagnostic.span.start)
    name = f"{diagnostic.code.id} at {start.line}:{start.column}"
    given = {"name": name, "classname": _text(file), "file": _text(file), "line": str(start.line)}
    case = ET.SubElement(suite, "testcase", given)
    kind = {"type": diagnostic.severity.value, "message": _text(full_message(diagnostic))}
    ET.SubElement(case, "failure", kind).text = _text(as_text(diagnostic))


def _text(text: str) -> str:
    return _NOT_XML.sub("�", text)
