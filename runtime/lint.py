"""Lint: every problem of rule files, whether they belong to a tenant or stand alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from epl import Diagnostic, Environment, InvalidInput, Severity, Source, check, parse
from runtime.config import YAML_NAME, find_tenants, load_tenant
from runtime.rules import TenantChecker


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


def lint(paths: list[Path]) -> Linted:
    """Checks tenants, folders of tenants and single rule files. Raises NothingToLint."""
    linted = Linted()
    for path in paths:
        for target in _targets(path):
            if target.suffix == ".epl":
                _lint_file(target, linted)
            else:
                _lint_tenant(target, linted)
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
    linted.diagnostics += check(parse(source), Environment()).problems


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
    linted.diagnostics += TenantChecker(config).diagnostics


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start})"
    return error.strerror or str(error)
