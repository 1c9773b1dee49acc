"""E3: values of the wrong type."""

from __future__ import annotations

from epl.diagnostics.model import Code

_SCHEMA = (
    "create schema PageView (user string, et string, n int, total long, paid boolean, tags string[], props map);\n"
)


def _code(id_: str, title: str, message: str, why: str, bad: str, good: str, advice: str | None = None) -> Code:
    return Code(id_, title, message, why, _SCHEMA + bad, _SCHEMA + good, advice)


OPERAND = _code(
    "E301",
    "operator on the wrong type",
    "`{operator}` works on {needed}, not on {found}",
    "Arithmetic is for numbers, `||` for strings, `and or not` for booleans, `& | ^` for two integers of one type or "
    "two booleans. Nothing is converted to a string by itself.",
    "select et || n as x from PageView;",
    "select et || cast(n, string) as x from PageView;",
)
INCOMPARABLE = _code(
    "E302",
    "values that cannot be compared",
    "{left} and {right} cannot be compared by `{operator}`",
    "Numbers compare with numbers, strings with strings, booleans by `=` and `!=` only.",
    "select n from PageView(n = '7');",
    "select n from PageView(n = 7);",
)
CONDITION = _code(
    "E303",
    "condition that is not boolean",
    "a condition must be boolean, this is {found}",
    "A filter, a `where` or a `when` is true or false; null counts as false.",
    "select n from PageView(n);",
    "select n from PageView(n > 0);",
)
NO_COMMON_TYPE = _code(
    "E304",
    "results of different types",
    "`{construct}` gives {left} here and {right} there",
    "case, coalesce, min and max have one type: numbers widen to the widest, everything else must agree.",
    "select case when n > 5 then 'big' else 0 end as x from PageView;",
    "select case when n > 5 then 'big' else 'small' end as x from PageView;",
)
ARGUMENTS = _code(
    "E305",
    "wrong arguments",
    "`{name}` cannot be called with ({found})",
    "The number and types of arguments must fit one of the ways to call it.",
    "select et.substring('a') as x from PageView;",
    "select et.substring(1) as x from PageView;",
)
NOT_CASTABLE = _code(
    "E306",
    "cast that can never work",
    "{source} cannot be cast to {target}",
    "Numbers cast to numbers, anything to string, strings to whatever they can spell.",
    "select cast(paid, int) as x from PageView;",
    "select cast(n, long) as x from PageView;",
)
NOT_ASSIGNABLE = _code(
    "E307",
    "value that does not fit",
    "`{name}` is {target}; {source} does not fit",
    "A declared field or variable takes values of its type, or narrower numbers.",
    "update istream PageView set n = 'seven';",
    "update istream PageView set n = 7;",
)
BAD_PATTERN = _code(
    "E308",
    "invalid pattern",
    "{reason}",
    "Regular expressions are Java's where Python means the same; the whole text must match. "
    "An `escape` is one character.",
    "select n from PageView(et regexp '(view');",
    "select n from PageView(et regexp '(view)');",
)
NOT_INDEXABLE = _code(
    "E309",
    "index into something that has none",
    "{found} has no elements to index",
    "`[i]` reads arrays and lists, `('key')` reads maps.",
    "select et[0] as x from PageView;",
    "select tags[0] as x from PageView;",
)
NEEDS_LITERAL = _code(
    "E310",
    "computed attribute name",
    "the name of an attribute must be a string literal",
    "Attributes are compiled to fixed slots, so a getter needs its name while compiling. `contains` and `filter` take "
    "computed names.",
    "@DecorateEvent select session.int(et) as x from PageView;",
    "@DecorateEvent select session.int('views') as x from PageView;",
)
NEEDS_CAST = _code(
    "E311",
    "value of unknown type",
    "the type of this value shows only when the event comes",
    "What is read from a map, or by `f?`, can be compared by `=` and `is`. Everything else needs to know the type.",
    "select props('k').length() as x from PageView;",
    "select cast(props('k'), string).length() as x from PageView;",
    "cast it: cast(…, string)",
)
NOT_CONSTANT = _code(
    "E312",
    "variable that is not constant",
    "the value of a variable cannot read events or sessions",
    "Variables are computed once, when the rules load. What depends on the event is a declared expression.",
    "create variable int N = n;",
    "create expression N alias for { n + 1 };",
)
NOT_A_MEMBER = _code(
    "E313",
    "no such property",
    "{found} has no property `{name}`",
    "Events have fields, arrays have `length`, maps are read by key.",
    "select et.size as x from PageView;",
    "select tags.length as x from PageView;",
)

TYPE_CODES = (
    OPERAND,
    INCOMPARABLE,
    CONDITION,
    NO_COMMON_TYPE,
    ARGUMENTS,
    NOT_CASTABLE,
    NOT_ASSIGNABLE,
    BAD_PATTERN,
    NOT_INDEXABLE,
    NEEDS_LITERAL,
    NEEDS_CAST,
    NOT_CONSTANT,
    NOT_A_MEMBER,
)
