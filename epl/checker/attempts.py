"""Attributes that a rule set means to write, mistakes and all.

A rule with a mistake writes nothing, as far as the checker knows. Whoever reads its attribute should not be told so
once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl import ast
from epl.canonical import canonical
from epl.parser import Parsed

_BY_ARGUMENT = ("UpdateCounter", "AppendCounter", "AppendState")
_BY_COLUMN = ("UpdateState", "UpdateMetadata")
_WORD = re.compile(r"\w+")


def attempted_attributes(parsed: Parsed) -> frozenset[str]:
    """The names that annotations and columns would write, and every word of a statement that did not parse."""
    names = {name for statement in parsed.statements for name in _written_by(statement)}
    return frozenset(names.union(*(_WORD.findall(parsed.source.slice(span)) for span in parsed.broken)))


def _written_by(statement: ast.Statement) -> Iterator[str]:
    if not isinstance(statement, ast.Select):
        return
    for annotation in statement.annotations:
        if annotation.name in _BY_ARGUMENT:
            yield from (str(argument.value) for argument in annotation.arguments if argument.name in (None, "name"))
        if annotation.name in _BY_COLUMN:
            for column in statement.columns:
                if isinstance(column, ast.Column):
                    yield canonical(column.expression) if column.name is None else column.name.text
