"""Annotations to effects: the stage fits, arguments bind, columns are there, and what comes out is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from epl import ast, types
from epl.checker.registered import registered_effects
from epl.diagnostics import Problems, annotation_codes, did_you_mean
from epl.environment import Environment
from epl.java.values import kind_of
from epl.registry.annotations import AnnotationEntry, MissingColumn, Parameter
from epl.stage import Stage
from epl.typed import (
    AddToCounter,
    AppendToList,
    Column,
    Const,
    Convert,
    CountDebug,
    Decorate,
    Effect,
    EndSession,
    Expr,
    MarkBot,
    Namespace,
    OpenSubSession,
    RouteToProfile,
    SetDuration,
    SplitSession,
    WriteAttributes,
)
from epl.types import Kind, Type

_PARAMETER_KINDS: Mapping[Kind, tuple[type, ...]] = {Kind.STRING: (str,), Kind.BOOLEAN: (bool,), Kind.INT: (int,)}
_SHOWN = {Kind.STRING: "a string", Kind.BOOLEAN: "true or false", Kind.INT: "a whole number"}


class Row(Struct, frozen=True):
    """The statement that annotations stand on: its event type and columns. Columns with problems are absent."""

    event_type: str
    columns: Mapping[str, Column]
    complete: bool


class Bound(Struct, frozen=True):
    """An annotation with its arguments, defaults filled in."""

    annotation: ast.Annotation
    entry: AnnotationEntry
    arguments: Mapping[str, Any]


class EffectChecker:
    """Checks the annotations of one rule set's statements."""

    def __init__(self, problems: Problems, environment: Environment, stage: Stage) -> None:
        self._problems = problems
        self._environment = environment
        self._stage = stage
        self._entries = {entry.name: entry for entry in environment.annotations}

    def bind(self, annotations: tuple[ast.Annotation, ...]) -> list[Bound]:
        """The annotations of a statement with their arguments; those with problems are left out."""
        bound = (self._bind(annotation) for annotation in annotations)
        return [each for each in bound if each is not None]

    def effects(self, bound: list[Bound], row: Row) -> list[tuple[ast.Annotation, Effect]]:
        """What the rule does with its row, in the order of its annotations, each with the one that makes it."""
        passive = any(each.entry.name == "Passive" for each in bound)
        made: list[tuple[ast.Annotation, Effect]] = []
        for each in bound:
            if each.entry.expand is None:
                effect = self._effect(each, row, passive)
                made += [] if effect is None else [(each.annotation, effect)]
            elif self._may_act(each, row):
                made += [(each.annotation, effect) for effect in self._expanded(each, row)]
        return made

    def refuse_without_row(self, bound: list[Bound]) -> None:
        """For a statement that is no select: an annotation that would act on its row is never ignored."""
        for each in bound:
            if not each.entry.documents:
                self._problems.add(annotation_codes.WITHOUT_ROW, each.annotation.span, name=each.entry.name)

    # ---- arguments

    def _bind(self, annotation: ast.Annotation) -> Bound | None:
        entry = self._entries.get(annotation.name)
        if entry is None:
            hint = did_you_mean(annotation.name, self._entries)
            self._problems.add(annotation_codes.UNKNOWN_ANNOTATION, annotation.span, name=annotation.name, hint=hint)
            return None
        if self._stage not in entry.stages:
            stages = " and ".join(sorted(stage.value for stage in entry.stages))
            self._problems.add(
                annotation_codes.WRONG_STAGE,
                annotation.span,
                name=entry.name,
                stages=stages,
                stage=self._stage.value,
            )
            return None
        given: dict[str, Any] = {}
        sound = True
        by_name = {parameter.name: parameter for parameter in entry.parameters}
        for argument in annotation.arguments:
            name = entry.bare if argument.name is None else argument.name if entry.named else None
            if name is None or name not in by_name:
                sound = False
                hint = _usage(entry) if argument.name is None or not entry.named else did_you_mean(name or "", by_name)
                self._problems.add(
                    annotation_codes.UNKNOWN_PARAMETER,
                    argument.span,
                    name=entry.name,
                    parameter=argument.name or "",
                    hint=hint or _usage(entry),
                )
                continue
            sound = self._fits(entry, by_name[name], argument) and sound
            given[name] = argument.value
        for parameter in entry.parameters:
            if parameter.name in given:
                continue
            if parameter.required and sound:
                sound = False
                self._problems.add(
                    annotation_codes.MISSING_PARAMETER,
                    annotation.span,
                    name=entry.name,
                    parameter=parameter.name,
                    hint=_usage(entry),
                )
            given.setdefault(parameter.name, parameter.default)
        return Bound(annotation, entry, given) if sound else None

    def _fits(self, entry: AnnotationEntry, parameter: Parameter, argument: ast.AnnotationArgument) -> bool:
        wanted = _PARAMETER_KINDS[parameter.type.kind]
        is_bool = isinstance(argument.value, bool)
        if isinstance(argument.value, wanted) and is_bool == (parameter.type.kind is Kind.BOOLEAN):
            return True
        shown = _SHOWN[parameter.type.kind]
        self._problems.add(
            annotation_codes.PARAMETER_TYPE, argument.span, name=entry.name, parameter=parameter.name, type=shown
        )
        return False

    # ---- effects

    def _effect(self, bound: Bound, row: Row, passive: bool) -> Effect | None:
        entry, arguments = bound.entry, bound.arguments
        if entry.documents or entry.name in ("Passive", "Shadow"):
            return None
        if not self._may_act(bound, row):
            return None
        columns = tuple(row.columns.values())
        match entry.name:
            case "Session":
                return self._route(bound, row, passive)
            case "SubSession":
                return self._sub_session(bound, row)
            case "UpdateState":
                return WriteAttributes(Namespace.STATE, columns)
            case "UpdateMetadata":
                return WriteAttributes(Namespace.METADATA, columns)
            case "UpdateCounter":
                return AddToCounter(arguments["name"], None)
            case "AppendCounter":
                return self._sum(bound, row)
            case "AppendState":
                if self._missing(bound, row, arguments["colname"]):
                    return None
                item = row.columns[arguments["colname"]].expr
                return AppendToList(arguments["name"], item, arguments["unique"], max(0, arguments["maxlength"]))
            case "UpdateDuration":
                duration = self._typed_column(bound, row, "_duration_", types.INT, "an int of milliseconds")
                return None if duration is None else SetDuration(duration)
            case "DecorateEvent":
                return Decorate(columns)
            case "DebugSession":
                return self._debug(bound, row, columns)
            case "EndSession":
                return EndSession()
            case "SplitSession":
                return SplitSession()
            case "MarkBot":
                bot_type = self._typed_column(bound, row, "_bottype_", types.INT, "an int")
                return None if bot_type is None else MarkBot(bot_type)
            case _:
                raise AssertionError(f"the annotation @{entry.name} has no effect and documents nothing")

    def _may_act(self, bound: Bound, row: Row) -> bool:
        """True when the annotation may stand on this event type, and the columns that it needs are there."""
        entry = bound.entry
        if not entry.on_markers and row.event_type in self._environment.marker_types:
            self._problems.add(
                annotation_codes.NOT_ON_MARKER, bound.annotation.span, name=entry.name, type=row.event_type
            )
            return False
        return not any(self._missing(bound, row, column.name) for column in entry.columns if column.required)

    def _expanded(self, bound: Bound, row: Row) -> tuple[Effect, ...]:
        """The effects of an annotation that somebody registered."""
        entry, span = bound.entry, bound.annotation.span
        for wanted in entry.columns:
            column = row.columns.get(wanted.name)
            if column is not None and not types.assignable(wanted.type, column.expr.type):
                self._column_problem(bound, wanted.name, str(wanted.type), column.expr.type)
                return ()
        on_marker = row.event_type in self._environment.marker_types
        try:
            return registered_effects(entry, row.columns, bound.arguments, self._stage, on_marker=on_marker)
        except MissingColumn as error:
            self._missing(bound, row, str(error.args[0]))
        except ValueError as error:
            self._problems.add(annotation_codes.REFUSED, span, name=entry.name, reason=str(error))
        return ()

    def _missing(self, bound: Bound, row: Row, column: str) -> bool:
        if column in row.columns:
            return False
        # When a column of this row is wrong itself, its absence is not news.
        if row.complete:
            self._problems.add(
                annotation_codes.MISSING_COLUMN,
                bound.annotation.span,
                name=bound.entry.name,
                column=column,
                hint=did_you_mean(column, row.columns) or f"add a column: … as {column}",
            )
        return True

    def _known_target(self, bound: Bound, name: str, known: frozenset[str] | None, what: str) -> bool:
        if known is None or name in known:
            return True
        self._problems.add(
            annotation_codes.UNKNOWN_TARGET,
            bound.annotation.span,
            what=what,
            name=name,
            hint=did_you_mean(name, sorted(known)),
        )
        return False

    def _route(self, bound: Bound, row: Row, passive: bool) -> Effect | None:
        profile = bound.arguments["profile"]
        if not self._known_target(bound, profile, self._environment.profiles, "profile"):
            return None
        key = _only(row.columns["_pk_"].expr, types.STRING)
        timestamp = _optional(row, "_timestamp_", types.LONG)
        return RouteToProfile(profile, key, timestamp, _optional(row, "_duration_", types.INT), passive)

    def _sub_session(self, bound: Bound, row: Row) -> Effect | None:
        name = bound.arguments["name"]
        if not self._known_target(bound, name, self._environment.sub_sessions, "sub-session"):
            return None
        key = _only(row.columns["_pk_"].expr, types.STRING)
        return OpenSubSession(name, key, _optional(row, "_duration_", types.INT))

    def _sum(self, bound: Bound, row: Row) -> Effect | None:
        name, column = bound.arguments["name"], bound.arguments["colname"]
        if column is None:
            return AddToCounter(name, None)
        if self._missing(bound, row, column):
            return None
        amount = row.columns[column].expr
        if not amount.type.is_numeric:
            self._column_problem(bound, column, "a number", amount.type)
            return None
        return AddToCounter(name, amount)

    def _debug(self, bound: Bound, row: Row, columns: tuple[Column, ...]) -> Effect | None:
        column = bound.arguments["colname"]
        if column and self._missing(bound, row, column):
            return None
        value = row.columns[column].expr if column else None
        return CountDebug(bound.arguments["counter"], value, columns if bound.arguments["audit"] else None)

    def _typed_column(self, bound: Bound, row: Row, name: str, wanted: Type, shown: str) -> Expr | None:
        expr = row.columns[name].expr
        if expr.type not in (wanted, types.OBJECT, types.NULL):
            self._column_problem(bound, name, shown, expr.type)
            return None
        return _only(expr, wanted)

    def _column_problem(self, bound: Bound, column: str, needed: str, found: Type) -> None:
        self._problems.add(
            annotation_codes.COLUMN_TYPE,
            bound.annotation.span,
            name=bound.entry.name,
            needed=needed,
            column=column,
            found=str(found),
        )


def _optional(row: Row, name: str, wanted: Type) -> Expr | None:
    column = row.columns.get(name)
    return None if column is None else _only(column.expr, wanted)


def _only(expr: Expr, wanted: Type) -> Expr:
    """The value if it is of the wanted type, else null (engine.md §2: a key that is no string opens nothing)."""
    if expr.type == wanted:
        return expr
    if expr.type == types.OBJECT:
        return Convert(wanted, True, expr, _or_null(wanted.kind), can_fail=False)
    return Const(wanted, True, None)


def _or_null(kind: Kind) -> Callable[[Any], Any]:
    def value_or_null(value: Any) -> Any:
        return value if kind_of(value) is kind else None

    return value_or_null


def _usage(entry: AnnotationEntry) -> str:
    """How the annotation is written."""
    if entry.bare is not None and not entry.named:
        return f"write @{entry.name}('{entry.bare}')"
    parts = [f"{parameter.name}=…" for parameter in entry.parameters]
    return f"write @{entry.name}({', '.join(parts)})" if parts else f"@{entry.name} takes no arguments"
