"""Declared types of events: a mapping from a type's name to its fields and their types."""

from __future__ import annotations

import yaml

from epl.diagnostics import Problems, did_you_mean
from epl.schema import EventType, is_readable
from epl.types import TYPE_NAMES, Type, parse_type
from runtime.config.codes import FIELD_NAME, UNKNOWN_TYPE
from runtime.config.reader import entries, is_null, shown, span_of, wrong_kind

# Longer than any name of a type; `parse_type` recurses once for each `[]`.
_LONGEST_TYPE = 100


def read_events(problems: Problems, node: yaml.Node | None) -> dict[str, EventType]:
    """The types of events under an `events:` key, empty when it is absent; what is wrong is reported."""
    _check_mapping(problems, "events", node)
    return {name: EventType(name, _fields(problems, name, fields)) for name, _, fields in entries(problems, node)}


def _fields(problems: Problems, event: str, node: yaml.Node) -> dict[str, Type]:
    _check_mapping(problems, event, node)
    fields: dict[str, Type] = {}
    for field, span, value in entries(problems, node):
        if not is_readable(field):
            problems.add(FIELD_NAME, span, field=shown(field))
        if not isinstance(value, yaml.ScalarNode):
            wrong_kind(problems, field, "a type such as `string` or `long`", value)
            continue
        type_ = parse_type(value.value) if len(value.value) <= _LONGEST_TYPE else None
        if type_ is None:
            hint = did_you_mean(value.value, TYPE_NAMES)
            problems.add(UNKNOWN_TYPE, span_of(value), hint=hint, type=shown(value.value), field=shown(field))
        else:
            fields[field] = type_
    return fields


def _check_mapping(problems: Problems, name: str, node: yaml.Node | None) -> None:
    if not is_null(node) and not isinstance(node, yaml.MappingNode) and node is not None:
        wrong_kind(problems, shown(name), "a mapping", node)
