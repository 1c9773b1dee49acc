"""Nodes of YAML to typed values, by the registry of keys; what does not fit is reported with its place.

A value that cannot be read counts as its default and as not `valid`, so reading goes on, finds every problem, and no
check compares what the user never wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import yaml

from epl.diagnostics import Problems, did_you_mean
from epl.source import Span
from runtime.config.codes import BELOW_MINIMUM, DUPLICATE_KEY, MISSING_KEY, UNKNOWN_CHOICE, UNKNOWN_KEY, WRONG_KIND
from runtime.config.keys import TENANT_KEYS, Key, Kind, Registry, parse_number, place_of
from runtime.config.units import format_duration, format_size

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_TAG = "tag:yaml.org,2002:"
_OTHER_SIZE = re.compile(r"([0-9]{1,9}) *([KMGkmg])(?:i?[Bb])?")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A value and its place. `given`: it stands in the file. `valid`: it can be compared with others."""

    value: T
    span: Span
    given: bool = True
    valid: bool = True


class Section:
    """A mapping of the file, read key by key. Unknown, repeated and missing keys are reported when it is made.

    `path` is its path in the registry, `place` the same with the numbers of list entries.
    """

    def __init__(
        self,
        problems: Problems,
        node: yaml.Node | None,
        path: str = "",
        place: str = "",
        registry: Registry = TENANT_KEYS,
    ) -> None:
        self.problems = problems
        self.place = place
        self._path = path
        self._registry = registry
        self._keys = registry.of(path)
        self._nodes: dict[str, yaml.Node] = {}
        self.span = Span(0, 0) if node is None else span_of(node)
        # `limits:` whose keys are all commented out is an empty mapping to everyone but YAML.
        self._valid = is_null(node) or isinstance(node, yaml.MappingNode)
        if node is not None and not self._valid:
            wrong_kind(problems, self._name(), "a mapping", node)
            return
        for name, key_span, value in entries(problems, node):
            if name not in self._keys:
                hint = registry.hint_for_unknown(path, name)
                problems.add(UNKNOWN_KEY, key_span, hint=hint, key=shown(name), place=place_of(path))
                continue
            if not self._nodes:
                self.span = key_span
            self._nodes[name] = value
        self._report_missing()

    def node(self, name: str) -> yaml.Node | None:
        """What stands at a key, None when it is absent."""
        return self._nodes.get(name)

    def kind(self, name: str) -> Kind:
        """What a key holds."""
        return self._keys[name].kind

    def number(self, name: str) -> Found[int]:
        """A duration in ms, a size in bytes or a count; without a default, 0 that is not `given`."""
        key, node = self._keys[name], self._nodes.get(name)
        default = 0 if key.default is None else self._registry.default_number(key.path)
        if node is None:
            return self._absent(default)
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        value = parse_number(key.kind, text)
        span = span_of(node)
        if value is None:
            wrong_kind(self.problems, name, key.kind.value, node, _unit_hint(key, text))
        elif value < key.minimum:
            least, shown_value = (_with_unit(key.kind, number) for number in (key.minimum, value))
            self.problems.add(BELOW_MINIMUM, span, key=name, minimum=least, value=shown_value)
        else:
            return Found(value, span)
        return Found(default, span, valid=False)

    def text(self, name: str) -> Found[str]:
        """A name; empty when it is absent and has no default."""
        key, node = self._keys[name], self._nodes.get(name)
        if node is None:
            return self._absent(key.default or "")
        return self._text_of(node, name, key.kind.value) or Found(key.default or "", span_of(node), valid=False)

    def optional_text(self, name: str) -> Found[str | None]:
        """A name, or None for null."""
        key, node = self._keys[name], self._nodes.get(name)
        default = None if key.default == "null" else key.default
        if node is None:
            return self._absent(default)
        if is_null(node):
            return Found(None, span_of(node))
        found = self._text_of(node, name, key.kind.value)
        return Found(found.value, found.span) if found else Found(default, span_of(node), valid=False)

    def text_block(self, name: str) -> Found[str]:
        """A text of any number of lines; empty when it is absent."""
        node = self._nodes.get(name)
        if node is None:
            return self._absent("")
        if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}str":
            return Found(node.value, span_of(node))
        wrong_kind(self.problems, name, self._keys[name].kind.value, node)
        return Found("", span_of(node), valid=False)

    def choice(self, name: str, words: type[E]) -> Found[E]:
        """One of the words of an enum."""
        found = self.text(name)
        if found.value in set(words):
            return Found(words(found.value), found.span, found.given, found.valid)
        self.problems.add(
            UNKNOWN_CHOICE,
            found.span,
            hint=did_you_mean(found.value, words),
            key=name,
            words=", ".join(f"`{word}`" for word in words),
            value=shown(found.value),
        )
        return Found(words(self._keys[name].default or ""), found.span, valid=False)

    def switch(self, name: str) -> Found[bool]:
        """`true` or `false`, in any of YAML's spellings of case."""
        key, node = self._keys[name], self._nodes.get(name)
        default = key.default == "true"
        if node is None:
            return self._absent(default)
        text = node.value.lower() if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}bool" else ""
        if text in ("true", "false"):
            return Found(text == "true", span_of(node))
        wrong_kind(self.problems, name, key.kind.value, node)
        return Found(default, span_of(node), valid=False)

    def modules(self, name: str) -> tuple[Found[str], ...]:
        """Names of Python modules, such as `shop.functions`."""
        node = self._nodes.get(name)
        if node is None or is_null(node):
            return ()
        expected = self._keys[name].kind.value
        if not isinstance(node, yaml.SequenceNode):
            wrong_kind(self.problems, name, expected, node)
            return ()
        for item in node.value:
            if not _is_module(item):
                wrong_kind(self.problems, name, expected, item)
        return tuple(Found(item.value, span_of(item)) for item in node.value if _is_module(item))

    def options(self, name: str) -> dict[str, Found[str]]:
        """A mapping of names to texts, as they stand there: `true` and `5` are texts, too."""
        node = self._nodes.get(name)
        if node is None or is_null(node):
            return {}
        expected = self._keys[name].kind.value
        if not isinstance(node, yaml.MappingNode):
            wrong_kind(self.problems, name, expected, node)
        found = {}
        for option, _, value in entries(self.problems, node):
            if isinstance(value, yaml.ScalarNode) and not is_null(value):
                found[option] = Found(value.value, span_of(value))
            else:
                wrong_kind(self.problems, option, "a text", value)
        return found

    def section(self, name: str) -> Section:
        """The mapping at a key, empty when it is absent."""
        path = f"{self._path}.{name}".lstrip(".")
        place = f"{self.place}.{name}".lstrip(".")
        return Section(self.problems, self._nodes.get(name), path, place, self._registry)

    def sections(self, name: str) -> list[Section]:
        """The list of mappings at a key, empty when it is absent; a required list has at least one."""
        key, node = self._keys[name], self._nodes.get(name)
        if node is None or (is_null(node) and not key.required):
            return []
        if not isinstance(node, yaml.SequenceNode) or (key.required and not node.value):
            wrong_kind(self.problems, name, "a list of at least one mapping" if key.required else key.kind.value, node)
            return []
        place = f"{self.place}.{name}".lstrip(".")
        return [
            Section(self.problems, item, f"{key.path}[]", f"{place}[{i}]", self._registry)
            for i, item in enumerate(node.value)
        ]

    def report_missing(self, name: str, hint: str | None = None) -> None:
        """Reports that a key must be given, unless the section itself is none."""
        if self._valid:
            self.problems.add(MISSING_KEY, self.span, hint=hint, key=name, place=place_of(self._path))

    def _report_missing(self) -> None:
        for name, key in self._keys.items():
            if key.required and name not in self._nodes:
                self.report_missing(name)

    def _name(self) -> str:
        return self._path.rpartition(".")[2] or self._registry.file

    def _absent(self, default: T) -> Found[T]:
        return Found(default, self.span, given=False, valid=self._valid)

    def _text_of(self, node: yaml.Node, name: str, expected: str) -> Found[str] | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}str":
            quotable = isinstance(node, yaml.ScalarNode) and not is_null(node) and node.value.isprintable()
            wrong_kind(self.problems, name, expected, node, f'write it as text: `"{node.value}"`' if quotable else None)
            return None
        if not node.value or not node.value.isprintable():
            wrong_kind(self.problems, name, expected, node)
            return None
        return Found(node.value, span_of(node))


