"""Methods of strings, with Java's names and meaning.

Lengths and indexes count characters; see `epl.java.strings` for where this differs from Java.
"""

from __future__ import annotations

from epl.java import strings as java
from epl.java.numerals import BLANKS
from epl.registry.model import Entry, Example, Form, Param, Pattern, Signature
from epl.types import BOOLEAN, CHAR, INT, STRING, array_of

_INDEX = Param("index", INT)
_FROM = Param("from", INT)
_OTHER = Param("other", STRING)
_PART = Param("part", STRING)
_PATTERN = Param("pattern", STRING)
_REPLACEMENT = Param("replacement", STRING)


def _method(name: str, summary: str, examples: tuple[Example, ...], *signatures: Signature) -> Entry:
    return Entry(name, Form.METHOD, signatures, summary, examples, owner=STRING)


STRINGS: tuple[Entry, ...] = (
    _method(
        "length",
        "The number of characters.",
        (Example("'abc'.length()", 3), Example("''.length()", 0)),
        Signature((), INT, len, inline="len({0})", may_be_null=False),
    ),
    _method(
        "isEmpty",
        "True when there is no character.",
        (Example("''.isEmpty()", True), Example("' '.isEmpty()", False)),
        Signature((), BOOLEAN, lambda text: not text, inline="(not {0})", may_be_null=False),
    ),
    _method(
        "charAt",
        "The character at an index, counted from 0; null past the end.",
        (Example("'abc'.charAt(1)", "b"), Example("'abc'.charAt(3)", None)),
        Signature((_INDEX,), CHAR, java.char_at),
    ),
    _method(
        "substring",
        "The text from one index up to, and not with, another (or the end); null when they are not in the text.",
        (
            Example("'abc'.substring(1)", "bc"),
            Example("'abcd'.substring(1, 3)", "bc"),
            Example("'abc'.substring(10)", None),
        ),
        Signature((_FROM,), STRING, java.substring),
        Signature((_FROM, Param("to", INT)), STRING, java.substring),
    ),
    _method(
        "indexOf",
        "The index of the first occurrence of a text, at or after an index where one is given; -1 without any.",
        (Example("'abcb'.indexOf('b')", 1), Example("'abcb'.indexOf('b', 2)", 3), Example("'abc'.indexOf('x')", -1)),
        Signature((_PART,), INT, str.find, inline="{0}.find({1})", may_be_null=False),
        Signature((_PART, _FROM), INT, java.index_from, may_be_null=False),
    ),
    _method(
        "lastIndexOf",
        "The index of the last occurrence of a text, at or before an index where one is given; -1 without any.",
        (Example("'abcb'.lastIndexOf('b')", 3), Example("'abcb'.lastIndexOf('b', 2)", 1)),
        Signature((_PART,), INT, str.rfind, inline="{0}.rfind({1})", may_be_null=False),
        Signature((_PART, _FROM), INT, java.last_index_from, may_be_null=False),
    ),
    _method(
        "contains",
        "True when a text occurs in this one.",
        (Example("'abc'.contains('bc')", True), Example("'abc'.contains('B')", False)),
        Signature((_PART,), BOOLEAN, str.__contains__, inline="({1} in {0})", may_be_null=False),
    ),
    _method(
        "startsWith",
        "True when this text begins with another, or has it at an index.",
        (Example("'abc'.startsWith('ab')", True), Example("'abc'.startsWith('bc', 1)", True)),
        Signature((_PART,), BOOLEAN, str.startswith, inline="{0}.startswith({1})", may_be_null=False),
        Signature((_PART, _INDEX), BOOLEAN, java.starts_at, may_be_null=False),
    ),
    _method(
        "endsWith",
        "True when this text ends in another.",
        (Example("'abc'.endsWith('bc')", True), Example("'abc'.endsWith('')", True)),
        Signature((_PART,), BOOLEAN, str.endswith, inline="{0}.endswith({1})", may_be_null=False),
    ),
    _method(
        "equals",
        "True when the value is a string of the same characters; a value of another type is never equal.",
        (Example("'abc'.equals('abc')", True), Example("'1'.equals(1)", False)),
        Signature(
            (Param("value", Pattern.VALUE),),
            BOOLEAN,
            lambda text, value: bool(text == value),
            inline="({0} == {1})",
            may_be_null=False,
        ),
    ),
    _method(
        "equalsIgnoreCase",
        "True when the texts are the same, upper and lower case aside.",
        (Example("'Abc'.equalsIgnoreCase('aBC')", True), Example("'abc'.equalsIgnoreCase('ab')", False)),
        Signature((_OTHER,), BOOLEAN, java.equals_ignore_case, may_be_null=False),
    ),
    _method(
        "compareTo",
        "Below 0 when this text sorts before the other, 0 when equal, above 0 after: the difference of the first two "
        "characters that differ, or of the lengths.",
        (Example("'a'.compareTo('c')", -2), Example("'abc'.compareTo('a')", 2), Example("'a'.compareTo('a')", 0)),
        Signature((_OTHER,), INT, java.compare_text, may_be_null=False),
    ),
    _method(
        "compareToIgnoreCase",
        "As compareTo, upper and lower case aside.",
        (Example("'ABC'.compareToIgnoreCase('abd')", -1),),
        Signature((_OTHER,), INT, java.compare_ignore_case, may_be_null=False),
    ),
    _method(
        "concat",
        "This text and another after it, as `||`.",
        (Example("'ab'.concat('c')", "abc"),),
        Signature((_OTHER,), STRING, str.__add__, inline="({0} + {1})", may_be_null=False),
    ),
    _method(
        "toUpperCase",
        "The text in upper case, by Unicode's rules and no country's.",
        (Example("'Abc'.toUpperCase()", "ABC"),),
        Signature((), STRING, str.upper, inline="{0}.upper()", may_be_null=False),
    ),
    _method(
        "toLowerCase",
        "The text in lower case, by Unicode's rules and no country's.",
        (Example("'ABc'.toLowerCase()", "abc"),),
        Signature((), STRING, str.lower, inline="{0}.lower()", may_be_null=False),
    ),
    _method(
        "trim",
        "The text without the blanks and control characters (U+0000 to U+0020) at both ends.",
        (Example("' a b\\t'.trim()", "a b"),),
        Signature((), STRING, lambda text: text.strip(BLANKS), inline=f"{{0}}.strip({BLANKS!a})", may_be_null=False),
    ),
    _method(
        "replace",
        "The text with every occurrence of one text replaced by another; no regular expression.",
        (Example("'a.b.c'.replace('.', '-')", "a-b-c"),),
        Signature(
            (_PART, _REPLACEMENT),
            STRING,
            lambda text, part, replacement: text.replace(part, replacement),
            inline="{0}.replace({1}, {2})",
            may_be_null=False,
        ),
    ),
    _method(
        "replaceAll",
        "The text with every match of a regular expression replaced; `$1` in the replacement is the first group.",
        (
            Example("'a1b22'.replaceAll('[0-9]+', 'N')", "aNbN"),
            Example("'a-b'.replaceAll('(.)-(.)', '$2-$1')", "b-a"),
        ),
        Signature((_PATTERN, _REPLACEMENT), STRING, java.replace_all, can_fail=True, may_be_null=False),
    ),
    _method(
        "replaceFirst",
        "The text with the first match of a regular expression replaced.",
        (Example("'a1b2'.replaceFirst('[0-9]', 'N')", "aNb2"),),
        Signature((_PATTERN, _REPLACEMENT), STRING, java.replace_first, can_fail=True, may_be_null=False),
    ),
    _method(
        "matches",
        "True when the whole text matches a regular expression, as `regexp`.",
        (Example("'abc'.matches('a.*')", True), Example("'abc'.matches('b')", False)),
        Signature((_PATTERN,), BOOLEAN, java.matches, can_fail=True, may_be_null=False),
    ),
    _method(
        "split",
        "The array of the pieces between the matches of a regular expression. Empty pieces at the end are dropped, "
        "unless a limit is given: above 0 the most pieces there may be, below 0 no limit.",
        (
            Example("'a,b,,'.split(',')", ["a", "b"]),
            Example("'a1b2c'.split('[0-9]', 2)", ["a", "b2c"]),
            Example("'a,b,'.split(',', -1)", ["a", "b", ""]),
            Example("''.split(',')", [""]),
        ),
        Signature((_PATTERN,), array_of(STRING), java.split, can_fail=True, may_be_null=False),
        Signature((_PATTERN, Param("limit", INT)), array_of(STRING), java.split, can_fail=True, may_be_null=False),
    ),
    _method(
        "toString",
        "The text itself.",
        (Example("'abc'.toString()", "abc"),),
        Signature((), STRING, lambda text: text, inline="{0}", may_be_null=False),
    ),
    _method(
        "hashCode",
        "Java's hash of the text, an int: the same number as in Java, for splitting keys into buckets.",
        (Example("'hello'.hashCode()", 99162322), Example("''.hashCode()", 0)),
        Signature((), INT, java.hash_code, may_be_null=False),
    ),
)
