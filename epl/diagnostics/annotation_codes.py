"""E4: annotations and stages."""

from __future__ import annotations

from epl.diagnostics.model import Code

_SCHEMA = "create schema PageView (user string, et string, n int, at long);\n"


def _code(id_: str, title: str, message: str, why: str, bad: str, good: str) -> Code:
    return Code(id_, title, message, why, _SCHEMA + bad, _SCHEMA + good)


UNKNOWN_ANNOTATION = _code(
    "E401",
    "unknown annotation",
    "there is no annotation `@{name}`",
    "Annotations say what a rule does with its row; a misspelt one would do nothing, silently.",
    "@UpdateCuonter('views') select 1 from PageView;",
    "@UpdateCounter('views') select 1 from PageView;",
)
WRONG_STAGE = _code(
    "E402",
    "annotation in the wrong stage",
    "`@{name}` belongs to {stages}, not to {stage}",
    "Stage 1 (the controller) picks the profile and the session key; everything about a session's state comes after.",
    "@Session('Main') select user as _pk_ from PageView;\n@UpdateCounter('views') select 1 from PageView;",
    "@Session('Main') select user as _pk_ from PageView;\n@DecorateEvent select 'x' as tagged from PageView;",
)
MISSING_PARAMETER = _code(
    "E403",
    "missing parameter",
    "`@{name}` needs `{parameter}`",
    "The parameter has no default.",
    "@AppendState(colname='et') select et from PageView;",
    "@AppendState(name='types', colname='et') select et from PageView;",
)
UNKNOWN_PARAMETER = _code(
    "E404",
    "unknown parameter",
    "`@{name}` has no parameter `{parameter}`",
    "Parameter names are exact.",
    "@AppendState(name='types', colname='et', max=3) select et from PageView;",
    "@AppendState(name='types', colname='et', maxlength=3) select et from PageView;",
)
PARAMETER_TYPE = _code(
    "E405",
    "parameter of the wrong type",
    "`{parameter}` of `@{name}` must be {type}",
    "Parameters are literals of a fixed type.",
    "@AppendState(name='types', colname='et', unique='yes') select et from PageView;",
    "@AppendState(name='types', colname='et', unique=true) select et from PageView;",
)
MISSING_COLUMN = _code(
    "E406",
    "missing column",
    "`@{name}` reads the column `{column}`, and this row has none",
    "The annotation takes its value from a column of that name.",
    "@Session('Main') select user from PageView;",
    "@Session('Main') select user as _pk_ from PageView;",
)
NOT_IN_STAGE = _code(
    "E407",
    "session variable out of place",
    "`{name}` is not known in {stage}",
    "Stage 1 runs before the session is found. parentSession and parentMetadata exist in the rules of a sub-session.",
    "@Session('Main') select user as _pk_ from PageView(session.eventCount > 1);",
    "@Session('Main') select user as _pk_ from PageView(n > 1);",
)
UNKNOWN_TARGET = _code(
    "E408",
    "unknown profile or sub-session",
    "there is no {what} `{name}`",
    "@Session names a profile of sessionizer.yaml, @SubSession a sub-session of this profile.",
    "@Session('Main') select user as _pk_ from PageView;\n@Session('Mian') select user as _pk_ from PageView;",
    "@Session('Main') select user as _pk_ from PageView;",
)
NOT_ON_MARKER = _code(
    "E409",
    "annotation that cannot stand on a marker",
    "`@{name}` cannot act on the marker `{type}`",
    "Markers tell of sessions that begin and end; they cannot open, split or end one.",
    "@EndSession select 1 from SessionBeginEvent;",
    "@EndSession select 1 from PageView(et = 'logout');",
)
COLUMN_TYPE = _code(
    "E410",
    "column of the wrong type",
    "`@{name}` needs {needed} in `{column}`, this is {found}",
    "Sums take numbers, durations an int of milliseconds, bot types an int.",
    "@AppendCounter(name='sum', colname='et') select et from PageView;",
    "@AppendCounter(name='sum', colname='n') select n from PageView;",
)
WITHOUT_ROW = _code(
    "E411",
    "annotation on a statement without rows",
    "`@{name}` acts on rows, and this statement yields none",
    "`create` declares a name, and hands no row on.",
    "@UpdateCounter('views') create variable int MOST = 7;",
    "create variable int MOST = 7;\n@UpdateCounter('views') select 1 from PageView(n < MOST);",
)
REFUSED = _code(
    "E412",
    "use that an annotation refuses",
    "`@{name}` refuses this rule: {reason}",
    "An annotation that a module registers checks its rule itself. @Points stands for one that sums a number.",
    "@Points('score') select et as points from PageView;",
    "@Points('score') select n as points from PageView;",
)
SPLIT_BY_ROW = _code(
    "E413",
    "split by a row that `insert into` makes",
    "`@SplitSession` cannot act on `{type}`: its rows are made while the session goes on",
    "A split happens before the event counts; by the time that a rule has made a row of it, it has counted.",
    "insert into Campaign select et from PageView(et = 'ad');\n@SplitSession select 1 from Campaign;",
    "insert into Campaign select et from PageView(et = 'ad');\n"
    "@SplitSession select 1 from PageView(et = 'ad');\n@UpdateCounter('campaigns') select 1 from Campaign;",
)

ANNOTATION_CODES = (
    UNKNOWN_ANNOTATION,
    WRONG_STAGE,
    MISSING_PARAMETER,
    UNKNOWN_PARAMETER,
    PARAMETER_TYPE,
    MISSING_COLUMN,
    NOT_IN_STAGE,
    UNKNOWN_TARGET,
    NOT_ON_MARKER,
    COLUMN_TYPE,
    WITHOUT_ROW,
    REFUSED,
    SPLIT_BY_ROW,
)
