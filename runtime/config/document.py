"""YAML text to a tree of nodes with places, with limits on what a text may make of itself.

Nodes and not values, because every message points at the place it is about. Anchors and aliases work; a few bytes of
them may stand for billions of nodes or for an endless one, so depth and size are limited while the tree is built.
"""

from __future__ import annotations

import yaml
from yaml.composer import ComposerError

from epl.diagnostics import Problems
from epl.source import Span
from runtime.config.codes import NOT_YAML

_MAX_DEPTH = 32
_MAX_NODES = 100_000


class _LimitedLoader(yaml.SafeLoader):
    """Composes nodes, and counts those behind an alias each time that it is used."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0
        self._sizes: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As PyYAML's, within the limits. Raises ComposerError beyond them."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
        is_alias = self.check_event(yaml.AliasEvent)
        before = self._nodes
        self._depth += 1
        self._nodes += 1
        if self._depth > _MAX_DEPTH:
            raise ComposerError(None, None, f"nested deeper than {_MAX_DEPTH} levels", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and is_alias:
            if node not in self._sizes:
                raise ComposerError(None, None, "an alias of the block that it stands in", mark)
            self._nodes = before + self._sizes[node]
        elif node is not None:
            self._sizes[node] = self._nodes - before
        if self._nodes > _MAX_NODES:
            raise ComposerError(None, None, f"more than {_MAX_NODES} values", mark)
        # `"\ud800"` is no character: it could be neither printed nor written.
        if isinstance(node, yaml.ScalarNode) and any("\ud800" <= char <= "\udfff" for char in node.value):
            raise ComposerError(None, None, "an escape of half a character", mark)
        return node


def read_document(problems: Problems) -> yaml.Node | None:
    """The root of the only YAML document of a source; None when it is empty, or no YAML, which is reported."""
    text = problems.source.text
    loader: _LimitedLoader | None = None
    try:
        loader = _LimitedLoader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        _report(problems, error.position, f"the character U+{error.character:04X} is not allowed")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "it cannot be read"
        _report(problems, mark.index if mark else 0, reason)
    except (ValueError, OverflowError):
        # PyYAML computes with the digits of escapes and of %YAML without a look at their size.
        _report(problems, loader.get_mark().index if loader else 0, "a number is out of range")
    return None


def _report(problems: Problems, offset: int, reason: str) -> None:
    text = problems.source.text
    hint = None
    if text[offset : offset + 1] == "\t":
        hint = "indent with spaces: YAML does not take tabs"
    if text[offset : offset + 1] == "[":
        hint = 'put the type of an array in quotes within braces: `"string[]"`'
    problems.add(NOT_YAML, Span(offset, min(offset + 1, len(text))), hint=hint, reason=reason.replace("\t", r"\t"))
