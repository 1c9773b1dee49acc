"""E1: what the parser says. From E120 on: constructs of EPL that Sojourn refuses, each by name, each with advice."""

from __future__ import annotations

from epl.diagnostics.model import Code

_SCHEMA = "create schema PageView (user string, et string, n int);\n"

UNEXPECTED = Code(
    "E101",
    "unexpected text",
    "unexpected {found}; expected {expected}",
    "The statement is not shaped like any the language knows. The caret stands at the first word that does not fit.",
    _SCHEMA + "select n n2 n3 from PageView;",
    _SCHEMA + "select n as n2 from PageView;",
)
ENDS_EARLY = Code(
    "E102",
    "statement ends too early",
    "the statement ends here; expected {expected}",
    "A part is missing, or a `;` stands too early.",
    _SCHEMA + "select n from;",
    _SCHEMA + "select n from PageView;",
)
STRAY_CHARACTER = Code(
    "E103",
    "a character with no meaning",
    "`{character}` means nothing here",
    "The language uses no such character outside strings and comments.",
    _SCHEMA + "select n # 2 from PageView;",
    _SCHEMA + "select n * 2 from PageView;",
)
UNTERMINATED = Code(
    "E104",
    "unterminated string, quoted name or comment",
    "this {what} is never closed",
    "Strings and quoted names end on their own line; a comment ends with `*/`.",
    _SCHEMA + "select n from PageView(et = 'view);",
    _SCHEMA + "select n from PageView(et = 'view');",
)
BAD_ESCAPE = Code(
    "E105",
    "unknown escape in a string",
    "`\\{escape}` is no escape",
    "Known are \\\\ \\' \\\" \\n \\t \\r \\b \\f \\uXXXX. The reference engine drops any other backslash silently, so "
    "that a regular expression such as '\\d+' never matched digits there; here it is an error.",
    _SCHEMA + "select n from PageView(et regexp '\\d+');",
    _SCHEMA + "select n from PageView(et regexp '\\\\d+');",
)
NUMBER_TOO_LARGE = Code(
    "E106",
    "number too large",
    "{number} does not fit into {type}",
    "A whole number is an int up to 2147483647 and a long up to 9223372036854775807.",
    _SCHEMA + "select 9223372036854775808 as x from PageView;",
    _SCHEMA + "select 9223372036854775807 as x from PageView;",
)
TOO_DEEP = Code(
    "E107",
    "nested too deeply",
    "expressions are nested deeper than {limit} levels here",
    "A bound on nesting keeps checking and running time bounded. Chains of `and`, `or` and `||` do not nest.",
    _SCHEMA + f"select {'-' * 120}n as x from PageView;",
    _SCHEMA + "select -n as x from PageView;",
)
RESERVED_NAME = Code(
    "E108",
    "reserved word used as a name",
    "`{word}` is a reserved word",
    "Reserved words cannot name columns, fields or types unless they stand in back-ticks.",
    _SCHEMA + "select n as order from PageView;",
    _SCHEMA + "select n as `order` from PageView;",
)
BAD_LAMBDA = Code(
    "E109",
    "malformed parameters of an expression",
    "a parameter is a plain name",
    "In `{ x => … }` the left side names the parameters.",
    _SCHEMA + "create expression twice { 1 + 2 => 3 };",
    _SCHEMA + "create expression twice { e => e.n * 2 };",
)


def _refused(id_: str, construct: str, advice: str, bad: str, good: str) -> Code:
    return Code(
        id_, f"{construct} not supported", f"{construct} not supported", _WHY, _SCHEMA + bad, _SCHEMA + good, advice
    )


_WHY = (
    "Sojourn runs rules one event at a time; what lasts lives in the session. Parts of EPL that keep their own windows "
    "or relate several streams are refused by name, never accepted and ignored."
)