def entries(problems: Problems, node: yaml.Node | None) -> Iterator[tuple[str, Span, yaml.Node]]:
    """The names of a mapping with their places and values, none for another node.

    A key that is no name, or stands twice, is reported.
    """
    seen: dict[str, Span] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        # The text and not the tag: `on` and `1` are booleans and numbers to YAML, and good names of fields.
        if not isinstance(key, yaml.ScalarNode) or not key.value or not key.value.isprintable():
            problems.add(WRONG_KIND, span_of(key), key="a key", expected="a name", found=_described(key))
        elif key.value in seen:
            first = problems.source.position(seen[key.value].start)
            problems.add(DUPLICATE_KEY, span_of(key), key=shown(key.value), line=first.line)
        else:
            seen[key.value] = span_of(key)
            yield key.value, seen[key.value], value


def wrong_kind(problems: Problems, name: str, expected: str, node: yaml.Node, hint: str | None = None) -> None:
    """Reports a value of the wrong kind: what was expected, and what stands there."""
    problems.add(WRONG_KIND, span_of(node), hint=hint, key=f"`{name}`", expected=expected, found=_described(node))


def span_of(node: yaml.Node) -> Span:
    """The place of a node."""
    return Span(node.start_mark.index, node.end_mark.index)


def is_null(node: yaml.Node | None) -> bool:
    """True for `null`, `~` and nothing at all."""
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null")


def shown(text: str) -> str:
    """A text as messages quote it: short, and harmless to a terminal."""
    line = "".join(char if char.isprintable() else "·" for char in text)
    return line if len(line) <= 40 else f"{line[:39]}…"


def _described(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return "null" if is_null(node) else f"`{shown(node.value)}`" if node.value else "an empty text"
    kind = "list" if isinstance(node, yaml.SequenceNode) else "mapping"
    return f"a {kind}" if node.value else f"an empty {kind}"


def _is_module(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}str":
        return False
    return all(part.isidentifier() for part in node.value.split("."))


def _unit_hint(key: Key, text: str) -> str | None:
    if key.kind is Kind.DURATION and text.isascii() and text.isdigit() and len(text) < 16:
        return f"give the unit: `{text}s` for seconds, `{text}ms` for milliseconds"
    if key.kind is Kind.SIZE and (match := _OTHER_SIZE.fullmatch(text)):
        return f"write `{match[1]}{match[2].upper()}iB`"
    return None


def _with_unit(kind: Kind, number: int) -> str:
    return {Kind.DURATION: format_duration, Kind.SIZE: format_size}.get(kind, str)(number)
