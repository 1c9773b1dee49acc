"""Lint: every problem of rule files, whether they belong to a tenant or stand alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from epl import Diagnostic, InvalidInput, Problems, Severity, Source, check, parse
from epl.diagnostics import Code
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES, LintContext, lint_program, with_fixes
from epl.structs import replace
from runtime.config import (
    CONFIG_CODES,
    YAML_NAME,
    LintConfig,
    TenantConfig,
    find_tenants,
    read_tenant,
    read_yaml,
)
from runtime.extensions import installed_extensions
from runtime.lint_settings import Selection
from runtime.lint_toml import toml_settings
from runtime.rules import TenantChecker
from runtime.surroundings import contexts

CODES: tuple[Code, ...] = (*LANGUAGE_CODES, *CONFIG_CODES, *LINT_CODES)
"""Everything that linting may report."""


@dataclass(slots=True)
class Linted:
    """What was looked at and what was found. `files` counts rule files and configurations.

    `out_of_place` names the texts whose problems could be fixed but for their place: rules in YAML that are no literal
    block, so that they stand otherwise in the file. `failing` counts what makes linting fail.
    """

    files: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    out_of_place: set[str] = field(default_factory=set)
    failing: int = 0

    @property
    def errors(self) -> int:
        """Diagnostics that stop the rules from running."""
        return sum(found.severity is Severity.ERROR for found in self.diagnostics)

    @property
    def warnings(self) -> int:
        """All others."""
        return len(self.diagnostics) - self.errors

    @property
    def fixable(self) -> int:
        """Diagnostics that come with a fix."""
        return sum(found.fix is not None for found in self.diagnostics)


def lint_config(config: TenantConfig) -> tuple[Linted, TenantChecker]:
    """Checks a tenant that was read already; the checker has all that compiling it needs."""
    linter = _Linter(LintConfig(), {})
    settings, problems = toml_settings(config.folder)
    return linter.linted, linter.tenant(config, settings, problems)


class NothingToLint(Exception):
    """A path that is not there, or holds neither a tenant nor a rule file; the message names it."""


def lint(paths: Iterable[Path], given: LintConfig | None = None, texts: Mapping[str, str] | None = None) -> Linted:
    """Checks tenants, folders of tenants and single rule files. Raises NothingToLint.

    `given` goes before what files of settings say. `texts` stand for what is in files, by the names of their sources.
    """
    return _Linter(given or LintConfig(), texts or {}).lint(paths)


class _Linter:
    """One run over all paths."""

    def __init__(self, given: LintConfig, texts: Mapping[str, str]) -> None:
        self._given = given
        self._texts = texts
        self.linted = Linted()
        self._seen: dict[object, bool] = {}

    def lint(self, paths: Iterable[Path]) -> Linted:
        """Everything that counts."""
        for path in paths:
            for target in _targets(path):
                if target.suffix == ".epl":
                    self._file(target)
                else:
                    self._tenant(target)
        return self.linted

    def _file(self, path: Path) -> None:
        """A rule file on its own declares its event types itself (`create schema`)."""
        self.linted.files += 1
        try:
            source = self._current(Source.read(path))
        except (OSError, UnicodeDecodeError) as error:
            raise NothingToLint(f"{path}: {_reason(error)}") from error
        installed = Problems(source)
        checked = check(parse(source), installed_extensions(installed).environment())
        settings, problems = toml_settings(path.parent)
        selection = Selection.of(self._given, settings)
        found = _in_order([*checked.problems, *lint_program(LintContext.of(checked), selection.takes_code)])
        self._count([*problems, *installed, *with_fixes(found)], selection)

    def _tenant(self, path: Path) -> None:
        self.linted.files += 1
        settings, problems = toml_settings(path if path.is_dir() else path.parent)
        try:
            folder, source = read_yaml(path)
            config = _with_texts(read_tenant(folder, self._current(source)), self._texts)
        except InvalidInput as error:
            self._count([*problems, *error.diagnostics], Selection())
            return
        self.tenant(config, settings, problems)

    def tenant(self, config: TenantConfig, settings: LintConfig, problems: list[Diagnostic]) -> TenantChecker:
        """A tenant whose files have been read."""
        self.linted.files += len({each.name for each in _sources(config)} - {config.source.name})
        checker = TenantChecker(config)
        selection = Selection.of(self._given, config.lint, settings)
        warnings = (each for context in contexts(checker) for each in lint_program(context, selection.takes_code))
        found = with_fixes(_in_order([*checker.diagnostics, *warnings]))
        self._count([*problems, *(self._placed(each, config, selection) for each in found)], selection)
        return checker

    def _placed(self, diagnostic: Diagnostic, config: TenantConfig, selection: Selection) -> Diagnostic:
        """A diagnostic without its fix, where the text that it is about does not stand in a file as it is."""
        name = diagnostic.source.name
        if diagnostic.fix is None or not name.startswith(f"{config.source.name}#"):
            return diagnostic
        if selection.takes(diagnostic):
            self.linted.out_of_place.add(name)
        return replace(diagnostic, fix=None)

    def _current(self, source: Source) -> Source:
        return Source(source.name, self._texts[source.name]) if source.name in self._texts else source

    def _count(self, found: Iterable[Diagnostic], selection: Selection) -> None:
        # A folder and a file in it may both be given, and a file may serve two profiles: each problem counts once.
        for each in found:
            key = (each.code, each.source.name, each.span, each.message)
            fails = each.severity is Severity.ERROR or selection.strict
            if selection.takes(each) and key not in self._seen:
                self._seen[key] = False
                self.linted.diagnostics.append(each)
            if selection.takes(each) and fails and not self._seen[key]:
                self._seen[key] = True
                self.linted.failing += 1


def _sources(config: TenantConfig) -> Iterator[Source]:
    """The rule sets of a tenant."""
    yield config.controller
    for profile in config.profiles:
        yield profile.rules
        yield from (sub.rules for sub in profile.sub_sessions)


def _with_texts(config: TenantConfig, texts: Mapping[str, str]) -> TenantConfig:
    """A configuration whose rule files have other texts; rules within its YAML have come with that."""

    def current(source: Source) -> Source:
        other = source.name != config.source.name and source.name in texts
        return Source(source.name, texts[source.name]) if other else source

    profiles = tuple(
        replace(
            profile,
            rules=current(profile.rules),
            sub_sessions=tuple(replace(sub, rules=current(sub.rules)) for sub in profile.sub_sessions),
        )
        for profile in config.profiles
    )
    return replace(config, controller=current(config.controller), profiles=profiles)


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
