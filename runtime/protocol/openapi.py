"""The description of operations as OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from runtime.protocol import answers
from runtime.protocol.operation import Operation, Port

_REFERENCE = "#/components/schemas/{name}"
_GUARDED = {
    401: "no token, or not the right one",
    403: "there is no token, and the request did not come to this machine by a name of its loopback",
}


def described(port: Port) -> dict[str, Any]:
    """The OpenAPI document of a port. Its version is that of the API, not of the program."""
    known = port.operations
    shapes = [shape for each in known for shape in (each.answer, each.body, each.otherwise) if shape is not None]
    schemas, components = msgspec.json.schema_components(
        [*shapes, answers.Error, *answers.STEPS], ref_template=_REFERENCE
    )
    for component in components.values():
        if "description" in component:
            # A docstring has its indentation, before Python 3.13.
            component["description"] = cleandoc(component["description"])
    # A shape has one schema, wherever it stands.
    by_shape = {str(shape): schema for shape, schema in zip(shapes, schemas, strict=False)}
    paths: dict[str, dict[str, Any]] = {}
    for each in known:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, by_shape)
    used = _used(paths, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": port.title, "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in sorted(components.items()) if name in used},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    content = {operation.media: {"schema": schemas[str(operation.answer)]}}
    answered = {200: "so it is", **operation.also}
    responses = {str(status): {"description": doc, "content": content} for status, doc in answered.items()}
    refused = {**({} if operation.is_open else _GUARDED), **operation.errors}
    error = {"type": "string"} if operation.error_media != "application/json" else {"$ref": _error()}
    for status, doc in sorted(refused.items()):
        responses[str(status)] = {"description": doc, "content": {operation.error_media: {"schema": error}}}
    for status, doc in operation.refusals.items():
        schema = schemas[str(operation.otherwise)]
        responses[str(status)] = {"description": doc, "content": {"application/json": {"schema": schema}}}
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.doc,
        "parameters": _parameters(operation),
        "responses": responses,
        "security": [] if operation.is_open else [{}, {"token": []}],
    }
    if operation.body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[str(operation.body)]}},
        }
    elif operation.body_media:
        media = {kind: {"schema": schema} for kind, schema in operation.body_media.items()}
        found["requestBody"] = {"required": True, "content": media}
    return found


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    in_query = [
        {
            "name": each.name,
            "in": "query",
            "required": each.required,
            "description": each.doc,
            "schema": dict(each.schema),
        }
        for each in operation.parameters
    ]
    return in_path + in_query


def _error() -> str:
    return _REFERENCE.format(name=answers.Error.__name__)


def _used(part: Any, components: Mapping[str, Any]) -> set[str]:
    """The names of the components that something refers to, and those that these refer to."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)}:
                name = reference.rpartition("/")[2]
                if name not in found:
                    found.add(name)
                    waiting.append(components[name])
            case dict() as each:
                waiting += each.values()
            case list() as each:
                waiting += each
    return found