WINDOW = _refused(
    "E120",
    "data windows are",
    "keep what must last in the session: a counter, a state or an appended list",
    "select n from PageView.win:length(3);",
    "@AppendState(name='ns', colname='n', unique=false, maxlength=3) select n from PageView;",
)
PATTERN = _refused(
    "E121",
    "patterns are",
    "remember the first event in the session (@UpdateState) and test it when the second comes",
    "select 1 from pattern [every a=PageView];",
    "@UpdateState select et as lastEt from PageView;",
)
JOIN = _refused(
    "E122",
    "joins are",
    "events meet in their session: write a state from one type and read it from the other",
    "select 1 from PageView, PageView;",
    "select 1 from PageView;",
)
SUB_QUERY = _refused(
    "E123",
    "sub-queries are",
    "read the session instead: session.int('views')",
    "select (select n from PageView) as x from PageView;",
    "select session.int('views') as x from PageView;",
)
AGGREGATION = _refused(
    "E124",
    "aggregation functions are",
    "count with @UpdateCounter, sum with @AppendCounter, and read the counter from the session",
    "select count(*) from PageView;",
    "@UpdateCounter('views') select 1 from PageView;",
)
GROUP_BY = _refused(
    "E125",
    "`group by` is",
    "the session key groups already; within a session use @DebugSession or one counter a value",
    "select n from PageView group by et;",
    "select n from PageView;",
)
HAVING = _refused(
    "E126",
    "`having` is",
    "use `where`",
    "select n from PageView having n > 5;",
    "select n from PageView where n > 5;",
)
ORDER_BY = _refused(
    "E127",
    "`order by` is",
    "a statement sees one event at a time, there is nothing to order",
    "select n from PageView order by n;",
    "select n from PageView;",
)
LIMIT = _refused(
    "E128",
    "`limit` is",
    "use a filter on the session, such as session.eventCount <= 3",
    "select n from PageView limit 3;",
    "select n from PageView(session.eventCount <= 3);",
)
OUTPUT = _refused(
    "E129",
    "`output` rate control is",
    "test session.eventCount, for instance session.eventCount % 10 = 0",
    "select n from PageView output every 2 events;",
    "select n from PageView(session.eventCount % 2 = 0);",
)
DISTINCT = _refused(
    "E130",
    "`distinct` is",
    "@AppendState with unique=true keeps distinct values",
    "select distinct n from PageView;",
    "@AppendState(name='ns', colname='n', unique=true) select n from PageView;",
)
REMOVE_STREAM = _refused(
    "E131",
    "`rstream` and `irstream` are",
    "nothing is ever removed from a stream here; leave the word out",
    "select rstream n from PageView;",
    "select istream n from PageView;",
)
CONTEXT = _refused(
    "E132",
    "contexts are",
    "the session is the context",
    "context Sessions select n from PageView;",
    "select n from PageView;",
)
TABLE = _refused(
    "E133",
    "named windows, tables and indexes are",
    "keep what must last in the session",
    "create window Views as PageView;",
    "@UpdateState select et as lastEt from PageView;",
)
TRIGGER = _refused(
    "E134",
    "`on …` statements are",
    "a rule runs for every event of its type: select from it, and annotate the effect",
    "on PageView select n;",
    "select n from PageView;",
)
MATCH_RECOGNIZE = _refused(
    "E135",
    "`match_recognize` is",
    "keep the state of the match in the session",
    "select n from PageView match_recognize (measures A.n as a pattern (A));",
    "select n from PageView;",
)
UNIDIRECTIONAL = _refused(
    "E136",
    "`unidirectional` is",
    "it belongs to joins, and there are none; leave it out",
    "select n from PageView unidirectional;",
    "select n from PageView;",
)
STATEMENT = _refused(
    "E137",
    "this kind of statement is",
    "known are select, insert into, update istream, create schema, create variable and create expression",
    "delete from PageView;",
    "select n from PageView;",
)

SYNTAX_CODES = (
    UNEXPECTED,
    ENDS_EARLY,
    STRAY_CHARACTER,
    UNTERMINATED,
    BAD_ESCAPE,
    NUMBER_TOO_LARGE,
    TOO_DEEP,
    RESERVED_NAME,
    BAD_LAMBDA,
    WINDOW,
    PATTERN,
    JOIN,
    SUB_QUERY,
    AGGREGATION,
    GROUP_BY,
    HAVING,
    ORDER_BY,
    LIMIT,
    OUTPUT,
    DISTINCT,
    REMOVE_STREAM,
    CONTEXT,
    TABLE,
    TRIGGER,
    MATCH_RECOGNIZE,
    UNIDIRECTIONAL,
    STATEMENT,
)
