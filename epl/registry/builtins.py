"""Documentation of the calls that the language itself defines.

They have rules of their own for types and nulls, so the checker and the compiler know them by name. The reference
pages, the editor and the example tests read them from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from epl.registry.model import Example


@dataclass(frozen=True, slots=True)
class Builtin:
    """A call that is part of the language; `usage` shows its parameters."""

    name: str
    usage: str
    summary: str
    examples: tuple[Example, ...]


BUILTINS: tuple[Builtin, ...] = (
    Builtin(
        "case",
        "case when condition then value … [else value] end; case x when value then value … [else value] end",
        "The value of the first branch whose condition is true (or whose value equals x); else null.",
        (
            Example("case when 1 > 2 then 'a' else 'b' end", "b"),
            Example("case 2 when 1 then 'one' when 2 then 'two' end", "two"),
            Example("case 3 when 1 then 'one' end", None),
        ),
    ),
    Builtin(
        "cast",
        "cast(x, type); cast(x as type)",
        "The value as another type. A text that does not parse and a number out of range end the statement without a "
        "row; null stays null.",
        (
            Example("cast('12', int)", 12),
            Example("cast(2.9 as int)", 2),
            Example("cast(0.0001, string)", "1.0E-4"),
            Example("cast(null, int)", None),
        ),
    ),
    Builtin(
        "coalesce",
        "coalesce(a, b, …)",
        "The first value that is not null, as the widest type of all.",
        (Example("coalesce(null, 2)", 2), Example("coalesce(7, 1.5)", 7.0)),
    ),
    Builtin(
        "current_timestamp",
        "current_timestamp; current_timestamp()",
        "The engine's clock in milliseconds since 1970, a long.",
        (Example("current_timestamp is not null", True),),
    ),
    Builtin(
        "exists",
        "exists(property)",
        "True when the event has the property, even when it is null. Of a property that may be absent, write `p?`.",
        (Example("exists(missing?)", False),),
    ),
    Builtin(
        "instanceof",
        "instanceof(x, type, …)",
        "True when the value is of one of the types exactly, or of Number; false for null.",
        (
            Example("instanceof(1, int)", True),
            Example("instanceof(1, long, Number)", True),
            Example("instanceof(null, int)", False),
        ),
    ),
    Builtin(
        "max",
        "max(a, b, …)",
        "The largest of two numbers or more, as the widest of their types; null when any is null.",
        (Example("max(1, 3, 2)", 3), Example("max(1, 0.5)", 1.0), Example("max(1, null)", None)),
    ),
    Builtin(
        "min",
        "min(a, b, …)",
        "The smallest of two numbers or more, as the widest of their types; null when any is null.",
        (Example("min(3, 1, 2)", 1), Example("min(1, 2.5)", 1.0)),
    ),
    Builtin(
        "System.currentTimeMillis",
        "System.currentTimeMillis()",
        "The same as current_timestamp: the engine's clock, not the machine's.",
        (Example("System.currentTimeMillis() = current_timestamp", True),),
    ),
    Builtin(
        "typeof",
        "typeof(x)",
        "Java's short name of the value's type; null for null.",
        (Example("typeof(1)", "Integer"), Example("typeof('a')", "String"), Example("typeof(null)", None)),
    ),
)
