"""What `sojourn lint --fix` makes of files: rounds of fixes, each linted again, and no file with an error it had not.

Everything happens in memory, so that `--diff` shows just what `--fix` would write.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from epl import Diagnostic, Severity
from epl.diagnostics import Edit
from runtime.config import LintConfig
from runtime.lint import Linted, lint
from runtime.lint_files import TextFile

_ROUNDS = 20
"""A fix may make way for another, such as a variable that only an unused expression used; some end is needed."""


@dataclass(slots=True)
class Fixed:
    """What became of the files. `before` and `after` have the changed ones, by the names that diagnostics give them.

    `linted` is what remains, `count` the number of diagnostics that were fixed, `refused` those whose fix would have
    made an error.
    """

    before: Mapping[str, TextFile]
    after: Mapping[str, TextFile]
    linted: Linted
    count: int = 0
    refused: list[Diagnostic] = field(default_factory=list)


def fixed(paths: Iterable[Path], given: LintConfig | None = None) -> Fixed:
    """Lints, fixes and lints again until nothing more can be fixed. Writes nothing. Raises NothingToLint."""
    return _Fixer(tuple(paths), given or LintConfig()).run()


class _Fixer:
    """One run. `_files` are the files as they would be now, those in `_read` as they are on disk."""

    def __init__(self, paths: tuple[Path, ...], given: LintConfig) -> None:
        self._paths = paths
        self._given = given
        self._read: dict[str, TextFile] = {}
        self._files: dict[str, TextFile] = {}
        self._linted = lint(paths, given)
        self._refused: dict[object, Diagnostic] = {}

    def run(self) -> Fixed:
        """Rounds of fixes until there are no more."""
        count = 0
        for _ in range(_ROUNDS):
            chosen = self._chosen()
            made = self._sound([], chosen)
            kept = {id(each) for each in made}
            self._refused |= {_identity(each): each for each in chosen if id(each) not in kept}
            if not made:
                break
            count += len(made)
            self._files = self._edited(made)
            self._linted = self._lint(self._files)
        changed = [name for name, file in self._files.items() if file != self._read[name]]
        return Fixed(
            {name: self._read[name] for name in changed},
            {name: self._files[name] for name in changed},
            self._linted,
            count,
            list(self._refused.values()),
        )

    def _chosen(self) -> list[Diagnostic]:
        """The fixes of this round: of those that touch the same text, the first."""
        taken: dict[str, _Taken] = {}
        chosen = []
        for each in self._linted.diagnostics:
            edits = self._edits(each)
            if edits is None or _identity(each) in self._refused:
                continue
            if taken.setdefault(each.source.name, _Taken()).take(edits):
                chosen.append(each)
        return chosen

    def _edits(self, diagnostic: Diagnostic) -> list[Edit] | None:
        if diagnostic.fix is None:
            return None
        name = diagnostic.source.name
        if name not in self._read:
            self._read[name] = TextFile.read(Path(name))
        return self._files.get(name, self._read[name]).edits_of(diagnostic.source, diagnostic.fix.edits)

    def _sound(self, made: list[Diagnostic], rest: list[Diagnostic]) -> list[Diagnostic]:
        """Those of the rest that make no error together with the ones before; where some do, found by halves."""
        if not rest:
            return made
        if self._adds_no_error([*made, *rest]):
            return [*made, *rest]
        if len(rest) == 1:
            return made
        half = len(rest) // 2
        return self._sound(self._sound(made, rest[:half]), rest[half:])

    def _adds_no_error(self, chosen: list[Diagnostic]) -> bool:
        after = self._lint(self._edited(chosen))
        return not _errors(after) - _errors(self._linted)

    def _edited(self, chosen: list[Diagnostic]) -> dict[str, TextFile]:
        edits: dict[str, list[Edit]] = {}
        for each in chosen:
            edits.setdefault(each.source.name, []).extend(self._edits(each) or [])
        files = {**self._files}
        for name, of_file in edits.items():
            files[name] = files.get(name, self._read[name]).edited(of_file)
        return files

    def _lint(self, files: Mapping[str, TextFile]) -> Linted:
        return lint(self._paths, self._given, {name: file.text for name, file in files.items()})


class _Taken:
    """The places of a file that fixes of one round change: they neither overlap nor meet, where order would matter."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, edits: list[Edit]) -> bool:
        """Takes the places of a fix; False, and nothing is taken, when one is taken already."""
        if any(self._touches(edit) for edit in edits):
            return False
        for edit in edits:
            at = bisect_right(self._starts, edit.span.start)
            self._starts.insert(at, edit.span.start)
            self._ends.insert(at, edit.span.end)
        return True

    def _touches(self, edit: Edit) -> bool:
        behind = bisect_right(self._starts, edit.span.end)
        return behind > 0 and self._ends[behind - 1] >= edit.span.start


def _errors(linted: Linted) -> Counter[tuple[str, str, str]]:
    errors = (found for found in linted.diagnostics if found.severity is Severity.ERROR)
    return Counter((found.source.name, found.code.id, found.message) for found in errors)


def _identity(diagnostic: Diagnostic) -> object:
    """What stays the same when text before it changes."""
    text = diagnostic.source.slice(diagnostic.span)
    return diagnostic.source.name, diagnostic.code.id, diagnostic.message, text
