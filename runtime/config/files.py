"""Files of a tenant: finding folders, reading texts, and naming them as the user would type them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from epl.diagnostics import InvalidInput, Problems, did_you_mean
from epl.source import Source, Span
from runtime.config.codes import RULES_TWICE, UNREADABLE
from runtime.config.reader import Section

YAML_NAME = "sessionizer.yaml"
"""The file that makes a folder a tenant's."""


def find_tenants(path: Path) -> list[Path]:
    """The tenants of a path, sorted: itself when it is a tenant's folder or YAML, else all folders of tenants below it.

    Hidden folders, and folders within a tenant's, are not searched. Raises InvalidInput when the path does not exist.
    """
    # os.path, because Path's own tests raise for a folder that may not be entered and for a name too long.
    if os.path.isfile(path) or os.path.isfile(path / YAML_NAME):
        return [path]
    if not os.path.isdir(path):
        raise _unreadable(path, "there is no such file or folder")
    found: list[Path] = []
    for folder, subfolders, files in os.walk(path):
        if YAML_NAME in files:
            found.append(Path(folder))
            subfolders.clear()
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
    return sorted(found)


def read_yaml(folder_or_yaml: Path) -> tuple[Path, Source]:
    """A tenant's folder and the text of its YAML. Raises InvalidInput when there is none, or it cannot be read."""
    path = folder_or_yaml / YAML_NAME if os.path.isdir(folder_or_yaml) else folder_or_yaml
    return path.parent, read_text(path)


def read_text(path: Path) -> Source:
    """A file's text, named as the user would type it. Raises InvalidInput when it cannot be read."""
    source = text_or_reason(path)
    if isinstance(source, Source):
        return source
    raise _unreadable(path, source)


class RuleFiles:
    """The rule files of a tenant by the names that its YAML gives them; `read` has those that it has named so far.

    They are in `folder`, or in `kept` where that is given: a folder as it was once (`runtime.service.versions`).
    """

    def __init__(self, folder: Path, kept: Mapping[str, Source] | None = None) -> None:
        self.read: dict[str, Source] = {}
        self._folder = folder
        self._kept = kept

    def text_or_reason(self, name: str) -> Source | str:
        """The text of a file, or why there is none."""
        kept = self._kept
        found = text_or_reason(self._folder / name) if kept is None else kept.get(name, "it was not kept")
        if isinstance(found, Source):
            self.read[name] = found
        return found

    def names(self) -> list[str]:
        """What a name may have been meant to be."""
        return _names_in(self._folder, "*.epl") if self._kept is None else list(self._kept)


def read_rules(section: Section, key: str, files: RuleFiles, *, required: bool = False) -> Source:
    """The rules of a section: the file that `key` names, or the text under `<key>_text`; empty when neither is given.

    A file that cannot be read, both keys, and neither when `required` are reported.
    """
    problems, text_key = section.problems, f"{key}_text"
    file, text = section.text(key), section.text_block(text_key)
    if file.given and text.given:
        problems.add(RULES_TWICE, text.span, file_key=key, text_key=text_key)
    elif required and not file.given and not text.given:
        section.report_missing(key, hint=f"name a file, or give the rules themselves under `{text_key}`")
    elif file.given and file.valid:
        source = files.text_or_reason(file.value)
        if isinstance(source, Source):
            return source
        hint = did_you_mean(file.value, files.names())
        problems.add(UNREADABLE, file.span, hint=hint, file=file.value, reason=source)
    node = section.node(text_key)
    # A literal block keeps its place in the file: what is found in its rules is reported at the YAML's own line and
    # column. Any other style escapes or folds, so that places in it count from its own start.
    if isinstance(node, yaml.ScalarNode) and node.style == "|" and text.valid:
        return _in_place(problems.source, text.span)
    return Source(f"{problems.source.name}#{section.place}.{text_key}".replace("#.", "#"), text.value)


def _in_place(source: Source, span: Span) -> Source:
    start = source.text.find("\n", span.start, span.end) + 1 or span.end
    lines_before = source.position(start).line - 1
    return Source(source.name, "\n" * lines_before + source.text[start : span.end])


def text_or_reason(path: Path) -> Source | str:
    """The text of a file, or why there is none."""
    try:
        if not path.is_file():
            return "it is a folder" if path.is_dir() else "there is no such file"
        return Source.read(path, _typed_name(path))
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 (byte {error.start})"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return (reason or "there cannot be such a file").lower()


def _typed_name(path: Path) -> str:
    """A path as the user would type it: below the working folder relative to it, else as it was given."""
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)


def _unreadable(path: Path, reason: str) -> InvalidInput:
    problems = Problems(Source(_typed_name(path), ""))
    hint = did_you_mean(path.name, _names_in(path.parent, "*.y*ml"))
    problems.add(UNREADABLE, Span(0, 0), hint=hint, file=problems.source.name, reason=reason)
    return InvalidInput(problems)


def _names_in(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern)) if os.path.isdir(folder) else []
