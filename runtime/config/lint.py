"""The `lint` section: which warnings a team wants to see. Of `sessionizer.yaml` and `sojourn.toml` alike."""

from __future__ import annotations

import yaml

from epl.diagnostics import Problems, did_you_mean
from epl.diagnostics.codes import LANGUAGE_CODES
from runtime.config.choices import LintSeverity
from runtime.config.codes import CONFIG_CODES, ERRORS_IGNORED, NO_SUCH_CODE
from runtime.config.keys import Kind
from runtime.config.model import LintConfig
from runtime.config.reader import Section, is_null, shown, span_of, wrong_kind


def read_lint_section(problems: Problems, node: yaml.Node | None) -> LintConfig:
    """The settings of a section that stands in another file."""
    return read_lint(Section(problems, node, "lint", "lint"))


def read_lint(section: Section) -> LintConfig:
    """The settings of a section; None for what it leaves to others."""
    severity = section.choice("severity", LintSeverity)
    return LintConfig(
        select=_codes(section, "select"),
        ignore=_codes(section, "ignore"),
        severity=severity.value if severity.given and severity.valid else None,
        strict=_switch(section, "strict"),
    )


def _codes(section: Section, name: str) -> tuple[str, ...] | None:
    """Codes and beginnings of codes, in capitals; None when the key is absent."""
    problems, node = section.problems, section.node(name)
    if node is None or is_null(node):
        return None
    if not isinstance(node, yaml.SequenceNode):
        wrong_kind(problems, name, Kind.CODES.value, node)
        return None
    # Whoever only runs rules has nothing to choose, and loads none of what lints them.
    from epl.lint import LINT_CODES

    known = [code.id for code in (*LANGUAGE_CODES, *CONFIG_CODES, *LINT_CODES)]
    found = []
    for item in node.value:
        if not isinstance(item, yaml.ScalarNode) or is_null(item) or not item.value:
            wrong_kind(problems, name, Kind.CODES.value, item)
            continue
        prefix = item.value.upper()
        if not any(code.startswith(prefix) for code in known):
            hint = did_you_mean(prefix, known)
            problems.add(NO_SUCH_CODE, span_of(item), hint=hint, given=shown(item.value))
        elif name == "ignore" and prefix.startswith("E"):
            problems.add(ERRORS_IGNORED, span_of(item), given=prefix)
        else:
            found.append(prefix)
    return tuple(found)


def _switch(section: Section, name: str) -> bool | None:
    node = section.node(name)
    if node is None or is_null(node):
        return None
    if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false") and node.style is None:
        return bool(node.value == "true")
    wrong_kind(section.problems, name, Kind.SWITCH.value, node)
    return None
