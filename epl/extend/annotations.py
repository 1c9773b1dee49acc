"""`@annotation`: a Python function that says what a new annotation does with the row of its rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from epl import types
from epl.extend.effects import RowColumns
from epl.extend.errors import BadExtension
from epl.extend.functions import MARK, documentation
from epl.extend.hints import hints_of
from epl.registry.annotations import AnnotationEntry, Parameter, RowColumn
from epl.stage import Stage
from epl.typed import Effect
from epl.types import Kind, Type

F = TypeVar("F", bound=Callable[..., Sequence[Effect]])
_PARAMETERS = (Kind.STRING, Kind.BOOLEAN, Kind.LONG, Kind.INT)


def annotation(
    name: str,
    *,
    example: str,
    stages: Iterable[Stage] = (Stage.MAIN, Stage.SUB),
    columns: Iterable[tuple[str, Type, str]] = (),
    on_markers: bool = True,
) -> Callable[[F], F]:
    """Registers an annotation: the function gets the row's columns and the arguments, and returns the effects.

    Its first parameter is the row (`epl.extend.RowColumns`); the others are the parameters of the annotation, typed
    `Annotated[str, "what it means"]` (or bool, or int), with their defaults. `columns` are those that a row must
    have, with types and meanings. `example` is a rule about `PageView (user string, et string, n int, at long)`, which
    is checked whenever the module is loaded. The function runs once for each rule, when that is checked; a ValueError
    becomes a diagnostic with its text. Raises BadExtension.
    """

    def register(implementation: F) -> F:
        try:
            if not name.isidentifier():
                raise BadExtension("its name is no name")
            parameters = _parameters(implementation)
            entry = AnnotationEntry(
                name,
                frozenset(stages),
                documentation(implementation),
                example,
                parameters,
                tuple(RowColumn(column, type_, summary) for column, type_, summary in columns),
                bare=parameters[0].name if parameters else None,
                on_markers=on_markers,
                expand=lambda row, arguments: implementation(RowColumns(row), **arguments),
            )
        except BadExtension as error:
            raise BadExtension(f"the annotation @{name}: {error}") from error
        setattr(implementation, MARK, entry)
        return implementation

    return register


def _parameters(implementation: Callable[..., Any]) -> tuple[Parameter, ...]:
    given = list(inspect.signature(implementation).parameters.values())
    if not given:
        raise BadExtension("its function takes no row")
    hints = hints_of(implementation, [each.name for each in given[1:]])
    found = []
    for each in given[1:]:
        hint = hints[each.name]
        if hint.type.kind not in _PARAMETERS or hint.optional:
            raise BadExtension(f"its parameter `{each.name}` is neither str, bool nor int")
        if hint.note is None:
            raise BadExtension(f"its parameter `{each.name}` has no meaning; write Annotated[…, 'what it means']")
        type_ = types.INT if hint.type == types.LONG else hint.type
        required = each.default is each.empty
        found.append(Parameter(each.name, type_, hint.note, None if required else each.default, required))
    return tuple(found)
