"""E2: names that lead nowhere, or to two places."""

from __future__ import annotations

from epl.diagnostics.model import Code

_SCHEMA = "create schema PageView (user string, et string, n int, tags string[]);\n"


def _code(id_: str, title: str, message: str, why: str, bad: str, good: str) -> Code:
    return Code(id_, title, message, why, _SCHEMA + bad, _SCHEMA + good)


UNKNOWN_NAME = _code(
    "E201",
    "unknown name",
    "there is no field, alias, variable or expression `{name}` here",
    "A name must be a field of the event, the alias or type of the stream, a variable, a declared expression or a "
    "session variable. Names are case-sensitive.",
    "select N from PageView;",
    "select n from PageView;",
)
UNKNOWN_FIELD = _code(
    "E202",
    "unknown field",
    "`{type}` has no field `{name}`",
    "Only declared fields are decoded. Declare the field, or write `name?` for one that may or may not be there.",
    "select p.nn from PageView as p;",
    "select p.n from PageView as p;",
)
UNKNOWN_EVENT_TYPE = _code(
    "E203",
    "unknown event type",
    "there is no event type `{name}`",
    "Event types come from `events:` in sessionizer.yaml, from `create schema`, or from an `insert into`.",
    "select n from PageVeiw;",
    "select n from PageView;",
)
UNKNOWN_FUNCTION = _code(
    "E204",
    "unknown function",
    "there is no function `{name}`",
    "Functions are built in, declared by `create expression`, or imported by the tenant's configuration.",
    "select coalsce(n, 1) as x from PageView;",
    "select coalesce(n, 1) as x from PageView;",
)
UNKNOWN_METHOD = _code(
    "E205",
    "unknown method",
    "{type} has no method `{name}`",
    "Methods have Java's names and belong to the type of the value before the dot.",
    "select et.size() as x from PageView;",
    "select et.length() as x from PageView;",
)
UNKNOWN_VALUE_TYPE = _code(
    "E206",
    "unknown type of values",
    "there is no type `{name}`",
    "Types are string, boolean, byte, short, int, long, float, double, bigint, decimal, date, char, map, list, object, "
    "arrays such as string[], and Java's names for them.",
    "select cast(n, strin) as x from PageView;",
    "select cast(n, string) as x from PageView;",
)
DUPLICATE_COLUMN = _code(
    "E207",
    "two columns of one name",
    "a column `{name}` is already there",
    "Every column of a row needs a name of its own, since annotations address columns by name.",
    "select n as x, et as x from PageView;",
    "select n as x, et as y from PageView;",
)
ALREADY_DECLARED = _code(
    "E208",
    "declared twice",
    "{what} `{name}` is already declared",
    "A name is declared once for all statements of a rule set.",
    "create variable int LIMIT_N = 5;\ncreate variable int LIMIT_N = 6;",
    "create variable int LIMIT_N = 5;\ncreate variable int LIMIT_M = 6;",
)
UNKNOWN_ATTRIBUTE = _code(
    "E209",
    "attribute that no rule writes",
    "no rule writes {owner}.{name}",
    "The short form takes its type from the rules that write the attribute, so there must be one. "
    "A getter such as session.int('n') is null instead.",
    "@UpdateCounter('views') select 1 from PageView;\n@DecorateEvent select session.veiws as v from PageView;",
    "@UpdateCounter('views') select 1 from PageView;\n@DecorateEvent select session.views as v from PageView;",
)
UNKNOWN_SESSION_MEMBER = _code(
    "E210",
    "unknown method of a session",
    "`{owner}` has no method `{name}`",
    "Sessions have getters by type (int long string double float boolean list date), contains and filter.",
    "@DecorateEvent select session.integer('views') as v from PageView;",
    "@DecorateEvent select session.int('views') as v from PageView;",
)
ROUTING_CYCLE = _code(
    "E211",
    "events that make themselves",
    "`insert into {name}` goes round in a circle: {path}",
    "A row inserted as an event is seen by all statements before the next event; a circle would never end.",
    "insert into A select n from PageView;\ninsert into B select n from A;\ninsert into A select n from B;",
    "insert into A select n from PageView;\ninsert into B select n from A;",
)
RECURSIVE_EXPRESSION = _code(
    "E212",
    "expression that contains itself",
    "the expression `{name}` contains itself",
    "Declared expressions are put in place of their call, so they cannot recurse.",
    "create expression f { x => f(x) };\nselect f(n) as x from PageView;",
    "create expression f { x => x + 1 };\nselect f(n) as x from PageView;",
)
UNKNOWN_STATIC = _code(
    "E213",
    "unknown static function",
    "`{owner}` has no function `{name}`",
    "Static functions are those of Math, Integer, Long, Double, Boolean, String, System and EPLUtils in the reference.",
    "select Math.sine(1.0) as x from PageView;",
    "select Math.sqrt(1.0) as x from PageView;",
)
AMBIGUOUS_TYPE = _code(
    "E214",
    "event used as a value",
    "`{name}` is an event, not a value",
    "An event as a whole can only be handed to a declared expression; elsewhere name one of its fields.",
    "select p || 'x' as x from PageView as p;",
    "select p.et || 'x' as x from PageView as p;",
)
TOO_LARGE = _code(
    "E215",
    "expression that grows too large",
    "with its declared expressions and variables in place, this is too large",
    "Declared expressions and variables are put in place of their names. Some that contain others several times over "
    "would grow without bound, so there is a limit to size and nesting.",
    "create expression f { x => " + "-" * 50 + "x };\nselect f(f(n)) as x from PageView;",
    "create expression f { x => -x };\nselect f(f(n)) as x from PageView;",
)
FIELD_NAME = _code(
    "E216",
    "field whose name cannot be read",
    "events cannot be read with a field named `{name}`",
    "Names with quotes, backslashes or control characters are written in more than one way in JSON.",
    'create schema Click (`a"b` string);',
    "create schema Click (a_b string);",
)

NAME_CODES = (
    UNKNOWN_NAME,
    UNKNOWN_FIELD,
    UNKNOWN_EVENT_TYPE,
    UNKNOWN_FUNCTION,
    UNKNOWN_METHOD,
    UNKNOWN_VALUE_TYPE,
    DUPLICATE_COLUMN,
    ALREADY_DECLARED,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_SESSION_MEMBER,
    ROUTING_CYCLE,
    RECURSIVE_EXPRESSION,
    UNKNOWN_STATIC,
    AMBIGUOUS_TYPE,
    TOO_LARGE,
    FIELD_NAME,
)
