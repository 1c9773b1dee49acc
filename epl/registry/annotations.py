"""The annotations: where each may stand, its parameters and columns, what it does, an example.

The checker binds arguments by these entries and `epl.checker.effects` turns them into effects; the reference page is
generated from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from epl import types
from epl.stage import Stage
from epl.typed import Column, Effect
from epl.types import Type

_STAGE_2 = frozenset({Stage.MAIN, Stage.SUB})
_ANY_STAGE = frozenset(Stage)


class Parameter(Struct, frozen=True):
    """A parameter of an annotation; without a default it must be given."""

    name: str
    type: Type
    summary: str
    default: Any = None
    required: bool = True


class RowColumn(Struct, frozen=True):
    """A column that the annotation reads from the row of its rule."""

    name: str
    type: Type
    summary: str
    required: bool = True


class MissingColumn(LookupError):
    """An annotation needs a column that its rule does not select; the argument is its name."""


Expand = Callable[[Mapping[str, Column], Mapping[str, Any]], Sequence[Effect]]
"""Columns and arguments to effects. Raises MissingColumn, and ValueError for what it does not take."""


class AnnotationEntry(Struct, frozen=True):
    """One annotation.

    `bare` names the parameter that a bare value fills, as in `@Session("Main")`; `named` allows `name=value` as well.
    `on_markers` False: refused on marker events. `documents`: it has no effect on sessions. `expand` gives the effects
    of an annotation that is not part of the language.
    """

    name: str
    stages: frozenset[Stage]
    summary: str
    example: str
    parameters: tuple[Parameter, ...] = ()
    columns: tuple[RowColumn, ...] = ()
    bare: str | None = None
    named: bool = True
    on_markers: bool = True
    documents: bool = False
    expand: Expand | None = None


_KEY = RowColumn("_pk_", types.STRING, "the key; a row whose `_pk_` is null or no string has no effect")

ANNOTATIONS: tuple[AnnotationEntry, ...] = (
    AnnotationEntry(
        "Session",
        frozenset({Stage.CONTROLLER}),
        "Picks the profile and the session key for this event.",
        "@Session('Main') select user as _pk_, at as _timestamp_ from PageView(user is not null);",
        (Parameter("profile", types.STRING, "the name of a profile"),),
        (
            _KEY,
            RowColumn("_timestamp_", types.LONG, "the event's own time, epoch ms; default: now", required=False),
            RowColumn("_duration_", types.INT, "gap in ms, read when the session opens", required=False),
        ),
        bare="profile",
        named=False,
    ),
    AnnotationEntry(
        "Passive",
        frozenset({Stage.CONTROLLER}),
        "Beside @Session: the event updates a live session, but neither opens nor extends one.",
        "@Passive @Session('Main') select user as _pk_ from PageView(et = 'ping');",
    ),
    AnnotationEntry(
        "SubSession",
        frozenset({Stage.MAIN}),
        "Opens a sub-session, or extends the one with this key.",
        "@SubSession('Cart') select user as _pk_, 600000 as _duration_ from PageView(et = 'cart');",
        (Parameter("name", types.STRING, "the name of a sub-session of this profile"),),
        (_KEY, RowColumn("_duration_", types.INT, "its gap in ms, read when it opens", required=False)),
        bare="name",
        named=False,
        on_markers=False,
    ),
    AnnotationEntry(
        "UpdateState",
        _STAGE_2,
        "Writes every column to the session's state; a null removes the attribute.",
        "@UpdateState select et as lastEt from PageView;",
    ),
    AnnotationEntry(
        "UpdateMetadata",
        _STAGE_2,
        "Writes every column to the session's metadata, which markers carry; a null removes.",
        "@UpdateMetadata select user from PageView(session.eventCount = 1);",
    ),
    AnnotationEntry(
        "UpdateCounter",
        _STAGE_2,
        "Adds one to a counter for each row.",
        "@UpdateCounter('views') select 1 from PageView(et = 'view');",
        (Parameter("name", types.STRING, "the counter, an int attribute of the state"),),
        bare="name",
        named=False,
    ),
    AnnotationEntry(
        "AppendCounter",
        _STAGE_2,
        "Adds a column's number to a counter: a sum. Without `colname` the same as @UpdateCounter.",
        "@AppendCounter(name='spent', colname='n') select n from PageView(et = 'buy');",
        (
            Parameter("name", types.STRING, "the counter"),
            Parameter("colname", types.STRING, "the column to add; null adds nothing", None, required=False),
        ),
        bare="name",
    ),
    AnnotationEntry(
        "AppendState",
        _STAGE_2,
        "Appends a column to a list; null is ignored.",
        "@AppendState(name='items', colname='et', unique=true, maxlength=10) select et from PageView;",
        (
            Parameter("name", types.STRING, "the list, an attribute of the state"),
            Parameter("colname", types.STRING, "the column to append"),
            Parameter("unique", types.BOOLEAN, "skip a value that is already there", True, required=False),
            Parameter("maxlength", types.INT, "over this length the oldest goes; 0 means no limit", 0, required=False),
        ),
    ),
    AnnotationEntry(
        "UpdateDuration",
        frozenset({Stage.MAIN}),
        "Sets the session's gap from now on, if it is not above the configured maximum.",
        "@UpdateDuration select 60000 as _duration_ from PageView(et = 'logout');",
        (),
        (RowColumn("_duration_", types.INT, "the gap in ms"),),
    ),
    AnnotationEntry(
        "DecorateEvent",
        _ANY_STAGE,
        "Adds the columns to the outgoing event: maps are spread, lists joined by `,`, nulls skipped.",
        "@DecorateEvent select 'web' as channel from PageView;",
    ),
    AnnotationEntry(
        "DebugSession",
        _ANY_STAGE,
        "Counts the rows, per value of a column if one is named, and logs them when `audit` is true.",
        "@DebugSession(counter='types', colname='et') select et from PageView;",
        (
            Parameter("counter", types.STRING, "the counter's name"),
            Parameter("colname", types.STRING, "count per value of this column", "", required=False),
            Parameter("audit", types.BOOLEAN, "log the row", False, required=False),
        ),
    ),
    AnnotationEntry(
        "EndSession",
        _STAGE_2,
        "Ends the session right after this event (a logout); in a sub-session's rules only that sub-session.",
        "@EndSession select 1 from PageView(et = 'logout');",
        on_markers=False,
    ),
    AnnotationEntry(
        "SplitSession",
        frozenset({Stage.MAIN}),
        "Ends the session before this event, which opens the next one (a new campaign, another user).",
        "@SplitSession select 1 from PageView(et = 'campaign');",
        on_markers=False,
    ),
    AnnotationEntry(
        "MarkBot",
        _STAGE_2,
        "Sets session.botType; while it is above 0, events count in botEventCount.",
        "@MarkBot select 1 as _bottype_ from PageView(session.eventCount > 1000);",
        (),
        (RowColumn("_bottype_", types.INT, "the type of bot; 0 clears the mark"),),
    ),
    AnnotationEntry(
        "Shadow",
        _ANY_STAGE,
        "Tries a rule: its rows and errors are counted, and it has no effect.",
        "@Shadow @DecorateEvent select 'web' as channel from PageView(et = 'view');",
    ),
    AnnotationEntry(
        "Name",
        _ANY_STAGE,
        "Names the rule in traces, metrics and coverage.",
        "@Name('first page') select et from PageView;",
        (Parameter("value", types.STRING, "the rule's name"),),
        bare="value",
        documents=True,
    ),
    AnnotationEntry(
        "Description",
        _ANY_STAGE,
        "Says what the rule is for.",
        "@Description('what people look at') select et from PageView;",
        (Parameter("value", types.STRING, "any text"),),
        bare="value",
        documents=True,
    ),
    AnnotationEntry(
        "Tag",
        _ANY_STAGE,
        "Labels the rule.",
        "@Tag(name='team', value='search') select et from PageView;",
        (Parameter("name", types.STRING, "the label"), Parameter("value", types.STRING, "its value")),
        documents=True,
    ),
    AnnotationEntry(
        "Priority",
        _ANY_STAGE,
        "Accepted for rule files of other engines; statements run in file order whatever it says.",
        "@Priority(10) select et from PageView;",
        (Parameter("value", types.INT, "any number"),),
        bare="value",
        documents=True,
    ),
    AnnotationEntry(
        "Hint",
        _ANY_STAGE,
        "Accepted for rule files of other engines, and without meaning here.",
        "@Hint('iterate_only') select et from PageView;",
        (Parameter("value", types.STRING, "any text"),),
        bare="value",
        documents=True,
    ),
)
