"""What there is to say of an operation over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query; `schema` is JSON Schema."""

    name: str
    doc: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `answer` is the shape of what it gives, by `media`; `errors` by status, with why.

    `body` is the shape of the JSON that it wants, `body_media` the schemas of what may come in several kinds. `also`
    are other statuses with the same shape.
    """

    method: str
    path: str
    name: str
    doc: str
    answer: Any = str
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_media: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    media: str = "application/json"
    also: Mapping[int, str] = field(default_factory=dict)
    otherwise: Any = None
    """The shape of what it gives by the statuses of `refusals`, where that is more than an error."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)
    error_media: str = "application/json"
    is_open: bool = False
    """Whether it asks for no token."""


@dataclass(frozen=True, slots=True)
class Port:
    """All operations of a port."""

    title: str
    operations: tuple[Operation, ...]
