"""Static functions of Java's classes: `Math`, the classes of the simple types, and the reference's `EPLUtils`.

A text that cannot be read gives null here: a function with an impossible argument does (language.md §2 in the design).
`cast` fails instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from epl.errors import RuleError
from epl.java import arithmetic
from epl.java.arithmetic import half_up, to_double
from epl.java.numerals import parse_boolean, parse_double, parse_integer
from epl.java.text import double_text, float_text, text_of
from epl.registry.functions import FROM_JSON, TO_JSON
from epl.registry.model import Entry, Example, Form, Param, Pattern, Signature
from epl.types import BOOLEAN, DOUBLE, FLOAT, INT, LONG, STRING, Kind, Type

_TEXT = Param("text", STRING)


def _static(owner: str, name: str, summary: str, examples: tuple[Example, ...], *signatures: Signature) -> Entry:
    return Entry(name, Form.STATIC, signatures, summary, examples, owner=owner)


def _or_null(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The parse method, with null for a text that it refuses."""

    def call(text: str) -> Any:
        try:
            return parse(text)
        except RuleError:
            return None

    return call


def _params(names: str, type: Type) -> tuple[Param, ...]:
    return tuple(Param(name, type) for name in names.split())


def _by_type(names: str, integral: Callable[..., Any], inline: str, fractional: Callable[..., Any]) -> list[Signature]:
    """One signature for each type that Java overloads: int, long, float, double."""
    return [
        *(Signature(_params(names, t), t, integral, inline=inline, may_be_null=False) for t in (INT, LONG)),
        *(Signature(_params(names, t), t, fractional, may_be_null=False) for t in (FLOAT, DOUBLE)),
    ]


def _of_doubles(
    name: str, summary: str, examples: tuple[Example, ...], call: Callable[..., float], names: str = "x"
) -> Entry:
    return _static("Math", name, summary, examples, Signature(_params(names, DOUBLE), DOUBLE, call, may_be_null=False))


def _text(value: object) -> str:
    return text_of(value, None)


MATH: tuple[Entry, ...] = (
    _static(
        "Math",
        "abs",
        "The number without its sign, of the same type.",
        (Example("Math.abs(-3)", 3), Example("Math.abs(-2.5)", 2.5)),
        *_by_type("x", abs, "abs({0})", lambda x: abs(float(x))),
    ),
    _static(
        "Math",
        "max",
        "The larger of two numbers, as the wider of their types; NaN when either is.",
        (Example("Math.max(1, 2)", 2), Example("Math.max(1, 0.5)", 1.0)),
        *_by_type("a b", max, "max({0}, {1})", arithmetic.largest),
    ),
    _static(
        "Math",
        "min",
        "The smaller of two numbers, as the wider of their types; NaN when either is.",
        (Example("Math.min(1, 2)", 1), Example("Math.min(1, 2.5)", 1.0)),
        *_by_type("a b", min, "min({0}, {1})", arithmetic.smallest),
    ),
    _static(
        "Math",
        "round",
        "The nearest integer, halves up: a long for a double, an int for a float; NaN gives 0.",
        (Example("Math.round(2.5)", 3), Example("Math.round(-2.5)", -2), Example("Math.round(2.4f)", 2)),
        Signature(_params("x", INT), INT, lambda x: x, inline="{0}", may_be_null=False),
        Signature(_params("x", LONG), LONG, lambda x: x, inline="{0}", may_be_null=False),
        Signature(_params("x", FLOAT), INT, lambda x: half_up(to_double(x), Kind.INT), may_be_null=False),
        Signature(_params("x", DOUBLE), LONG, lambda x: half_up(to_double(x), Kind.LONG), may_be_null=False),
    ),
    _of_doubles(
        "floor",
        "The largest whole number that is not above, as a double.",
        (Example("Math.floor(2.7)", 2.0), Example("Math.floor(-2.1)", -3.0)),
        lambda x: arithmetic.floor(to_double(x)),
    ),
    _of_doubles(
        "ceil",
        "The smallest whole number that is not below, as a double.",
        (Example("Math.ceil(2.1)", 3.0),),
        lambda x: arithmetic.ceil(to_double(x)),
    ),
    _of_doubles(
        "sqrt",
        "The square root; NaN below zero.",
        (Example("Math.sqrt(16.0)", 4.0),),
        lambda x: arithmetic.sqrt(to_double(x)),
    ),
    _of_doubles(
        "pow",
        "The first number to the power of the second.",
        (Example("Math.pow(2, 10)", 1024.0), Example("Math.pow(4, 0.5)", 2.0)),
        lambda base, exponent: arithmetic.power(to_double(base), to_double(exponent)),
        "base exponent",
    ),
    _of_doubles(
        "log",
        "The natural logarithm; -Infinity of zero, NaN below.",
        (Example("Math.log(1)", 0.0),),
        lambda x: arithmetic.log(to_double(x)),
    ),
    _of_doubles(
        "exp",
        "e to the power of the number.",
        (Example("Math.exp(0)", 1.0),),
        lambda x: arithmetic.exp(to_double(x)),
    ),
)


