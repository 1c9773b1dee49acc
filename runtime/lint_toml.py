"""`sojourn.toml`: settings of a whole repository.

It is looked for from the path that is linted upwards, to the folder that has a `.git`, or to the root. Its `[lint]` is
read as the `lint` section of `sessionizer.yaml` is, with the same messages: the table becomes the nodes that YAML would
give. tomllib gives no places, so they are looked for in the text.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

from epl import Diagnostic, Problems, Source
from epl.diagnostics import did_you_mean
from epl.source import Span
from runtime.config import LintConfig, read_lint_section
from runtime.config.codes import UNKNOWN_KEY, UNREADABLE
from runtime.config.reader import shown

TOML_NAME = "sojourn.toml"
"""The file of settings for all that is below its folder."""

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")
_TAG = "tag:yaml.org,2002:"


def toml_settings(path: Path) -> tuple[LintConfig, list[Diagnostic]]:
    """The settings of the `sojourn.toml` that holds for a path, and what is wrong with them."""
    file = toml_file_for(path)
    if file is None:
        return LintConfig(), []
    name = str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
    try:
        source = Source.read(file, name)
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error)).lower()
        problems = Problems(Source(name, ""))
        problems.add(UNREADABLE, Span(0, 0), file=name, reason=reason)
        return LintConfig(), list(problems)
    problems = Problems(source)
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        reason = _PLACE.sub("", str(error)).strip().lower()
        problems.add(UNREADABLE, _error_place(source, str(error)), file=name, reason=f"it is not TOML: {reason}")
        return LintConfig(), list(problems)
    for key in document.keys() - {"lint"}:
        place = _key_place(source.text, key, 0)
        problems.add(UNKNOWN_KEY, place, hint=did_you_mean(key, ["lint"]), key=shown(key), place="at the top")
    return read_lint_section(problems, _as_node(source, document.get("lint", {}))), list(problems)


def toml_file_for(path: Path) -> Path | None:
    """The `sojourn.toml` that holds for a path; None when there is none."""
    start = path.resolve()
    for folder in (start, *start.parents):
        if (folder / TOML_NAME).is_file():
            return folder / TOML_NAME
        if (folder / ".git").exists():
            return None
    return None


def _as_node(source: Source, table: object) -> yaml.Node:
    """The table as the node that YAML would give, each part at the line of its key."""
    heading = _key_place(source.text, "lint", 0)
    if not isinstance(table, dict):
        return _node(table, heading)
    pairs = []
    for name, value in table.items():
        place = _key_place(source.text, name, heading.start)
        pairs.append((_node(name, place), _node(value, place)))
    return yaml.MappingNode(f"{_TAG}map", pairs, *_marks(heading))


def _node(value: object, place: Span) -> yaml.Node:
    match value:
        case bool():
            return yaml.ScalarNode(f"{_TAG}bool", str(value).lower(), *_marks(place))
        case str():
            # Quoted: the text "true" is no switch.
            return yaml.ScalarNode(f"{_TAG}str", value, *_marks(place), style=None if _is_word(value) else '"')
        case list():
            return yaml.SequenceNode(f"{_TAG}seq", [_node(each, place) for each in value], *_marks(place))
        case dict():
            pairs = [(_node(name, place), _node(each, place)) for name, each in value.items()]
            return yaml.MappingNode(f"{_TAG}map", pairs, *_marks(place))
        case _:
            return yaml.ScalarNode(f"{_TAG}{type(value).__name__}", str(value), *_marks(place))


def _is_word(value: str) -> bool:
    return value not in ("true", "false")


def _marks(place: Span) -> tuple[yaml.Mark, yaml.Mark]:
    start, end = (yaml.Mark(TOML_NAME, at, 0, 0, None, 0) for at in (place.start, place.end))
    return start, end


def _key_place(text: str, name: str, start: int) -> Span:
    """Where a key or the heading of a table stands behind an offset: tomllib does not say. The top, when not found."""
    bare = re.escape(name)
    found = re.compile(rf"^[ \t]*\[*[ \t]*['\"]?({bare})\b", re.MULTILINE).search(text, start)
    return Span(found.start(1), found.end(1)) if found else Span(start, start)


def _error_place(source: Source, message: str) -> Span:
    found = _PLACE.search(message)
    if found is None or found[1] is None:
        return Span(len(source.text), len(source.text))
    lines = source.text.split("\n")
    line = min(int(found[1]), len(lines))
    start = sum(len(each) + 1 for each in lines[: line - 1])
    at = min(start + int(found[2]) - 1, len(source.text))
    return Span(at, min(at + 1, len(source.text)))
