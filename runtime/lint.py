"""Lint: every problem of rule files, whether they belong to a tenant or stand alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from epl import Diagnostic, Environment, InvalidInput, Severity, Source, check, parse
from epl.diagnostics import Code
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES, LintContext, lint_program
from runtime.config import (
    CONFIG_CODES,
    YAML_NAME,
    find_tenants,
    load_tenant,
)
from runtime.rules import TenantChecker
from runtime.surroundings import contexts

CODES: tuple[Code, ...] = (*LANGUAGE_CODES, *CONFIG_CODES, *LINT_CODES)
"""Everything that linting may report."""

DEFAULT_SELECT = ("E", "W6", "W7")
"""Errors, correctness and cost; style (W8) and migration (W9) are for those who ask."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which diagnostics count: those whose code begins with a prefix of `select` and with none of `ignore`."""

    select: tuple[str, ...] = DEFAULT_SELECT
    ignore: tuple[str, ...] = ()
    errors_only: bool = False

    def takes(self, diagnostic: Diagnostic) -> bool:
        """True when a diagnostic counts."""
        code = diagnostic.code.id
        if self.errors_only and diagnostic.severity is not Severity.ERROR:
            return False
        return code.startswith(self.select) and not code.startswith(self.ignore)


@dataclass(slots=True)
class Linted:
    """What was looked at and what was found. `files` counts rule files and configurations."""

    files: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Diagnostics that stop the rules from running."""
        return sum(found.severity is Severity.ERROR for found in self.diagnostics)

    @property
    def warnings(self) -> int:
        """All others."""
        return len(self.diagnostics) - self.errors


class NothingToLint(Exception):
    """A path that is not there, or holds neither a tenant nor a rule file; the message names it."""


def lint(paths: list[Path], selection: Selection | None = None) -> Linted:
    """Checks tenants, folders of tenants and single rule files. Raises NothingToLint."""
    linted = Linted()
    for path in paths:
        for target in _targets(path):
            if target.suffix == ".epl":
                _lint_file(target, linted)
            else:
                _lint_tenant(target, linted)
    taken = selection or Selection()
    # A folder and a file in it may both be given, and a file may serve two profiles: each problem counts once.
    once = {(found.code, found.source.name, found.span, found.message): found for found in linted.diagnostics}
    linted.diagnostics = [found for found in once.values() if taken.takes(found)]
    return linted


def _targets(path: Path) -> Iterator[Path]:
    """The tenants of a path, and the rule files that no tenant owns."""
    if not path.exists():
        raise NothingToLint(f"{path}: there is no such file or folder")
    if path.is_file():
        owner = path.parent / YAML_NAME
        # A rule file of a tenant means little without its configuration: which stage, which events.
        yield owner.parent if path.suffix == ".epl" and owner.exists() else path
        return
    tenants = find_tenants(path)
    owned = {tenant.resolve() for tenant in tenants}
    loose = [file for file in sorted(path.rglob("*.epl")) if not owned & {parent.resolve() for parent in file.parents}]
    if not tenants and not loose:
        raise NothingToLint(f"{path}: neither a {YAML_NAME} nor an .epl file is in there")
    yield from tenants
    yield from loose


def _lint_file(path: Path, linted: Linted) -> None:
    """A rule file on its own declares its event types itself (`create schema`)."""
    linted.files += 1
    try:
        source = Source.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise NothingToLint(f"{path}: {_reason(error)}") from error
    checked = check(parse(source), Environment())
    linted.diagnostics += _in_order([*checked.problems, *lint_program(LintContext.of(checked))])


def _lint_tenant(path: Path, linted: Linted) -> None:
    linted.files += 1
    try:
        config = load_tenant(path)
    except InvalidInput as error:
        linted.diagnostics += error.diagnostics
        return
    sources = {config.controller.name}
    for profile in config.profiles:
        sources |= {profile.rules.name, *(sub.rules.name for sub in profile.sub_sessions)}
    linted.files += len(sources - {config.source.name})
    checker = TenantChecker(config)
    warnings = (each for context in contexts(checker) for each in lint_program(context))
    linted.diagnostics += _in_order([*checker.diagnostics, *warnings])


def _in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """File by file in the order in which they turn up, each from top to bottom."""
    by_file: dict[str, list[Diagnostic]] = {}
    for diagnostic in found:
        by_file.setdefault(diagnostic.source.name, []).append(diagnostic)
    return [each for of in by_file.values() for each in sorted(of, key=lambda found: found.span.start)]


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start})"
    return error.strerror or str(error)