def _integral_class(owner: str, type: Type, parse_name: str) -> tuple[Entry, ...]:
    parse = _or_null(partial(parse_integer, kind=type.kind))
    return (
        _static(
            owner,
            parse_name,
            f"The {type} that a text of digits stands for; null for any other text, blanks included.",
            (Example(f"{owner}.{parse_name}('-12')", -12), Example(f"{owner}.{parse_name}(' 1')", None)),
            Signature((_TEXT,), type, parse),
        ),
        _static(
            owner,
            "valueOf",
            f"The {type} that a text of digits stands for, or the number itself.",
            (Example(f"{owner}.valueOf('12')", 12), Example(f"{owner}.valueOf(12)", 12)),
            Signature((_TEXT,), type, parse),
            Signature(_params("x", type), type, lambda x: x, inline="{0}", may_be_null=False),
        ),
        _static(
            owner,
            "toString",
            f"The text of a number of type {type}.",
            (Example(f"{owner}.toString(12)", "12"),),
            Signature(_params("x", type), STRING, str, inline="str({0})", may_be_null=False),
        ),
    )


CLASSES: tuple[Entry, ...] = (
    *_integral_class("Integer", INT, "parseInt"),
    *_integral_class("Long", LONG, "parseLong"),
    _static(
        "Double",
        "parseDouble",
        "The double that a text stands for (`1.5`, `1e3`, `NaN`; blanks around it are skipped); null for other text.",
        (Example("Double.parseDouble('1.25')", 1.25), Example("Double.parseDouble('x')", None)),
        Signature((_TEXT,), DOUBLE, _or_null(parse_double)),
    ),
    _static(
        "Double",
        "valueOf",
        "The double that a text stands for, or the number as a double.",
        (Example("Double.valueOf('1.25')", 1.25), Example("Double.valueOf(2)", 2.0)),
        Signature((_TEXT,), DOUBLE, _or_null(parse_double)),
        Signature(_params("x", DOUBLE), DOUBLE, to_double, may_be_null=False),
    ),
    _static(
        "Double",
        "toString",
        "The text of a double as Java writes it.",
        (Example("Double.toString(100.0)", "100.0"), Example("Double.toString(0.0001)", "1.0E-4")),
        Signature(_params("x", DOUBLE), STRING, lambda x: double_text(to_double(x)), may_be_null=False),
    ),
    _static(
        "Boolean",
        "parseBoolean",
        "True for `true` in any case, false for every other text.",
        (Example("Boolean.parseBoolean('True')", True), Example("Boolean.parseBoolean('yes')", False)),
        Signature((_TEXT,), BOOLEAN, parse_boolean, inline="({0}.lower() == 'true')", may_be_null=False),
    ),
    _static(
        "Boolean",
        "valueOf",
        "True for `true` in any case, false for every other text; or the boolean itself.",
        (Example("Boolean.valueOf('true')", True), Example("Boolean.valueOf(false)", False)),
        Signature((_TEXT,), BOOLEAN, parse_boolean, may_be_null=False),
        Signature(_params("x", BOOLEAN), BOOLEAN, lambda x: x, inline="{0}", may_be_null=False),
    ),
    _static(
        "Boolean",
        "toString",
        "`true` or `false`.",
        (Example("Boolean.toString(true)", "true"),),
        Signature(_params("x", BOOLEAN), STRING, _text, inline="('true' if {0} else 'false')", may_be_null=False),
    ),
    _static(
        "String",
        "valueOf",
        "The value's text as Java writes it; null stays null.",
        (Example("String.valueOf(7)", "7"), Example("String.valueOf(1e7)", "1.0E7")),
        Signature((Param("value", Pattern.VALUE),), STRING, _text, may_be_null=False),
        Signature(_params("value", FLOAT), STRING, float_text, may_be_null=False),
    ),
)

EPL_UTILS: tuple[Entry, ...] = tuple(
    _static("EPLUtils", name, f"The same as {plain}.", (Example(f"EPLUtils.{name}({argument})", result),), signature)
    for name, plain, argument, result, signature in (
        ("toJson", "toJson", "'a'", '"a"', TO_JSON),
        ("toJsonString", "toJson", "'a'", '"a"', TO_JSON),
        ("fromJson", "fromJson", "'1'", None, FROM_JSON),
        ("fromJsonString", "fromJson", "'1'", None, FROM_JSON),
    )
)

CLASS_PACKAGES: dict[str, str] = {
    **dict.fromkeys(("Math", "Integer", "Long", "Double", "Boolean", "String"), "java.lang"),
    "EPLUtils": "com.ebay.jetstream.epl",
}
"""The Java package of each class, for rules that write the full name."""
