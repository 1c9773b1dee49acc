"""The functions and annotations that a tenant's rules may use beside those of the language.

They come from installed packages (entry point group `sojourn.extensions`, for all tenants) and from the modules that
`imports` names. A module beside the rules belongs to its tenant: two tenants may each have their `functions.py`, and
loading one again reads the file again.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from epl import Environment
from epl.diagnostics import Problems
from epl.extend import BadExtension, Extension, extension_of
from epl.extend.collect import wrong_examples
from epl.registry import BUILTINS, CATALOG, Catalog
from epl.registry.annotations import ANNOTATIONS, AnnotationEntry
from epl.source import Span
from runtime.config import TenantConfig, codes

ENTRY_POINTS = "sojourn.extensions"
_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the rules of one tenant can call and be annotated with, and which modules added to it."""

    catalog: Catalog = CATALOG
    annotations: tuple[AnnotationEntry, ...] = ANNOTATIONS
    added: tuple[Extension, ...] = ()

    def environment(self) -> Environment:
        """An environment that has all of it, and else only defaults."""
        return Environment(catalog=self.catalog, annotations=self.annotations)


def installed_extensions(problems: Problems) -> Extensions:
    """Those of installed packages. One that fails is reported at the start of the source."""
    extensions = Extensions()
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        extensions = _with(extensions, point.value, _NOWHERE, problems, None)
    return extensions


def load_extensions(config: TenantConfig, problems: Problems) -> Extensions:
    """All of a tenant. What cannot be loaded is reported where `imports` names it."""
    extensions = installed_extensions(problems)
    for imported in config.imports:
        extensions = _with(extensions, imported.module, imported.span, problems, config.folder)
    return extensions


def _with(before: Extensions, name: str, span: Span, problems: Problems, folder: Path | None) -> Extensions:
    try:
        module = _imported(name, folder)
    except BadExtension as error:
        problems.add(codes.IMPORT_FAILED, span, module=name, reason=str(error))
        return before
    except (Exception, SystemExit) as error:
        # A module is a program: importing it can do anything, except end ours.
        problems.add(codes.IMPORT_FAILED, span, module=name, reason=_reason(error, name))
        return before
    extension = replace(extension_of(module), module=name)
    if not extension.functions and not extension.annotations:
        problems.add(codes.NOTHING_REGISTERED, span, module=name)
        return before
    taken = _taken(before)
    clashes = [title for title in _titles(extension) if title in taken]
    for title in clashes:
        problems.add(codes.NAME_IN_USE, span, name=title, module=name)
    if clashes:
        return before
    extensions = Extensions(
        before.catalog.extended(extension.functions),
        (*before.annotations, *extension.annotations),
        (*before.added, extension),
    )
    for title, example, outcome in wrong_examples(extension, extensions.environment()):
        problems.add(codes.WRONG_EXAMPLE, span, name=title, module=name, example=example, outcome=outcome)
    return extensions


def _titles(extension: Extension) -> Iterator[str]:
    yield from (entry.title for entry in extension.functions)
    yield from (f"@{entry.name}" for entry in extension.annotations)


def _taken(extensions: Extensions) -> set[str]:
    titles = {entry.title for entry in extensions.catalog.entries} | {builtin.name for builtin in BUILTINS}
    return titles | {f"@{entry.name}" for entry in extensions.annotations}


def _reason(error: BaseException, name: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name is not None and name.startswith(error.name):
        return "there is no such module"
    return f"{type(error).__name__}: {error}"


def _imported(name: str, folder: Path | None) -> ModuleType:
    if folder is None:
        return importlib.import_module(name)
    with _beside_rules(folder):
        return importlib.import_module(name)


@contextmanager
def _beside_rules(folder: Path) -> Iterator[None]:
    """Within: the folder's modules are found first, and are not those of another folder. Afterwards nothing shows."""
    place = str(folder.resolve())
    own = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own - _loaded_before()}
    for name in hidden:
        del sys.modules[name]
    writes_bytecode = sys.dont_write_bytecode
    sys.path.insert(0, place)
    # A folder of rules is not ours to write to, and a file that changes twice a second must be read twice.
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_bytecode
        sys.path.remove(place)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is not None and Path(file).is_relative_to(place) and name.partition(".")[0] in own:
                del sys.modules[name]
        sys.modules.update(hidden)


@cache
def _loaded_before() -> frozenset[str]:
    """Modules that are Python's own or ours: a folder of that name beside the rules does not replace them."""
    return frozenset({*sys.stdlib_module_names, "epl", "runtime"})
